-- domain_reporters: who reported on a domain in the last 90 days, and how regularly. One row per (domain, reporter).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Reporters of the last 90 days" chart=table x=reporter y=messages order=90
with told as (
    select domain, org_domain as reporter, day, count(*) as reports, sum(messages) as messages
    from reports
    where domain in (select unnest($domains::varchar[]))
        and day >= $as_of - 90
        and day < $as_of
    group by all
),
gaps as (
    select *, day - lag(day) over (partition by domain, reporter order by day) as gap_days
    from told
)
select
    domain,
    reporter,
    sum(reports) as reports,
    sum(messages) as messages,
    count(*) as active_days,
    min(day) as first_day,
    max(day) as last_day,
    quantile_disc(gap_days, 0.5) as median_days_between
from gaps
group by domain, reporter
qualify row_number() over (partition by domain order by sum(messages) desc, reporter) <= 100
order by domain, messages desc, reporter

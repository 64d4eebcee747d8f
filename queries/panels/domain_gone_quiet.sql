-- domain_gone_quiet: reporters with at least 5 % of a domain's messages on at least 10 of the 30 days before the last 7, and no report in those 7. One row per (domain, reporter).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Reporters gone quiet" chart=table order=15
with told as (
    select domain, org_domain as reporter, day, messages
    from reports
    where domain in (select unnest($domains::varchar[]))
        and day >= $as_of - 37
        and day < $as_of
),
reporters as (
    select
        domain,
        reporter,
        max(day) filter (day < $as_of - 7) as last_day,
        count(distinct day) filter (day < $as_of - 7) as active_days,
        coalesce(sum(messages) filter (day < $as_of - 7), 0) as messages,
        -- An empty report proves a reporter alive, so reports count here, not messages.
        count(*) filter (day >= $as_of - 7) as heard
    from told
    group by domain, reporter
),
shares as (
    select *, sum(messages) over (partition by domain) as domain_messages
    from reporters
)
select
    domain,
    reporter,
    last_day,
    active_days,
    messages,
    round(100.0 * messages / nullif(domain_messages, 0), 1) as share_percent
from shares
where heard = 0
    and active_days >= 10
    and messages > 0
    and messages * 100 >= domain_messages * 5
qualify row_number() over (partition by domain order by messages desc, reporter) <= 200
order by domain, messages desc, reporter

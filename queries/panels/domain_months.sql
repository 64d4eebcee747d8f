-- domain_months: messages of domains per month over all time, passed and failed. One row per (domain, month).
-- params: $domains VARCHAR[]
-- panel: page=domain title="Messages per month" chart=stacked x=month y=passed,failed order=120
select
    domain,
    date_trunc('month', day)::date as month,
    sum(passed) as passed,
    sum(messages) - sum(passed) as failed
from daily
where domain in (select unnest($domains::varchar[]))
group by domain, month
qualify row_number() over (partition by domain order by month desc) <= 240
order by domain, month

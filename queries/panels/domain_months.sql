-- domain_months: messages of a domain per month over all time, passed and failed. One row per (month).
-- params: $domain VARCHAR
-- panel: page=domain title="Messages per month" chart=stacked x=month y=passed,failed order=120
with months as (
    select
        date_trunc('month', day)::date as month,
        sum(passed) as passed,
        sum(messages) - sum(passed) as failed
    from daily
    where domain = $domain
    group by month
    order by month desc
    limit 240
)
select month, passed, failed
from months
order by month

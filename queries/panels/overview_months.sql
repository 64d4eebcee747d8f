-- overview_months: messages per month over all time, passed and failed. One row per (month).
-- panel: page=overview title="Messages per month" chart=stacked x=month y=passed,failed order=50
with months as (
    select
        date_trunc('month', day)::date as month,
        sum(passed) as passed,
        sum(messages) - sum(passed) as failed
    from daily
    group by month
    order by month desc
    limit 240
)
select month, passed, failed
from months
order by month

-- domain_daily: messages of a domain per day of the last 30, passed and failed. One row per (day).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Messages per day" chart=stacked x=day y=passed,failed order=20
with volume as (
    select
        day,
        sum(messages) as messages,
        sum(passed) as passed
    from daily
    where domain = $domain
        and day >= $as_of - 30
        and day < $as_of
    group by day
),
-- Days without mail are zeros, so that the axis is even; without any mail there is nothing to draw.
days as (
    select $as_of + i::integer as day
    from range(-30, 0) as t(i)
    where exists (from volume)
)
select
    days.day,
    coalesce(volume.passed, 0) as passed,
    coalesce(volume.messages - volume.passed, 0) as failed
from days
left join volume using (day)
order by day

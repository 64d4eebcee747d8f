-- domain_pass_rate: share of a domain's messages that pass DMARC, per day of the last 30. One row per (day).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Pass rate" chart=line x=day y=pass_rate_percent order=30
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
    coalesce(volume.messages, 0) as messages,
    round(100.0 * volume.passed / nullif(volume.messages, 0), 1) as pass_rate_percent
from days
left join volume using (day)
order by day

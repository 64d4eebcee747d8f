-- domain_dispositions: what receivers did with a domain's messages, per day of the last 30; overridden are failures that the policy would have treated otherwise. One row per (day).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="What receivers did" chart=stacked x=day y=delivered,quarantined,rejected,disposition_unknown order=50
with volume as (
    select
        day,
        sum(delivered) as delivered,
        sum(quarantined) as quarantined,
        sum(rejected) as rejected,
        sum(disposition_unknown) as disposition_unknown,
        sum(overridden) as overridden
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
    coalesce(volume.delivered, 0) as delivered,
    coalesce(volume.quarantined, 0) as quarantined,
    coalesce(volume.rejected, 0) as rejected,
    coalesce(volume.disposition_unknown, 0) as disposition_unknown,
    coalesce(volume.overridden, 0) as overridden
from days
left join volume using (day)
order by day

-- domain_categories: messages of a domain per day of the last 30 by category. One row per (day).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Categories per day" chart=stacked x=day y=compliant,forwarded_pass,forwarded_fail,misconfigured,known_unapproved,unknown,threat order=60
with volume as (
    select
        day,
        sum(compliant) as compliant,
        sum(forwarded_pass) as forwarded_pass,
        sum(forwarded_fail) as forwarded_fail,
        sum(misconfigured) as misconfigured,
        sum(known_unapproved) as known_unapproved,
        sum(unknown) as unknown,
        sum(threat) as threat
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
    coalesce(volume.compliant, 0) as compliant,
    coalesce(volume.forwarded_pass, 0) as forwarded_pass,
    coalesce(volume.forwarded_fail, 0) as forwarded_fail,
    coalesce(volume.misconfigured, 0) as misconfigured,
    coalesce(volume.known_unapproved, 0) as known_unapproved,
    coalesce(volume.unknown, 0) as unknown,
    coalesce(volume.threat, 0) as threat
from days
left join volume using (day)
order by day

-- domain_aligned: share of a domain's messages with DKIM, SPF and both aligned, per day of the last 30; both survive forwarding best. One row per (day).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="DKIM and SPF aligned" chart=line x=day y=dkim_aligned_percent,spf_aligned_percent,both_aligned_percent order=40
with volume as (
    select
        day,
        sum(messages) as messages,
        sum(dkim_aligned) as dkim_aligned,
        sum(spf_aligned) as spf_aligned,
        sum(both_aligned) as both_aligned
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
    round(100.0 * volume.dkim_aligned / nullif(volume.messages, 0), 1) as dkim_aligned_percent,
    round(100.0 * volume.spf_aligned / nullif(volume.messages, 0), 1) as spf_aligned_percent,
    round(100.0 * volume.both_aligned / nullif(volume.messages, 0), 1) as both_aligned_percent
from days
left join volume using (day)
order by day

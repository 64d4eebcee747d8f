-- domain_fail_causes: why a domain's messages failed, per day of the last 30. One row per (day).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Causes of failure" chart=stacked x=day y=both_pass_none_aligned,dkim_pass_unaligned,spf_pass_unaligned,own_signature_broken,no_authentication order=70
with volume as (
    select
        day,
        sum(both_pass_none_aligned) as both_pass_none_aligned,
        sum(dkim_pass_unaligned) as dkim_pass_unaligned,
        sum(spf_pass_unaligned) as spf_pass_unaligned,
        sum(own_signature_broken) as own_signature_broken,
        sum(no_authentication) as no_authentication
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
    coalesce(volume.both_pass_none_aligned, 0) as both_pass_none_aligned,
    coalesce(volume.dkim_pass_unaligned, 0) as dkim_pass_unaligned,
    coalesce(volume.spf_pass_unaligned, 0) as spf_pass_unaligned,
    coalesce(volume.own_signature_broken, 0) as own_signature_broken,
    coalesce(volume.no_authentication, 0) as no_authentication
from days
left join volume using (day)
order by day

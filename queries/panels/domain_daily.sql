-- domain_daily: messages of domains per day of the last 30 and what became of them. One row per (domain, day).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Messages per day" chart=stacked x=day y=passed,failed columns=day,passed,failed about="Messages per day of the last 30, passed and failed." order=20
-- panel: page=domain title="Pass rate" chart=line x=day y=pass_rate_percent columns=day,messages,pass_rate_percent about="Share of the messages that pass DMARC." order=30
-- panel: page=domain title="DKIM and SPF aligned" chart=line x=day y=dkim_aligned_percent,spf_aligned_percent,both_aligned_percent columns=day,messages,dkim_aligned_percent,spf_aligned_percent,both_aligned_percent about="Share of the messages with DKIM, SPF and both aligned; both survive forwarding best." order=40
-- panel: page=domain title="What receivers did" chart=stacked x=day y=delivered,quarantined,rejected,disposition_unknown columns=day,delivered,quarantined,rejected,disposition_unknown,overridden about="What receivers did with the messages; overridden are failures that the policy would have treated otherwise." order=50
-- panel: page=domain title="Categories per day" chart=stacked x=day y=compliant,forwarded_pass,forwarded_fail,misconfigured,known_unapproved,unknown,threat columns=day,compliant,forwarded_pass,forwarded_fail,misconfigured,known_unapproved,unknown,threat about="Messages by the category of their record. Unknown: from nobody known by name, passes for another domain. Threat: from nobody known by name, and nothing vouches for it. Neither proves ill will." order=60
-- panel: page=domain title="Causes of failure" chart=stacked x=day y=both_pass_none_aligned,dkim_pass_unaligned,spf_pass_unaligned,own_signature_broken,no_authentication columns=day,both_pass_none_aligned,dkim_pass_unaligned,spf_pass_unaligned,own_signature_broken,no_authentication about="Why messages failed." order=70
with volume as (
    select *
    from daily
    where domain in (select unnest($domains::varchar[]))
        and day >= $as_of - 30
        and day < $as_of
),
-- Days without mail are zeros, so that the axis is even; without any mail there is nothing to draw.
days as (
    select domain, $as_of + i::integer as day
    from (select distinct domain from volume), range(-30, 0) as t(i)
)
select
    domain,
    day,
    coalesce(messages, 0) as messages,
    coalesce(passed, 0) as passed,
    coalesce(messages - passed, 0) as failed,
    round(100.0 * passed / nullif(messages, 0), 1) as pass_rate_percent,
    round(100.0 * dkim_aligned / nullif(messages, 0), 1) as dkim_aligned_percent,
    round(100.0 * spf_aligned / nullif(messages, 0), 1) as spf_aligned_percent,
    round(100.0 * both_aligned / nullif(messages, 0), 1) as both_aligned_percent,
    coalesce(columns([
        'delivered', 'quarantined', 'rejected', 'disposition_unknown', 'overridden',
        'compliant', 'forwarded_pass', 'forwarded_fail', 'misconfigured', 'known_unapproved', 'unknown', 'threat',
        'both_pass_none_aligned', 'dkim_pass_unaligned', 'spf_pass_unaligned', 'own_signature_broken',
        'no_authentication'
    ]), 0)
from days
left join volume using (domain, day)
order by domain, day

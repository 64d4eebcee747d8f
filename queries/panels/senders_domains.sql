-- senders_domains: what each recognised sender sent for each domain in the last 30 days, and whether the configuration lets it; what it is known by comes from signatures and return paths that passed, from networks and names of hosts. One row per (domain, sender).
-- params: $as_of DATE
-- panel: page=senders title="Senders by domain" chart=table x=sender y=messages order=20
with sent as (
    select domain, sender, category, fail_cause, source_ip, dmarc_pass, dkim_aligned, spf_aligned, messages
    from records
    where day >= $as_of - 30
        and day < $as_of
        and sender is not null
),
volume as (
    select
        domain,
        sender,
        sum(messages) as messages,
        coalesce(sum(messages) filter (dmarc_pass), 0) as passed,
        coalesce(sum(messages) filter (dkim_aligned), 0) as dkim_aligned,
        coalesce(sum(messages) filter (spf_aligned), 0) as spf_aligned,
        count(distinct source_ip) as addresses
    from sent
    group by domain, sender
    order by messages desc, domain, sender
    limit 500
),
categories as (
    select domain, sender, list(replace(category, '_', ' ') || ' ' || messages order by messages desc, category) as shares
    from (select domain, sender, category, sum(messages) as messages from sent group by all)
    group by domain, sender
),
causes as (
    select domain, sender, list(replace(fail_cause, '_', ' ') || ' ' || messages order by messages desc, fail_cause) as shares
    from (select domain, sender, fail_cause, sum(messages) as messages from sent where not dmarc_pass group by all)
    group by domain, sender
)
select
    volume.domain,
    volume.sender,
    senders.name,
    senders.kind,
    coalesce(list_contains(list_transform(senders.approved_for,
        lambda parent: volume.domain = parent or ends_with(volume.domain, '.' || parent)), true), false) as approved,
    volume.messages,
    round(100.0 * volume.passed / nullif(volume.messages, 0), 1) as pass_rate_percent,
    round(100.0 * volume.dkim_aligned / nullif(volume.messages, 0), 1) as dkim_percent,
    round(100.0 * volume.spf_aligned / nullif(volume.messages, 0), 1) as spf_percent,
    volume.messages - volume.passed as failing,
    categories.shares as categories,
    coalesce(causes.shares, []) as causes,
    volume.addresses,
    domain_senders.first_day as first_seen
from volume
left join senders using (sender)
left join categories on categories.domain = volume.domain and categories.sender = volume.sender
left join causes on causes.domain = volume.domain and causes.sender = volume.sender
left join domain_senders on domain_senders.domain = volume.domain and domain_senders.sender = volume.sender
order by volume.domain, volume.messages desc, volume.sender

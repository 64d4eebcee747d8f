-- senders_unknown: the addresses with most messages in the last 30 days for which no sender is known; authenticated are the domains for which DKIM or SPF passed. One row per (domain, source_ip).
-- params: $as_of DATE
-- panel: page=senders title="Not identified" chart=table x=source_ip y=messages order=40
with sent as (
    select domain, source_ip, sum(messages) as messages, coalesce(sum(messages) filter (dmarc_pass), 0) as passed
    from records
    where day >= $as_of - 30
        and day < $as_of
        and sender is null
    group by domain, source_ip
    order by messages desc, domain, source_ip
    limit 100
),
told as (
    select records.domain, records.source_ip, category, fail_cause, dkim, spf, records.messages
    from records
    join sent on sent.domain = records.domain and sent.source_ip is not distinct from records.source_ip
    where day >= $as_of - 30
        and day < $as_of
        and sender is null
),
kinds as (
    select
        domain,
        source_ip,
        -- that of most messages, the first by name
        min({'fewer': -messages, 'name': category}).name as category,
        min({'fewer': -messages, 'name': fail_cause}) filter (fail_cause is not null).name as fail_cause
    from (select domain, source_ip, category, fail_cause, sum(messages) as messages from told group by all)
    group by domain, source_ip
),
names as (
    select distinct domain, source_ip, unnest(
        list_transform(list_filter(dkim, lambda r: r.result = 'pass'), lambda r: r.domain)
        || list_transform(list_filter(spf, lambda r: r.result = 'pass'), lambda r: r.domain)) as name
    from told
),
passing as (
    select domain, source_ip, string_agg(name, ', ' order by name) as authenticated
    from (from names qualify row_number() over (partition by domain, source_ip order by name) <= 5)
    group by domain, source_ip
)
select sent.domain, sent.source_ip, addresses.host_name, addresses.country, addresses.network, sent.messages, sent.passed, sent.messages - sent.passed as failing, kinds.category,
    kinds.fail_cause, passing.authenticated, sources.first_day as first_seen
from sent
left join kinds on kinds.domain = sent.domain and kinds.source_ip is not distinct from sent.source_ip
left join passing on passing.domain = sent.domain and passing.source_ip is not distinct from sent.source_ip
left join addresses on addresses.source_ip = sent.source_ip
left join sources on sources.domain = sent.domain and sources.source_ip = sent.source_ip
order by sent.messages desc, sent.domain, sent.source_ip

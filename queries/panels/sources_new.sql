-- sources_new: addresses that sent for a domain for the first time in the last 7 days. One row per (source_ip, domain).
-- params: $as_of DATE
-- panel: page=sources title="New in the last 7 days" chart=table x=source_ip y=messages order=30
with fresh as (
    select source_ip, domain, first_day, messages, passed, unknown + threat as unknown_messages
    from sources
    where first_day >= $as_of - 7
        and first_day < $as_of
    order by messages desc, source_ip, domain
    limit 100
),
named as (
    select source_ip, domain, max(sender) as sender, max(carrier) as carrier
    from records
    where day >= $as_of - 7
        and source_ip in (select source_ip from fresh)
    group by source_ip, domain
)
select
    fresh.source_ip,
    addresses.host_name,
    addresses.country,
    addresses.network,
    fresh.domain,
    named.sender,
    named.carrier,
    fresh.first_day,
    fresh.messages,
    fresh.passed,
    fresh.messages - fresh.passed as failing,
    fresh.unknown_messages
from fresh
left join named using (source_ip, domain)
left join addresses using (source_ip)
order by messages desc, source_ip, domain

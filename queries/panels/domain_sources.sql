-- domain_sources: the addresses that sent most of a domain's messages in the last 30 days; the category is that of most of its messages. One row per (domain, source_ip).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Top sources" chart=table columns=source_ip,host_name,country,network,sender,carrier,messages,passed,failing,category,first_day,last_day rows=25 order=80
-- panel: page=api/domain_sources title="Sources" chart=table order=10
with kinds as (
    select
        domain,
        source_ip,
        category,
        max(sender) as sender,
        max(carrier) as carrier,
        sum(messages) as messages,
        coalesce(sum(messages) filter (dmarc_pass), 0) as passed
    from records
    where domain in (select unnest($domains::varchar[]))
        and day >= $as_of - 30
        and day < $as_of
        and source_ip is not null
    group by domain, source_ip, category
),
tops as (
    select
        domain,
        source_ip,
        max(sender) as sender,
        max(carrier) as carrier,
        sum(messages) as messages,
        sum(passed) as passed,
        -- the first by name of those with the most messages
        min({'fewer': -messages, 'category': category}).category as category
    from kinds
    group by domain, source_ip
    qualify row_number() over (partition by domain order by sum(messages) desc, source_ip) <= 1000
)
select
    tops.domain,
    tops.source_ip,
    addresses.host_name,
    addresses.country,
    addresses.asn,
    addresses.network,
    tops.sender,
    tops.carrier,
    tops.messages,
    tops.passed,
    tops.messages - tops.passed as failing,
    tops.category,
    sources.first_day,
    sources.last_day
from tops
left join addresses on addresses.source_ip = tops.source_ip
left join sources on sources.source_ip = tops.source_ip and sources.domain = tops.domain
order by tops.domain, tops.messages desc, tops.source_ip

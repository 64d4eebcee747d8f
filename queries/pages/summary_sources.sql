-- summary_sources: the 25 addresses with most messages in the $days days before $as_of, and those of which there is something to say; own is what lies in a network of known_senders; $domain is empty for all. One row per (place).
-- params: $as_of DATE, $days BIGINT, $domain VARCHAR
with volume as (
    select
        source_ip,
        max(sender) as sender,
        sum(messages) as messages,
        sum(if(dmarc_pass, messages, 0)) as passed
    from records
    where day >= $as_of - $days::integer
        and day < $as_of
        and ($domain = '' or domain = $domain)
    group by source_ip
),
texts as (
    select 'source' as kind, source_ip as text, source_ip as address, 0 as prefix_bits
    from volume
    union all
    select distinct 'network', network, split_part(network, '/', 1), try_cast(split_part(network, '/', 2) as integer)
    from (select unnest(networks) as network from senders)
),
-- As text of 0 and 1, so that a network is the beginning of its addresses; 4 or 6 stands before it.
addresses as (
    select kind, text, prefix_bits, split_part(address, '::', 1) as head, split_part(address, '::', 2) as tail,
        [part for part in string_split(head, ':') if part <> ''] as heads,
        [part for part in string_split(tail, ':') if part <> ''] as tails,
        heads || [0 for n in range(8 - len(heads) - len(tails))]::varchar[] || tails as groups,
        if(
            contains(address, ':'),
            '6' || array_to_string([lpad(bin(try_cast('0x' || part as integer)), 16, '0') for part in groups], ''),
            '4' || array_to_string([lpad(bin(try_cast(part as integer)), 8, '0') for part in string_split(address, '.')], '')
        ) as bits
    from texts
),
own as (
    select distinct s.text as source_ip, true as is_own
    from addresses s join addresses n on starts_with(s.bits, left(n.bits, n.prefix_bits + 1))
    where s.kind = 'source' and n.kind = 'network'
),
judged as (
    select *, messages - passed as failing, row_number() over (order by messages desc, source_ip) as place,
        case
            when is_own and messages >= 20 and passed * 100 < messages * 95 then 'own'
            when is_own is null and failing >= 20 then 'external'
        end as problem
    from volume left join own using (source_ip)
)
select place, source_ip, coalesce(name, judged.sender) as name, if(is_own, 'own', 'external') as kind, messages, passed,
    failing, round(100.0 * passed / nullif(messages, 0), 1) as pass_rate_percent, problem, count(problem) over () as problems
from judged
left join senders on senders.sender = judged.sender
where place <= 25 or problem is not null
order by place
limit 1000

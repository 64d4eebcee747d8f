-- address_evidence: what is known of the addresses of staged records; a place is what addresses share, 0 where nothing is known. One row per (address_key).
insert into stage_addresses
with asked as (
    -- the same for all of a key
    select address_key, first(source_ip) as source_ip, first(address) as address
    from stage_records
    where address is not null
    group by address_key
), within as (
    -- the narrowest network around it
    select a.source_ip, n.network
    from asked a
    join stage_networks n on a.address >= n.first_address and a.address <= n.last_address
    qualify row_number() over (partition by a.source_ip order by n.prefix_bits desc, n.network) = 1
), hosts as (
    select e.sender, e.value, len(string_split(e.value, '.')) as labels
    from stage_evidence e
    where e.mechanism = 'host'
), suffixes as (
    -- of as many labels as evidence has
    select source_ip, array_to_string(parts[-n:], '.') as suffix, n
    from (
        select source_ip, parts, unnest(range(1, least(len(parts), (select max(labels) from hosts)) + 1)) as n
        from (
            select source_ip, string_split(lower(rtrim(host_name, '.')), '.') as parts
            from addresses
            semi join asked using (source_ip)
            where length(host_name) <= 253
        )
    )
), named as (
    select s.source_ip, h.sender
    from suffixes s
    join hosts h
        on translate(s.suffix, '0123456789', '##########') = translate(h.value, '0123456789', '##########')
        and s.suffix glob replace(h.value, '#', '[0-9]')
    qualify row_number() over (partition by s.source_ip order by s.n desc, len(h.value) desc, h.sender) = 1
), known as (
    select source_ip, w.network, n.sender as service
    from within w
    full join named n using (source_ip)
)
select a.address_key, a.source_ip, coalesce(p.place, 0), p.network, p.service
from asked a
left join (select *, dense_rank() over (order by network, service) as place from known) p using (source_ip)

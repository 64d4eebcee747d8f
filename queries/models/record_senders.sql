-- record_senders: the sender of staged records and the service that carries its mail, by the strongest evidence. One row per (evidence_key, place, domain, dkim_aligned) that has a sender.
insert into stage_senders
with units as (
    -- records that nothing tells apart
    select r.evidence_key, coalesce(a.place, 0) as place, p.domain, r.dkim_aligned
    from stage_records r
    join stage_reports p using (load_key)
    left join stage_addresses a using (source_ip)
    group by all
), places as (
    select distinct place, network, service from stage_addresses
), evidence as (
    -- 1: the address lies in one of its networks; 2 to 7: what passes
    select u.*, n.sender, 1 as strength, n.prefix_bits as narrowness
    from units u join places using (place) join stage_networks n using (network)
    union all
    select u.*, m.sender, m.strength, m.narrowness
    from units u join stage_matches m using (evidence_key)
    union all
    -- 4: an aligned DKIM pass, where the user takes that as evidence
    select u.*, s.sender, 4, len(s.approved)
    from units u
    join (select sender, unnest(approved_for) as approved from senders where aligned_dkim) s
        on u.domain = s.approved or ends_with(u.domain, '.' || s.approved)
    where u.dkim_aligned
    union all
    -- 8: the name of the host
    select u.*, service, 8, 0
    from units u join places using (place)
    where service is not null
), found as (
    -- each sender by its best evidence
    select evidence_key, place, domain, dkim_aligned, e.sender, min(strength) as strength,
        -min([strength, -narrowness])[2] as narrowness, s.kind, s.rides_on,
        list_contains(list_transform(s.approved_for, lambda d: e.domain = d or ends_with(e.domain, '.' || d)), true)
            as is_approved
    from evidence e join senders s using (sender)
    group by evidence_key, place, domain, dkim_aligned, e.sender, s.kind, s.rides_on, s.approved_for
), carried as (
    -- what another sender of the record rides on gives way to it, unless the user said that it is the sender
    select *, strength > 4 and list_contains(flatten(list(rides_on) over unit), sender) as is_carrier from found
    window unit as (partition by evidence_key, place, domain, dkim_aligned)
), ranked as (
    select *, row_number() over (
        partition by evidence_key, place, domain, dkim_aligned
        order by is_carrier, strength, narrowness desc, is_approved desc, sender
    ) as rank
    from carried
)
select evidence_key, place, domain, dkim_aligned, max(sender) filter (rank = 1) as sender,
    -- what it rides on before others
    arg_min(sender, [(not is_carrier)::bigint, rank]) filter (rank > 1 and kind <> 'configured') as carrier,
    max(kind) filter (rank = 1) as kind, bool_or(is_approved) filter (rank = 1) as is_approved
from ranked
group by evidence_key, place, domain, dkim_aligned

-- record_senders: the sender of staged records and the service that carries its mail, by the strongest evidence. One row per (evidence_key, place, scope, is_own) that has a sender.
insert into stage_senders
with domains as (
    select load_key, coalesce(scope, 0) as scope, coalesce(len(own), 0) > 0 as has_own
    from stage_reports left join stage_scopes using (domain)
), units as (
    -- records that nothing tells apart
    select r.evidence_key, coalesce(a.place, 0) as place, d.scope, r.dkim_aligned and d.has_own as is_own
    from stage_records r
    join domains d using (load_key)
    left join stage_addresses a using (address_key)
    group by all
), places as (
    select distinct place, network, service from stage_addresses where place > 0
), scopes as (
    select distinct scope, approved, own from stage_scopes
), evidence as (
    -- 1: the address lies in one of its networks; 2, 3, 5, 6, 7: what passes
    select u.*, n.sender, 1 as strength, n.prefix_bits as narrowness
    from units u join places using (place) join stage_networks n using (network)
    union all
    select u.*, m.sender, m.strength, m.narrowness from units u join stage_matches m using (evidence_key)
    union all
    -- 4: an aligned DKIM pass, where the user takes that as evidence
    select u.*, s.own.sender, 4, s.own.narrowness
    from units u join (select scope, unnest(own) as own from scopes) s using (scope)
    where u.is_own
    union all
    -- 8: the name of the host
    select u.*, service, 8, 0 from units u join places using (place) where service is not null
), found as (
    -- each sender by its best evidence
    select evidence_key, place, scope, is_own, sender, min(strength) as strength,
        arg_min(narrowness, [strength, -narrowness]) as narrowness
    from evidence
    group by all
), carried as (
    -- what another sender of the record rides on gives way to it, unless the user said that it is the sender
    select f.*, k.kind, coalesce(list_contains(s.approved, f.sender), false) as is_approved,
        strength > 4 and list_contains(flatten(list(k.rides_on) over unit), f.sender) as is_carrier
    from found f
    join senders k using (sender)
    left join scopes s using (scope)
    window unit as (partition by evidence_key, place, scope, is_own)
), ranked as (
    select *, row_number() over (
        partition by evidence_key, place, scope, is_own order by is_carrier, strength, narrowness desc, is_approved desc, sender
    ) as rank
    from carried
)
select evidence_key, place, scope, is_own, max(sender) filter (rank = 1) as sender,
    -- what it rides on before others
    arg_min(sender, [(not is_carrier)::bigint, rank]) filter (rank > 1 and kind <> 'configured') as carrier,
    bool_or(kind = 'forwarder') filter (rank = 1) as is_forwarder,
    -- without SPF, by design
    bool_or(kind in ('transactional', 'marketing', 'crm', 'ticketing', 'saas', 'finance', 'relay'))
        filter (rank = 1) as sends_for_others,
    bool_or(is_approved) filter (rank = 1) as is_approved
from ranked
group by evidence_key, place, scope, is_own

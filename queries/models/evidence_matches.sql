-- evidence_matches: senders whose evidence is among what passes. One row per (evidence_key, sender, strength).
insert into stage_matches
with pieces as (
    select evidence_key, split_part(piece, ' ', 1) as mechanism, split_part(piece, ' ', 2) as value
    from (
        select evidence_key, unnest(string_split(evidence, chr(10))) as piece
        from (select distinct evidence_key, evidence from stage_records where evidence is not null)
    )
), asked as (
    select distinct mechanism, value from pieces
), ends as (
    -- a name may have a hundred labels: what is longer than any evidence is not looked at
    select mechanism, value, most,
        case when mechanism = 'selector' then [value] else string_split(right(value, longest + 1), '.') end as labels
    from asked,
        (select max(len(string_split(value, '.'))) as most, max(len(value)) as longest from stage_evidence) known
), suffixes as (
    -- on the boundaries of labels; a selector counts as a whole
    select mechanism, value, array_to_string(labels[-n:], '.') as suffix
    from (select *, unnest(range(1, least(len(labels), most) + 1)) as n from ends)
), matches as (
    -- digits stand for each other first, so that one look-up finds names and patterns
    select s.mechanism, s.value, e.sender, e.strength, e.value as found
    from suffixes s
    join stage_evidence e
        on e.mechanism = s.mechanism
        and translate(e.value, '0123456789', '##########') = translate(s.suffix, '0123456789', '##########')
        and s.suffix glob replace(e.value, '#', '[0-9]')
    union all
    select a.mechanism, a.value, e.sender, e.strength, e.value
    from asked a
    join stage_evidence e on e.mechanism = a.mechanism and a.value glob replace(e.value, '#', '[0-9]')
    where a.mechanism = 'selector' and contains(e.value, '*')
)
select p.evidence_key, m.sender, m.strength, max(len(m.found)) as narrowness
from pieces p
join matches m using (mechanism, value)
group by p.evidence_key, m.sender, m.strength

-- record_senders: the known sender of each staged record, by the strongest evidence. One row per (load_key, record_no).
insert into stage_senders
with evidence as (
    -- 1: the address lies in one of its networks, the narrowest first
    select r.load_key, r.record_no, n.sender, 1 as strength, n.prefix_bits as narrowness
    from stage_records r
    join stage_networks n on r.address >= n.first_address and r.address <= n.last_address
    union all
    -- 2: a DKIM signature verifies for one of its domains, the longest first
    select r.load_key, r.record_no, s.sender, 2, len(s.domain)
    from (select load_key, record_no, unnest(dkim) as found from stage_records) r
    join stage_domains s
        on s.mechanism = 'dkim' and (r.found.domain = s.domain or ends_with(r.found.domain, '.' || s.domain))
    where r.found.result = 'pass'
    union all
    -- 3: SPF passes for one of its domains
    select r.load_key, r.record_no, s.sender, 3, len(s.domain)
    from (select load_key, record_no, unnest(spf) as found from stage_records) r
    join stage_domains s
        on s.mechanism = 'spf' and (r.found.domain = s.domain or ends_with(r.found.domain, '.' || s.domain))
    where r.found.result = 'pass'
    union all
    -- 4: an aligned DKIM pass, where the user takes that as evidence
    select r.load_key, r.record_no, s.sender, 4, len(s.approved)
    from stage_records r
    join stage_reports p using (load_key)
    join (select sender, unnest(approved_for) as approved from senders where aligned_dkim) s
        on p.domain = s.approved or ends_with(p.domain, '.' || s.approved)
    where r.dkim_aligned
)
select load_key, record_no, sender
from evidence
qualify row_number() over (partition by load_key, record_no order by strength, narrowness desc, sender) = 1

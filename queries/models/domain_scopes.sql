-- domain_scopes: domains for which the same senders are approved have the same scope. One row per (domain).
insert into stage_scopes
with approvals as (
    select d.domain, list(distinct s.sender order by s.sender) as approved,
        coalesce(list({'sender': s.sender, 'narrowness': len(s.parent)} order by s.sender, len(s.parent))
            filter (s.aligned_dkim), []) as own
    from (select distinct domain from stage_reports) d
    join (select sender, aligned_dkim, unnest(approved_for) as parent from senders) s
        on d.domain = s.parent or ends_with(d.domain, '.' || s.parent)
    group by d.domain
)
select domain, dense_rank() over (order by approved, own), approved, own
from approvals

-- recognised_otherwise: addresses whose name tells of a sender now that it did not tell of before, or no more, so that a record may go by it. One row per (source_ip).
insert into stage_renamed
select c.source_ip
from (
    select source_ip, b.service as had, a.service as has
    from stage_before b
    full join stage_addresses a using (source_ip)
    where b.service is distinct from a.service
) c
-- Whoever is known to be the sender, or its carrier, by better evidence stays so; what else was evidence before the name
-- went is not known any more.
where exists (
    from records r
    where r.source_ip = c.source_ip
        and (c.had is not null or (r.sender is distinct from c.has and r.carrier is distinct from c.has))
)

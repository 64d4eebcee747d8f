-- newest_reports: those of the newest reports whose id lies between $first and $last, in full. One row per (id).
-- params: $newest BIGINT, $after BIGINT, $first VARCHAR, $last VARCHAR
with newest as (
    select id
    from reports
    order by day desc, id
    limit $newest
)
select reports.*
from reports
semi join newest on newest.id = reports.id
where reports.item_no > $after
    and reports.id between $first and $last
order by reports.id

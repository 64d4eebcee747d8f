-- alert_beginnings: the first two alerts whose id begins with $beginning, and how many there are. One row per (id).
-- params: $beginning VARCHAR
select id, count(*) over () as alerts
from alerts
where starts_with(id, $beginning)
order by id
limit 2

-- touched_days: days of domains with reports of items behind one. One row per (domain, day).
-- params: $item_no BIGINT
select distinct domain, day
from reports
where item_no > $item_no
order by domain, day

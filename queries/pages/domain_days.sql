-- domain_days: every domain with a report, its newest day and the newest item that brought one. One row per (domain).
select domain, max(day) as last_day, max(item_no) as last_item
from reports
group by domain
order by domain

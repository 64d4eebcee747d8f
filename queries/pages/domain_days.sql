-- domain_days: the domains that get a page, with their newest day and the newest item that brought a report; where no domains are configured a stranger can invent any number of them, so the first 10,000 that were reported. One row per (domain).
select domain, max(day) as last_day, max(item_no) as last_item
from reports
group by domain
qualify row_number() over (order by min(item_no), domain) <= 10000
order by domain

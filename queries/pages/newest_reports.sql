-- newest_reports: the reports of $ids, in full. One row per (id).
-- params: $ids VARCHAR[], $since DATE
select * exclude (text_bytes, record_text_bytes)
from reports
where id in (select unnest($ids::varchar[]))
    -- The day narrows the search to a small part of the table.
    and day >= $since
order by id

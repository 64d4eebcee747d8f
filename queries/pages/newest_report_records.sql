-- newest_report_records: the first 1,000 records of each report of $ids. One row per (report, record_no).
-- params: $ids VARCHAR[], $since DATE
select *
from records
where report in (select unnest($ids::varchar[]))
    -- The day narrows the search to a small part of the table.
    and day >= $since
    and record_no <= 1000
order by report, record_no

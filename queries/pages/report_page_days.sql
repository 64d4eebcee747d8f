-- report_page_days: the newest reports, which have a static page, and how many records it shows. One row per (report).
-- params: $newest BIGINT
with newest as (
    select id, day, item_no, record_count
    from reports
    order by day desc, id
    limit $newest
)
select id as report, day, item_no, least(record_count, 1000) as records_shown
from newest
order by report

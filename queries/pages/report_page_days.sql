-- report_page_days: the newest reports, which have a static page, and how much it shows. One row per (report).
-- params: $newest BIGINT
with newest as (
    select id, day, item_no, record_count, text_bytes + coalesce(list_sum(record_text_bytes), 0)::bigint as text_bytes
    from reports
    order by day desc, id
    limit $newest
)
select id as report, day, item_no, least(record_count, 1000) as records_shown, text_bytes
from newest
order by report

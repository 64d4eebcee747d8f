-- newest_report_records: the first 1,000 records of each report of newest_reports. One row per (report, record_no).
-- params: $newest BIGINT, $after BIGINT, $first VARCHAR, $last VARCHAR, $since DATE
with newest as (
    select id
    from (select id, item_no from reports order by day desc, id limit $newest)
    where item_no > $after
        and id between $first and $last
)
select records.*
from records
semi join newest on newest.id = records.report
-- The day narrows the search to a small part of the table.
where records.day >= $since
    and records.record_no <= 1000
order by records.report, records.record_no

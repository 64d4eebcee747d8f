-- renamed_reports: the reports that renamed addresses stand in, as if they were staged. One row per (load_key).
insert into stage_reports
select row_number() over (order by id), id, day, domain, begin_utc, end_utc, p, sp, pct, testing
from reports
where id in (select report from records semi join stage_renamed using (source_ip))

-- reclassified: records whose sender, carrier or category is another now. One row per (report, record_no).
insert into stage_reclassified
select r.report, r.record_no, r.domain, c.sender, c.carrier, c.category, r.sender, r.category, c.load_key
from stage_classified c
join stage_reports p using (load_key)
join records r on r.report = p.report and r.record_no = c.record_no
where (r.sender, r.carrier, r.category) is distinct from (c.sender::varchar, c.carrier::varchar, c.category::varchar)

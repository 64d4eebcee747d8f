-- new_records: staged records with their classification, into table records. One row per (report, record_no).
insert into records
select p.report, c.record_no, p.day, p.domain, r.source_ip, r.messages, r.disposition, r.dkim_aligned, r.spf_aligned,
    c.dmarc_pass, r.header_from, r.envelope_from, r.envelope_to, r.reasons, r.dkim, r.spf, c.sender, c.carrier, c.category,
    c.fail_cause
from stage_records r
join stage_classified c using (load_key, record_no)
join stage_reports p using (load_key)

-- reclassified_parts: what sums lose and gain by it: the messages as they were counted, less than nothing, and as they count now. One row per (load_key, record_no, messages).
insert into stage_classified
with changed as (
    select load_key, record_no, n.sender, n.category, n.had_sender, n.had_category, s.address_key, r.messages,
        r.disposition, r.dkim_aligned, r.spf_aligned, r.dmarc_pass, r.fail_cause
    from stage_reclassified n
    join stage_records s using (load_key, record_no)
    join records r using (report, record_no)
)
select load_key, record_no, address_key, messages, disposition, dkim_aligned, spf_aligned, dmarc_pass, sender, null,
    category, fail_cause, false
from changed
union all
select load_key, record_no, address_key, -messages, disposition, dkim_aligned, spf_aligned, dmarc_pass, had_sender, null,
    had_category, fail_cause, false
from changed

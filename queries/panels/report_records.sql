-- report_records: the records of one report, the first 1,000. One row per (record_no).
-- params: $report VARCHAR
-- panel: page=report title="Records" chart=table x=source_ip y=messages order=30
-- panel: page=api/report title="Records" chart=table order=20
select
    record_no,
    source_ip,
    sender,
    carrier,
    messages,
    category,
    fail_cause,
    disposition,
    dkim_aligned,
    spf_aligned,
    dmarc_pass,
    header_from,
    envelope_from,
    envelope_to,
    reasons,
    dkim,
    spf
from records
-- The day narrows the search to a small part of the table.
where day = (select max(day) from reports where id = $report)
    and report = $report
order by record_no
limit 1000

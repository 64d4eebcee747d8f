-- report_head: what one report says but its records, and the mail or file that brought it. One row per (report).
-- params: $report VARCHAR
-- panel: page=report title="This report" chart=figures columns=domain,org_domain,begin_utc,end_utc,record_count,messages,failing,dmarc_pass_rate_percent order=10
-- panel: page=report title="Head" chart=table order=20
-- panel: page=api/report title="Report" chart=table order=10
select
    id as report,
    org_name,
    org_domain,
    org_email,
    extra_contact,
    report_id,
    begin_utc,
    end_utc,
    day,
    domain,
    p,
    sp,
    np,
    adkim,
    aspf,
    pct,
    fo,
    testing,
    discovery_method,
    generator,
    schema,
    errors,
    oddities,
    record_count,
    messages,
    passed,
    messages - passed as failing,
    round(100.0 * passed / nullif(messages, 0), 1) as dmarc_pass_rate_percent,
    item_no,
    inbox,
    folder,
    message_id,
    mail_from,
    file_name,
    sha256
from reports
where id = $report
order by report

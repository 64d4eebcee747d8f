-- report_head: what the head of one report says, and the mail or file that brought it. One row per (report).
-- params: $report VARCHAR
-- panel: page=report title="Head" chart=table order=20
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

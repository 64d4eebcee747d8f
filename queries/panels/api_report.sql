-- api_report: the head of one report. One row per (report).
-- params: $report VARCHAR
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
    record_count,
    messages,
    passed,
    messages - passed as failing,
    round(100.0 * passed / nullif(messages, 0), 1) as dmarc_pass_rate_percent,
    oddities,
    sha256
from reports
where id = $report
order by report

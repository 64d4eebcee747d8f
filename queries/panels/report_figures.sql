-- report_figures: one report in figures. One row per (report).
-- params: $report VARCHAR
-- panel: page=report title="This report" chart=figures order=10
select
    id as report,
    domain,
    org_domain as reporter,
    begin_utc,
    end_utc,
    record_count as records,
    messages,
    messages - passed as failing,
    round(100.0 * passed / nullif(messages, 0), 1) as pass_rate_percent
from reports
where id = $report
order by report

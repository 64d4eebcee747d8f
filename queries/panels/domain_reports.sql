-- domain_reports: the newest 50 reports on a domain. One row per (report).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Newest reports" chart=table x=report y=messages order=110
select
    id as report,
    day,
    org_domain as reporter,
    org_name,
    record_count as records,
    messages,
    messages - passed as failing,
    round(100.0 * passed / nullif(messages, 0), 1) as pass_rate_percent
from reports
where domain = $domain
    and day < $as_of
order by day desc, end_utc desc, report
limit 50

-- domain_reports: the newest reports on a domain. One row per (domain, report).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Newest reports" chart=table columns=report,day,reporter,org_name,records,messages,failing,pass_rate_percent rows=50 order=110
-- panel: page=api/domain_reports title="Reports" chart=table order=10
select
    domain,
    id as report,
    day,
    org_domain as reporter,
    org_name,
    report_id,
    begin_utc,
    end_utc,
    record_count as records,
    messages,
    messages - passed as failing,
    round(100.0 * passed / nullif(messages, 0), 1) as pass_rate_percent
from reports
where domain in (select unnest($domains::varchar[]))
    and day < $as_of
qualify row_number() over (partition by domain order by day desc, end_utc desc, id) <= 1000
order by domain, day desc, end_utc desc, report

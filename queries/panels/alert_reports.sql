-- alert_reports: the newest reports of the reporter that an alert is about. One row per (alert, report).
-- params: $alerts VARCHAR[]
-- panel: page=alert title="Its reports" chart=table columns=day,report,messages,passed,records order=40
with asked as (
    select id as alert, domain, subject, first_day - 30 as since, last_day + 7 as until
    from alerts
    where id in (select unnest($alerts::varchar[]))
        and rule in ('reporter_missing', 'reporter_first_seen')
)
select
    alert,
    reports.day,
    reports.id as report,
    reports.messages,
    reports.passed,
    reports.record_count as records
from asked
join reports on reports.domain = asked.domain and reports.org_domain = asked.subject
where reports.day between since and until
qualify row_number() over (partition by alert order by reports.day desc, reports.id) <= 50
order by alert, day desc, report

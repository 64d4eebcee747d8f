-- api_homepage: the state of everything over the last 30 days as flat scalars. One row.
-- params: $as_of DATE
-- panel: page=api/homepage title="All domains" chart=figures order=10
with volume as (
    select coalesce(sum(messages), 0) as messages, coalesce(sum(passed), 0) as passed
    from daily
    where day >= $as_of - 30
        and day < $as_of
),
strangers as (
    select count(distinct source_ip) as unknown_sources
    from records
    where day >= $as_of - 30
        and day < $as_of
        and category in ('unknown', 'threat')
),
told as (
    select count(*) filter (day >= $as_of - 30) as reports, max(least(end_utc, $as_of)) as last_report_at
    from reports
    where day < $as_of
),
open_alerts as (
    select
        count(*) filter (severity = 'critical') as critical_alerts,
        count(*) filter (severity = 'warning') as warnings
    from alerts
    where status = 'open'
)
select
    case when critical_alerts > 0 then 'critical' when warnings > 0 then 'warning' else 'ok' end as status,
    round(100.0 * passed / nullif(messages, 0), 1) as dmarc_pass_rate_percent,
    critical_alerts,
    warnings,
    messages,
    messages - passed as failing,
    unknown_sources,
    reports,
    last_report_at
from volume, strangers, told, open_alerts

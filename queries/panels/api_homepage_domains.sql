-- api_homepage_domains: the state of each domain over the last 30 days as flat scalars. One row per (domain).
-- params: $as_of DATE
-- panel: page=api/homepage title="Each domain" chart=table order=20
with volume as (
    select domain, sum(messages) as messages, sum(passed) as passed
    from daily
    where day >= $as_of - 30
        and day < $as_of
    group by domain
),
strangers as (
    select domain, count(distinct source_ip) as unknown_sources
    from records
    where day >= $as_of - 30
        and day < $as_of
        and category in ('unknown', 'threat')
    group by domain
),
told as (
    select domain, count(*) filter (day >= $as_of - 30) as reports, max(least(end_utc, $as_of)) as last_report_at
    from reports
    where day < $as_of
    group by domain
),
open_alerts as (
    select
        domain,
        count(*) filter (severity = 'critical') as critical_alerts,
        count(*) filter (severity = 'warning') as warnings
    from alerts
    where status = 'open'
    group by domain
)
select
    told.domain,
    case when coalesce(critical_alerts, 0) > 0 then 'critical' when coalesce(warnings, 0) > 0 then 'warning' else 'ok' end as status,
    round(100.0 * volume.passed / nullif(volume.messages, 0), 1) as dmarc_pass_rate_percent,
    coalesce(critical_alerts, 0) as critical_alerts,
    coalesce(warnings, 0) as warnings,
    coalesce(volume.messages, 0) as messages,
    coalesce(volume.messages - volume.passed, 0) as failing,
    coalesce(unknown_sources, 0) as unknown_sources,
    told.reports,
    told.last_report_at
from told
left join volume using (domain)
left join strangers using (domain)
left join open_alerts using (domain)
order by domain
limit 5000

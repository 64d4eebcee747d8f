-- api_domains: each domain with its last 30 days and its last report. One row per (domain).
-- params: $as_of DATE
-- panel: page=api/domains title="Domains" chart=table order=10
with volume as (
    select domain, sum(messages) as messages, sum(passed) as passed, sum(unknown) + sum(threat) as unknown_messages
    from daily
    where day >= $as_of - 30
        and day < $as_of
    group by domain
),
told as (
    select domain, count(*) filter (day >= $as_of - 30) as reports, max(day) as last_report_day
    from reports
    where day < $as_of
    group by domain
)
select
    told.domain,
    coalesce(volume.messages, 0) as messages,
    coalesce(volume.passed, 0) as passed,
    coalesce(volume.messages - volume.passed, 0) as failing,
    coalesce(volume.unknown_messages, 0) as unknown_messages,
    round(100.0 * volume.passed / nullif(volume.messages, 0), 1) as dmarc_pass_rate_percent,
    told.reports,
    told.last_report_day
from told
left join volume using (domain)
order by domain
limit 5000

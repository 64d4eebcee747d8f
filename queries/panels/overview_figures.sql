-- overview_figures: the last 30 days of all domains in figures. One row.
-- params: $as_of DATE
-- panel: page=overview title="Last 30 days" chart=figures order=10
with volume as (
    select
        coalesce(sum(messages), 0) as messages,
        coalesce(sum(passed), 0) as passed,
        coalesce(sum(unknown) + sum(threat), 0) as unknown_messages,
        coalesce(sum(misconfigured) + sum(known_unapproved) + sum(forwarded_fail), 0) as at_risk_messages,
        count(distinct domain) as domains
    from daily
    where day >= $as_of - 30
        and day < $as_of
),
told as (
    select count(*) as reports, count(distinct org_domain) as reporters
    from reports
    where day >= $as_of - 30
        and day < $as_of
)
select
    volume.messages,
    round(100.0 * volume.passed / nullif(volume.messages, 0), 1) as pass_rate_percent,
    volume.messages - volume.passed as failing,
    round(100.0 * volume.passed / nullif(volume.messages - volume.unknown_messages, 0), 1) as legit_pass_rate_percent,
    volume.unknown_messages,
    volume.at_risk_messages,
    volume.domains,
    told.reports,
    told.reporters
from volume, told

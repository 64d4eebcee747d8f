-- domain_figures: the last 30 days of a domain in figures. One row.
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Last 30 days" chart=figures order=10
with volume as (
    select
        coalesce(sum(messages), 0) as messages,
        coalesce(sum(passed), 0) as passed,
        coalesce(sum(unknown) + sum(threat), 0) as unknown_messages,
        coalesce(sum(dkim_aligned), 0) as dkim_aligned,
        coalesce(sum(spf_aligned), 0) as spf_aligned,
        coalesce(sum(both_aligned), 0) as both_aligned
    from daily
    where domain = $domain
        and day >= $as_of - 30
        and day < $as_of
),
told as (
    select count(*) as reports, count(distinct org_domain) as reporters
    from reports
    where domain = $domain
        and day >= $as_of - 30
        and day < $as_of
)
select
    volume.messages,
    round(100.0 * volume.passed / nullif(volume.messages, 0), 1) as pass_rate_percent,
    volume.messages - volume.passed as failing,
    round(100.0 * volume.passed / nullif(volume.messages - volume.unknown_messages, 0), 1) as legit_pass_rate_percent,
    volume.unknown_messages,
    round(100.0 * volume.dkim_aligned / nullif(volume.messages, 0), 1) as dkim_aligned_percent,
    round(100.0 * volume.spf_aligned / nullif(volume.messages, 0), 1) as spf_aligned_percent,
    round(100.0 * volume.both_aligned / nullif(volume.messages, 0), 1) as both_aligned_percent,
    told.reports,
    told.reporters
from volume, told

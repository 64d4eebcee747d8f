-- domain_figures: the last 30 days of domains in counts and shares. One row per (domain).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Last 30 days" chart=figures columns=messages,dmarc_pass_rate_percent,failing,legit_pass_rate_percent,unknown_messages,at_risk_messages,overridden,dkim_aligned_percent,spf_aligned_percent,both_aligned_percent,reports,reporters order=10
-- panel: page=api/domain_summary title="Summary" chart=figures order=10
with asked as (
    select distinct unnest($domains::varchar[]) as domain
),
volume as (
    -- every count, under its own name
    select domain, coalesce(sum(columns(* exclude (domain, day))), 0) as '\0'
    from asked
    left join (from daily where day >= $as_of - 30 and day < $as_of) using (domain)
    group by domain
),
told as (
    select
        domain,
        count(*) filter (day >= $as_of - 30) as reports,
        count(distinct org_domain) filter (day >= $as_of - 30) as reporters,
        max(end_utc) as last_report_at
    from reports
    where domain in (from asked)
        and day < $as_of
    group by domain
)
select
    volume.*,
    messages - passed as failing,
    unknown + threat as unknown_messages,
    misconfigured + known_unapproved + forwarded_fail as at_risk_messages,
    round(100.0 * passed / nullif(messages, 0), 1) as dmarc_pass_rate_percent,
    round(100.0 * passed / nullif(messages - unknown - threat, 0), 1) as legit_pass_rate_percent,
    round(100.0 * dkim_aligned / nullif(messages, 0), 1) as dkim_aligned_percent,
    round(100.0 * spf_aligned / nullif(messages, 0), 1) as spf_aligned_percent,
    round(100.0 * both_aligned / nullif(messages, 0), 1) as both_aligned_percent,
    coalesce(told.reports, 0) as reports,
    coalesce(told.reporters, 0) as reporters,
    told.last_report_at
from volume
left join told using (domain)
order by domain

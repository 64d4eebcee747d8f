-- summary_totals: the $days days before $as_of in counts; $domain is empty for all. One row.
-- params: $as_of DATE, $days BIGINT, $domain VARCHAR
with sent as (
    select
        count(distinct domain) as domains,
        count(distinct source_ip) as sources,
        coalesce(sum(messages), 0) as messages,
        coalesce(sum(messages) filter (dmarc_pass), 0) as passed
    from records
    where day >= $as_of - $days::integer
        and day < $as_of
        and ($domain = '' or domain = $domain)
),
told as (
    select count(*) as reports, count(distinct org_domain) as reporters
    from reports
    where day >= $as_of - $days::integer
        and day < $as_of
        and ($domain = '' or domain = $domain)
)
select
    $as_of - $days::integer as first_day,
    $as_of - 1 as last_day,
    messages,
    passed,
    messages - passed as failing,
    round(100.0 * passed / nullif(messages, 0), 1) as pass_rate_percent,
    domains,
    sources,
    reports,
    reporters
from sent, told

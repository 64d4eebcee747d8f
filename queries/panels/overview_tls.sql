-- overview_tls: SMTP TLS sessions of the last 30 days by domain and kind of policy. One row per (domain, policy_type).
-- params: $as_of DATE
-- panel: page=overview title="TLS of mail connections" chart=table order=70
select
    domain,
    coalesce(policy_type, 'unknown') as policy_type,
    count(distinct report) as reports,
    sum(successful_sessions) as successful_sessions,
    sum(failed_sessions) as failed_sessions,
    round(100.0 * sum(successful_sessions) / nullif(sum(successful_sessions) + sum(failed_sessions), 0), 1)
        as success_percent
from tls_policies
where day >= $as_of - 30
    and day < $as_of
group by all
order by failed_sessions desc, domain, policy_type
limit 1000

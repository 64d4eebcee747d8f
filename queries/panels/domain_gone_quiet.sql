-- domain_gone_quiet: reporters with at least 5 % of a domain's messages on at least 10 of the 30 days before the last 7, and no report in those 7. One row per (domain, reporter).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Reporters gone quiet" chart=table order=15
with before as (
    select
        domain,
        org_domain as reporter,
        sum(messages) as messages,
        count(distinct day) as active_days,
        max(day) as last_day
    from reports
    where domain = $domain
        and day >= $as_of - 37
        and day < $as_of - 7
    group by domain, org_domain
),
shares as (
    select *, sum(messages) over (partition by domain) as domain_messages
    from before
),
-- An empty report proves a reporter alive, so reports count here, not messages.
heard as (
    select distinct domain, org_domain as reporter
    from reports
    where domain = $domain
        and day >= $as_of - 7
        and day < $as_of
)
select
    domain,
    reporter,
    last_day,
    active_days,
    messages,
    round(100.0 * messages / nullif(domain_messages, 0), 1) as share_percent
from shares
anti join heard using (domain, reporter)
where active_days >= 10
    and messages > 0
    and messages * 100 >= domain_messages * 5
order by domain_messages desc, domain, messages desc, reporter
limit 200

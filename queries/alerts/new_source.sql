-- new_source: senders that are known, and addresses that pass without one, on the first day on which a domain's mail came from them; what was forwarded and what strangers forge does not count. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_messages BIGINT, $young_days BIGINT
-- rule: title="{sender} sends for {domain}, for the first time" severity=info look_back=days..
-- default: days=7 min_messages=10 young_days=14
with told as not materialized (
    -- read twice: few begin
    select domain, coalesce(sender, source_ip) as subject, sender, day, messages, fail_cause
    from records
    where domain in (select unnest($domains::varchar[]))
        and category in ('compliant', 'misconfigured', 'known_unapproved')
        and subject is not null
),
begun as (
    select domain, subject, max(sender) as sender, min(day) as day from told group by domain, subject
),
domains as (
    -- a day of a report that is gone counts too
    select domain, min(day) as first_day
    from (
        select domain, day from reports where domain in (select unnest($domains::varchar[]))
        union all
        select domain, first_day from first_seen where domain in (select unnest($domains::varchar[]))
    )
    group by domain
),
approvals as (
    select sender, unnest(approved_for) as domain from senders
),
first_days as (
    select begun.*, exists (
        select 1 from approvals
        where approvals.sender = begun.sender
            and (begun.domain = approvals.domain or ends_with(begun.domain, '.' || approvals.domain))
    ) as is_approved
    from begun
    join domains using (domain)
    left join first_seen
        on first_seen.kind in ('source', 'sender') and first_seen.domain = begun.domain
        and first_seen.subject = begun.subject
    where begun.day >= domains.first_day + $young_days::integer
        and coalesce(first_seen.first_day, begun.day) >= begun.day
        and begun.day >= $since
        and begun.day < $until
)
select first_days.domain, first_days.subject, first_days.day,
    sum(told.messages) as messages,
    coalesce(sum(told.messages) filter (told.fail_cause is not null), 0) as failing, first_days.is_approved,
    case when first_days.sender is null or first_days.is_approved then 'info' else 'warning' end as severity
from first_days
join told on told.domain = first_days.domain and told.subject = first_days.subject
    and told.day >= first_days.day and told.day < first_days.day + $days::integer
group by first_days.domain, first_days.subject, first_days.day, first_days.sender, first_days.is_approved
having sum(told.messages) >= $min_messages
order by first_days.domain, first_days.subject, first_days.day

-- policy_applied: days on which receivers quarantined or rejected mail of a sender that is known, its own or a service that is not approved; strangers only where they are asked for. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_messages BIGINT, $strangers BOOLEAN
-- rule: title="Mail of {sender} for {domain} was quarantined or rejected: {messages}" severity=warning look_back=days sums=quarantined,rejected
-- default: days=7 min_messages=1 strangers=false
with told as (
    select
        domain,
        coalesce(sender, source_ip, 'no usable address') as subject,
        day,
        sum(messages) as messages,
        coalesce(sum(messages) filter (disposition = 'quarantine'), 0) as quarantined,
        coalesce(sum(messages) filter (disposition = 'reject'), 0) as rejected,
        min(category) as category
    from records
    where domain in (select unnest($domains::varchar[]))
        and day > $since - $days::integer
        and day < $until + $days::integer - 1
        and disposition in ('quarantine', 'reject')
        and (category in ('misconfigured', 'known_unapproved') or ($strangers and category in ('unknown', 'threat')))
    group by all
),
windows as (
    select *, sum(messages) over (
        partition by domain, subject order by day - date '2000-01-01'
        range between $days::integer - 1 preceding and current row
    ) as until_day
    from told
),
largest as (
    select *, max(until_day) over (
        partition by domain, subject order by day - date '2000-01-01'
        range between current row and $days::integer - 1 following
    ) as in_window
    from windows
)
select
    domain,
    subject,
    day,
    messages,
    quarantined,
    rejected,
    category,
    case when category = 'misconfigured' then 'warning' else 'info' end as severity
from largest
where in_window >= $min_messages
    and day >= $since
    and day < $until
order by domain, subject, day

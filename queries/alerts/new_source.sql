-- new_source: senders that are known, and addresses that pass without one, on the first day from which a domain had many messages of them; what was forwarded and what strangers forge does not count. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_messages BIGINT, $young_days BIGINT
-- rule: title="{sender} is new: it sent {messages} messages for {domain}" severity=info look_back=days..
-- default: days=7 min_messages=10 young_days=14
with told as not materialized (
    select domain, coalesce(sender, source_ip) as subject, sender, day, messages, fail_cause from records
    where category in ('compliant', 'misconfigured', 'known_unapproved') and subject is not null
),
domains as (
    select domain, greatest(min(day) + $young_days::integer, $since) as from_day
    from (
        select domain, day from reports where domain in (select unnest($domains::varchar[]))
        union all -- of reports that are gone
        select domain, first_day from first_seen where domain in (select unnest($domains::varchar[]))
    )
    group by domain
),
early as (
    -- what had many before the days that count is not new in them
    select distinct domain, subject
    from (
        select domain, subject from told join domains using (domain) where day < from_day
        group by domain, subject, (day - date '2000-01-01') // $days
        having sum(messages) >= $min_messages
    )
),
candidates as (
    select domain, subject
    from (
        select domain, sender as subject, last_day from domain_senders
        where compliant::hugeint + misconfigured + known_unapproved >= $min_messages
        union all
        select domain, source_ip, last_day from sources where compliant >= $min_messages
    )
    join domains using (domain) anti join early using (domain, subject)
    where last_day >= from_day
),
windows as (
    select domain, subject, max(sender) as sender, day, min(day) over (partition by domain, subject) as first_day,
        sum(sum(messages)) over this_window as messages,
        coalesce(sum(sum(messages) filter (fail_cause is not null)) over this_window, 0) as failing
    from told semi join candidates using (domain, subject) group by domain, subject, day
    window this_window as (partition by domain, subject order by day - date '2000-01-01'
        range between current row and $days::integer - 1 following)
),
begun as (
    select * from windows where windows.messages >= $min_messages
    qualify row_number() over (partition by domain, subject order by day) = 1
)
select domain, subject, day, begun.messages, failing, least(begun.first_day, gone_day) as first_seen_day,
    coalesce(list_bool_or([domain = own or ends_with(domain, '.' || own) for own in approved_for]), false) as is_approved,
    case when begun.sender is null or is_approved then 'info' else 'warning' end as severity
from begun join domains using (domain)
left join senders on senders.sender = begun.sender
left join (select domain, subject, first_day as gone_day from first_seen where kind in ('source', 'sender'))
    using (domain, subject)
-- what had many in reports that are gone
anti join (select domain, subject from first_seen where kind = 'loud') using (domain, subject)
where day >= from_day and day < $until
order by domain, subject, day

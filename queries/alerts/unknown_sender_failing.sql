-- unknown_sender_failing: days with failing mail of a source that is no known sender of the domain, or of a service that is not approved for it, within a window that has many such messages. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_messages BIGINT, $critical_messages BIGINT
-- rule: title="{sender} sent {messages} failing messages in the name of {domain}" severity=warning look_back=days sums=quarantined,rejected
-- default: days=7 min_messages=20 critical_messages=1000
with failing as (
    select domain, if(category = 'known_unapproved', sender, coalesce(source_ip, 'no usable address')) as subject,
        day, messages, category, fail_cause, disposition
    from records
    where day > $since - $days::integer and day < $until + $days::integer - 1
        and category in ('known_unapproved', 'unknown', 'threat')
),
loud as (
    -- what was quiet over all time was so in every window
    select domain, subject
    from (
        select domain, source_ip as subject from sources where unknown::hugeint + threat >= $min_messages
        union all
        select domain, sender from domain_senders where known_unapproved >= $min_messages
    )
    where domain in (select unnest($domains::varchar[]))
    union all
    select unnest($domains::varchar[]), 'no usable address'
),
parts as (
    select domain, subject, day, category, fail_cause, sum(messages) as messages,
        coalesce(sum(messages) filter (disposition = 'quarantine'), 0) as quarantined,
        coalesce(sum(messages) filter (disposition = 'reject'), 0) as rejected
    from failing semi join loud using (domain, subject)
    group by all
),
told as (
    select domain, subject, day, sum(messages) as messages, sum(quarantined) as quarantined, sum(rejected) as rejected,
        -- those of most messages, the first by name
        min({'fewer': -messages, 'name': category}).name as category,
        min({'fewer': -messages, 'name': fail_cause}).name as fail_cause
    from parts group by domain, subject, day
),
windows as (
    select *, sum(messages) over (
        partition by domain, subject order by day - date '2000-01-01'
        range between $days::integer - 1 preceding and current row
    ) as until_day
    from told
),
largest as (
    -- a day is evidence where any window that holds it, and ends on a day with mail, is over the threshold
    select *, max(until_day) over (
        partition by domain, subject order by day - date '2000-01-01'
        range between current row and $days::integer - 1 following
    ) as in_window
    from windows
)
select domain, subject, day, messages, quarantined, rejected, category, fail_cause, in_window as messages_in_window,
    if(in_window >= $critical_messages, 'critical', 'warning') as severity
from largest
where in_window >= $min_messages and day >= $since and day < $until
order by domain, subject, day

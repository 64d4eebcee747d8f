-- known_sender_failing: days with failing mail of one of the domain's own senders, within a window in which too little of its mail passes; what was forwarded is left out. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_messages BIGINT, $min_percent BIGINT, $critical_percent BIGINT
-- rule: title="{messages} messages of {sender} failed DMARC for {domain}" severity=warning look_back=days sums=passed,quarantined,rejected
-- default: days=7 min_messages=20 min_percent=95 critical_percent=50
with own as not materialized (
    select domain, sender as subject, day, category, fail_cause, disposition, messages
    from records
    where domain in (select unnest($domains::varchar[]))
        and day > $since - $days::integer and day < $until + $days::integer - 1
        and sender is not null and category in ('compliant', 'misconfigured')
),
parts as (
    -- of most of them nothing fails
    select domain, subject, day, fail_cause, sum(messages) as messages,
        sum(messages) filter (disposition = 'quarantine') as quarantined,
        sum(messages) filter (disposition = 'reject') as rejected
    from own
    semi join (select distinct domain, subject from own where category = 'misconfigured') using (domain, subject)
    group by all
),
told as (
    select domain, subject, day, sum(messages) as all_messages,
        coalesce(sum(messages) filter (fail_cause is not null), 0) as failing,
        coalesce(sum(quarantined) filter (fail_cause is not null), 0) as quarantined,
        coalesce(sum(rejected) filter (fail_cause is not null), 0) as rejected,
        -- that of most messages, the first by name
        (min({'fewer': -messages, 'name': fail_cause}) filter (fail_cause is not null)).name as fail_cause
    from parts
    group by domain, subject, day
),
windows as (
    select *, sum(all_messages) over this_window as in_window, sum(failing) over this_window as failing_in_window
    from told
    window this_window as (partition by domain, subject order by day - date '2000-01-01'
        range between $days::integer - 1 preceding and current row)
),
graded as (
    select *, case
        when in_window < $min_messages or failing_in_window * 100 <= (100 - $min_percent) * in_window then null
        else {
            'grade': if(failing_in_window * 100 > (100 - $critical_percent) * in_window, 2, 1),
            'failing_parts': failing_in_window * 1000 // in_window
        }
    end as judged
    from windows
),
worst as (
    -- a day is evidence where any window that holds it, and ends on a day with mail, is below the threshold
    select *, max(judged) over (
        partition by domain, subject order by day - date '2000-01-01'
        range between current row and $days::integer - 1 following
    ) as worst
    from graded
)
select domain, subject, day, failing as messages, all_messages - failing as passed, quarantined, rejected, fail_cause,
    (1000 - worst.failing_parts) / 10 as pass_rate_percent,
    case worst.grade when 2 then 'critical' else 'warning' end as severity
from worst
where worst is not null and failing > 0 and day >= $since and day < $until
order by domain, subject, day

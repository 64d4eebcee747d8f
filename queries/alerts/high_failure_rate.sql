-- high_failure_rate: days with failing mail of a domain within a window in which much of its mail fails, whoever sent it; what was forwarded is left out. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_messages BIGINT, $max_percent BIGINT, $critical_percent BIGINT
-- rule: title="{messages} messages in the name of {domain} failed DMARC" severity=warning look_back=days sums=all_messages,strangers
-- default: days=7 min_messages=100 max_percent=30 critical_percent=60
-- advice: See who sends the failing mail on the page of the domain: each sender that is yours has to be set up, the others are for the policy to stop.
with told as (
    select
        domain,
        day,
        messages - forwarded_pass - forwarded_fail as all_messages,
        misconfigured + known_unapproved + unknown + threat as failing,
        unknown + threat as strangers
    from daily
    where domain in (select unnest($domains::varchar[]))
        and day > $since - $days::integer
        and day < $until + $days::integer - 1
),
windows as (
    select *, sum(all_messages) over this_window as in_window, sum(failing) over this_window as failing_in_window
    from told
    window this_window as (
        partition by domain order by day - date '2000-01-01'
        range between $days::integer - 1 preceding and current row
    )
),
graded as (
    select *, case
        when in_window < $min_messages or failing_in_window * 100 <= $max_percent * in_window then null
        else {
            'grade': if(failing_in_window * 100 > $critical_percent * in_window, 2, 1),
            'failing_parts': failing_in_window * 1000 // in_window
        }
    end as judged
    from windows
),
worst as (
    select *, max(judged) over (
        partition by domain order by day - date '2000-01-01'
        range between current row and $days::integer - 1 following
    ) as worst
    from graded
)
select
    domain,
    domain as subject,
    day,
    failing as messages,
    all_messages,
    strangers,
    worst.failing_parts / 10 as failing_percent,
    case worst.grade when 2 then 'critical' else 'warning' end as severity
from worst
where worst is not null
    and failing > 0
    and day >= $since
    and day < $until
order by domain, subject, day

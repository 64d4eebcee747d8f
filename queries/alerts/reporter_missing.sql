-- reporter_missing: the day on which a reporter with a large share of a domain's mail was overdue, by what was learned of how often it reports, and every fourth week of a season that it is still missing. One row per (domain, subject, day).
-- params: $as_of DATE, $domains VARCHAR[], $since DATE, $until DATE, $quiet_days BIGINT, $min_days BIGINT, $min_percent BIGINT, $late_days BIGINT
-- rule: title="{subject} does not report on {domain} any more" severity=warning look_back=90..
-- default: quiet_days=7 min_days=10 min_percent=5 late_days=2
-- advice: Ask yourself what the numbers say without it: mail to its users goes on, and nobody tells how it fares. Do not make the policy stricter on the word of the others alone.
-- advice: Look whether its reports end elsewhere: the address in rua of the DMARC record, a full mailbox, a filter, refused mails under /intake.
with told as (
    -- an empty report proves a reporter alive
    select domain, org_domain, day, sum(messages) as messages, day - date '2000-01-01' as day_no
    from reports
    where domain in (select unnest($domains::varchar[]))
        -- what makes one overdue lies two seasons back, or one behind the days without a report, and it may be so for one
        and day > $since - 266 - greatest($quiet_days, 178)::integer and day <= $as_of
    group by domain, org_domain, day
),
domains as (
    select domain, day, sum(sum(messages)) over (
        partition by domain order by day - date '2000-01-01' range between 29 preceding and current row
    ) as domain_messages
    from told
    group by domain, day
),
gaps as (
    -- what lies further back than a season teaches nothing
    select *, nullif(least(day - lag(day) over reporter, 90), 90) as gap_days, lead(day) over reporter as next_day
    from told
    -- most report too seldom to be missed
    semi join (select domain, org_domain from told group by all having count(*) >= $min_days) using (domain, org_domain)
    window reporter as (partition by domain, org_domain order by day)
),
learned as (
    select *, count(*) over season as active_days,
        coalesce(max(gap_days) over (
            partition by domain, org_domain order by day_no range between 88 preceding and current row
        ), 1) as longest_gap_days,
        sum(messages) over (
            partition by domain, org_domain order by day_no range between 29 preceding and current row
        ) as messages_before
    from gaps
    window season as (partition by domain, org_domain order by day_no range between 89 preceding and current row)
),
overdue as (
    select *, day as last_report_day, day + greatest($quiet_days, 2 * longest_gap_days)::integer as overdue_day
    from learned join domains using (domain, day)
    where active_days >= $min_days and messages_before > 0 and messages_before * 100 >= domain_messages * $min_percent
),
missing as (
    select * replace (unnest(range(
        overdue_day, least(next_day, overdue_day + 85, $as_of - $late_days::integer + 1), interval 28 days
    ))::date as day)
    from overdue
)
select domain, org_domain as subject, day, if(day = overdue_day, messages_before, 0) as messages, last_report_day,
    active_days, longest_gap_days, (messages_before * 1000 // domain_messages) / 10 as share_percent,
    if(next_day <= day + 28, next_day, null) as ended_day
from missing
where day >= $since and day < $until
order by domain, subject, day

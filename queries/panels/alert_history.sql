-- alert_history: messages of what an alert is about, by day, from 30 days before its first evidence to 7 days after the last. One row per (alert, day).
-- params: $alerts VARCHAR[]
-- panel: page=alert title="Mail before, while and after" chart=stacked x=day y=passed,failed order=20
with asked as (
    -- a domain may report on itself: what a rule about reporters is about is no mail of the domain as a whole
    select id as alert, domain, subject, starts_with(rule, 'reporter_') as is_reporter, first_day - 30 as since,
        last_day + 7 as until
    from alerts
    where id in (select unnest($alerts::varchar[]))
),
concerned as (
    select alert, day, messages, dmarc_pass
    from asked
    join records on records.domain = asked.domain
        and records.source_ip is not distinct from nullif(asked.subject, 'no usable address')
    where day between since and until
    union all
    select alert, day, messages, dmarc_pass
    from asked
    join records on records.domain = asked.domain and records.sender = asked.subject
    where day between since and until
    union all
    select alert, day, messages, dmarc_pass
    from asked
    join records on records.domain = asked.domain and asked.subject = asked.domain
    where day between since and until and not is_reporter
    union all
    select alert, day, messages - passed, false
    from asked
    join reports on reports.domain = asked.domain and reports.org_domain = asked.subject
    where day between since and until and (is_reporter or asked.subject <> asked.domain)
    union all
    select alert, day, passed, true
    from asked
    join reports on reports.domain = asked.domain and reports.org_domain = asked.subject
    where day between since and until and (is_reporter or asked.subject <> asked.domain)
)
select
    alert,
    day,
    coalesce(sum(messages) filter (dmarc_pass), 0) as passed,
    coalesce(sum(messages) filter (not dmarc_pass), 0) as failed
from concerned
group by alert, day
order by alert, day

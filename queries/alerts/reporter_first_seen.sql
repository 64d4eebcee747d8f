-- reporter_first_seen: the day on which a reporter reported on a domain for the first time. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_messages BIGINT, $young_days BIGINT
-- rule: title="{subject} reports on {domain}, for the first time" severity=info look_back=days..
-- default: days=7 min_messages=1 young_days=14
-- advice: There is nothing to do. More of your mail is accounted for from now on.
with told as (
    select domain, org_domain as subject, day, sum(messages) as messages
    from reports
    where domain in (select unnest($domains::varchar[]))
    group by domain, org_domain, day
),
begun as (
    select domain, subject, min(day) as day
    from told
    group by domain, subject
),
domains as (
    -- a day of a report that is gone counts too
    select domain, min(day) as first_day
    from (
        select domain, day from told
        union all
        select domain, first_day from first_seen where domain in (select unnest($domains::varchar[]))
    )
    group by domain
)
select
    begun.domain,
    begun.subject,
    begun.day,
    sum(told.messages) as messages
from begun
join domains using (domain)
join told
    on told.domain = begun.domain
    and told.subject = begun.subject
    and told.day < begun.day + $days::integer
left join first_seen
    on first_seen.kind = 'reporter'
    and first_seen.domain = begun.domain
    and first_seen.subject = begun.subject
where begun.day >= domains.first_day + $young_days::integer
    and coalesce(first_seen.first_day, begun.day) >= begun.day
    and begun.day >= $since
    and begun.day < $until
group by begun.domain, begun.subject, begun.day
having sum(told.messages) >= $min_messages
order by begun.domain, begun.subject, begun.day

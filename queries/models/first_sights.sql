-- first_sights: what is known to have been seen first before a day, and is not noted yet. One row per (kind, domain, subject).
with told as (
    select 'policy' as kind, domain,
        concat_ws(' ', 'p=' || p, 'sp=' || sp, 'np=' || np, 'adkim=' || adkim, 'aspf=' || aspf, 'pct=' || pct,
            't=' || testing) as subject,
        min(day) as first_day, sum(messages) as messages
    from reports
    where day < $1::date
    group by all
    union all
    select 'reporter', domain, org_domain, min(day), sum(messages)
    from reports
    where day < $1::date
    group by domain, org_domain
    union all
    select 'source', domain, source_ip, first_day, messages
    from sources
    where first_day < $1::date
    union all
    select 'sender', domain, sender, first_day, messages
    from domain_senders
    where first_day < $1::date
    union all
    -- of days that begin before it: those that follow are still there
    select 'loud', domain, subject, min(day), max(messages)
    from (
        select domain, subject, day, sum(sum(messages)) over (
            partition by domain, subject order by day - date '2000-01-01' range between current row and $3::integer - 1 following
        ) as messages
        from (select domain, coalesce(sender, source_ip) as subject, day, messages, category from records)
        where category in ('compliant', 'misconfigured', 'known_unapproved') and subject is not null
            and day < $1::date + $3::integer
        group by domain, subject, day
    )
    where day < $1::date and messages >= $4
    group by domain, subject
)
select kind, domain, subject, epoch_ms(first_day::timestamp) // 86400000
from told
anti join first_seen using (kind, domain, subject)
-- what is longer is nobody's name
where length(domain) + length(subject) <= 8192
order by kind, messages desc, domain, subject
limit $2

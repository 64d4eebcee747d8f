-- policy_changed: the day from which reporters saw a policy that they had not seen in the days before. One row per (domain, subject, day).
-- params: $domains VARCHAR[], $since DATE, $until DATE, $days BIGINT, $min_percent BIGINT, $young_days BIGINT
-- rule: title="{domain} publishes {subject}" severity=info look_back=days..
-- default: days=7 min_percent=20 young_days=14
with told as (
    -- reporters write defaults out or leave them out: what they mean is compared
    select
        domain,
        day,
        concat_ws(
            '; ', 'p=' || coalesce(p, 'none'), 'sp=' || nullif(sp, p), 'adkim=' || nullif(adkim, 'r'),
            'aspf=' || nullif(aspf, 'r'), 'pct=' || nullif(pct, 100), if(testing, 't=y', null)
        ) as subject,
        -- from the weakest to the strictest
        case when testing or coalesce(pct, 100) < 100 then 0 else 1 end
            + case p when 'reject' then 4 when 'quarantine' then 2 else 0 end as strength,
        count(*) as reports
    from reports
    where domain in (select unnest($domains::varchar[]))
    group by all
),
domain_days as (
    select domain, day, sum(reports) as reports from told group by domain, day
),
starts as (
    select *, min(day) over (partition by domain) as domain_day,
        min(day) over (partition by domain, subject) as first_day,
        lag(day) over (partition by domain, subject order by day) as day_before
    from told
),
came as (
    select domain, subject, strength, day, domain_day, first_day
    from starts
    where day > domain_day and (day_before is null or day_before < day - $days::integer)
),
weighed as (
    select
        came.*,
        (select sum(reports) from told t where t.domain = came.domain and t.subject = came.subject
            and t.day >= came.day and t.day < came.day + $days::integer) as seen,
        (select sum(reports) from domain_days d where d.domain = came.domain
            and d.day >= came.day and d.day < came.day + $days::integer) as reports,
        (select min({'day': came.day - t.day, 'fewer': -t.reports, 'text': t.subject, 'strength': t.strength})
            from told t where t.domain = came.domain and t.subject <> came.subject and t.day < came.day) as had
    from came
)
select domain, subject, day, 0 as messages, seen as reports, had.text as before,
    case when strength < had.strength then 'warning' else 'info' end as severity
from weighed
where had is not null
    and seen * 100 >= reports * $min_percent
    and (first_day < day or strength < had.strength or day >= domain_day + $young_days::integer)
    and day >= $since and day < $until
order by domain, subject, day

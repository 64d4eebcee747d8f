-- digest_days: messages of the last 60 days by day and domain, as digests tell them; domains beyond the 200 largest stand together. One row per (domain, day).
-- params: $as_of DATE
with told as (
    select domain, day, messages, passed
    from daily
    where day >= $as_of - 60
        and day < $as_of
),
large as (
    select domain
    from told
    group by domain
    order by sum(messages) desc, domain
    limit 200
)
select
    if(domain in (select domain from large), domain, null) as domain,
    day,
    -- sums of hostile counts stop at the largest BIGINT
    least(sum(messages), 9223372036854775807)::bigint as messages,
    least(sum(passed), 9223372036854775807)::bigint as passed
from told
group by all
order by domain nulls last, day

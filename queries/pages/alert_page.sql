-- alert_page: alerts of some statuses, of some domains ($about: none given is all), without those of $but and the first $behind, those that want somebody first. One row per (id).
-- params: $statuses VARCHAR[], $about VARCHAR[], $but VARCHAR[], $most BIGINT, $behind BIGINT
select
    id,
    rule,
    domain,
    subject,
    severity,
    status,
    reason,
    first_day,
    last_day,
    messages,
    occurrences,
    title
from alerts
where status in (select unnest($statuses::varchar[]))
    and (len($about::varchar[]) = 0 or domain in (select unnest($about::varchar[])))
    and id not in (select unnest($but::varchar[]))
order by
    case status when 'open' then 0 when 'acknowledged' then 1 else 2 end,
    case severity when 'critical' then 0 when 'warning' then 1 else 2 end,
    last_day desc,
    messages desc,
    id
limit $most
offset $behind

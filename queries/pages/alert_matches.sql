-- alert_matches: how many alerts there are of some statuses, of some domains ($about: none given is all), without those of $but. One row.
-- params: $statuses VARCHAR[], $about VARCHAR[], $but VARCHAR[]
select count(*) as alerts
from alerts
where status in (select unnest($statuses::varchar[]))
    and (len($about::varchar[]) = 0 or domain in (select unnest($about::varchar[])))
    and id not in (select unnest($but::varchar[]))

-- alert_named: some alerts by their ids. One row per (id).
-- params: $ids VARCHAR[]
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
    title,
    facts::varchar as facts,
    advice
from alerts
where id in (select unnest($ids::varchar[]))
order by id

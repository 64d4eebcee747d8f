-- alert_done: what people did with some alerts. One row per (seq).
-- params: $ids VARCHAR[]
select
    seq,
    alert,
    at_utc,
    action,
    severity,
    last_day,
    note
from alert_actions
where alert in (select unnest($ids::varchar[]))
qualify row_number() over (partition by alert order by seq desc) <= 400
order by seq

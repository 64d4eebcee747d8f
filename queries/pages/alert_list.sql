-- alert_list: alerts, those that want somebody first. One row per (id).
-- params: $most BIGINT
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
order by
    case status when 'open' then 0 when 'acknowledged' then 1 else 2 end,
    case severity when 'critical' then 0 when 'warning' then 1 else 2 end,
    last_day desc,
    messages desc,
    id
limit $most

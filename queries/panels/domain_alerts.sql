-- domain_alerts: the alerts of a domain that are not resolved, the gravest first. One row per (domain, id).
-- params: $domains VARCHAR[]
-- panel: page=domain title="Alerts" chart=table columns=severity,status,alert,first_day,last_day,messages order=12
select
    domain,
    id,
    severity,
    status,
    {'id': id, 'title': title} as alert,
    first_day,
    last_day,
    messages
from alerts
where domain in (select unnest($domains::varchar[]))
    and status <> 'resolved'
qualify
    row_number() over (
        partition by domain
        order by status desc, case severity when 'critical' then 0 when 'warning' then 1 else 2 end, last_day desc, id
    ) <= 100
order by
    domain,
    status desc,
    case severity when 'critical' then 0 when 'warning' then 1 else 2 end,
    last_day desc,
    messages desc,
    id

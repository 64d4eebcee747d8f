-- overview_alerts: the alerts that are open, the gravest first. One row per (id).
-- params: $as_of DATE
-- panel: page=overview title="Open alerts" chart=table columns=severity,alert,domain,first_day,last_day,messages rows=10 order=14
select
    id,
    severity,
    {'id': id, 'title': title} as alert,
    domain,
    first_day,
    last_day,
    messages
from alerts
where status = 'open'
    and first_day <= $as_of
order by case severity when 'critical' then 0 when 'warning' then 1 else 2 end, last_day desc, messages desc, id
limit 100

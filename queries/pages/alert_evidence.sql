-- alert_evidence: the newest days of evidence of some alerts. One row per (alert, day, severity, messages).
-- params: $ids VARCHAR[]
select
    alerts.id as alert,
    alert_days.day,
    alert_days.severity,
    alert_days.messages,
    ended_day
from alerts
join alert_days
    on alert_days.rule = alerts.rule
    and alert_days.subject = alerts.subject
    and alert_days.domain is not distinct from alerts.domain
where alerts.id in (select unnest($ids::varchar[]))
qualify row_number() over (partition by alerts.id order by alert_days.day desc, alert_days.messages desc) <= 400
order by alert, day, severity, messages

-- alert_source: what is known from elsewhere of the address that an alert is about; nothing where it is about something else. One row per (alert).
-- params: $alerts VARCHAR[]
-- panel: page=alert title="The source" chart=table order=10
select alerts.id as alert, source_ip, host_name, country, asn, network
from alerts
join addresses on addresses.source_ip = alerts.subject
where alerts.id in (select unnest($alerts::varchar[]))
order by alert

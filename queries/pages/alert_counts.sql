-- alert_counts: how many alerts there are. One row per (status, severity).
select status, severity, count(*) as alerts
from alerts
group by all
order by status, severity

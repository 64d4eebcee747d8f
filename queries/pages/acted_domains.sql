-- acted_domains: domains of alerts that people did something with behind a line of the ledger. One row per (domain).
-- params: $seq BIGINT
select distinct domain
from alerts
join alert_actions on alert_actions.alert = alerts.id
where seq > $seq
    and domain is not null
order by domain

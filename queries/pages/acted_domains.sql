-- acted_domains: domains of alerts that people did something with behind a line of the ledger; all of them where a rule began or ceased to fail behind it. One row per (domain).
-- params: $seq BIGINT
select distinct domain
from (
    select alerts.domain
    from alerts
    join alert_actions on alert_actions.alert = alerts.id
    where alert_actions.seq > $seq
    union all
    select domain
    from reports
    where exists (select 1 from rule_outages where rule_outages.seq > $seq)
)
where domain is not null
order by domain

-- policy_causes: by cause of failure, the messages of domains in the last 30 days that p=reject would have refused. One row per (domain, fail_cause).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Why they would be refused" chart=table columns=fail_cause,refused,own,forwarded,strangers,share_percent,senders about="The same messages by the cause of their failure. Share is that of the legit mail at risk: own and forwarded." order=76
with parts as (
    select
        domain,
        fail_cause,
        sender,
        case
            when category = 'forwarded_fail' then 'forwarded'
            when category in ('unknown', 'threat') then 'strangers'
            else 'own'
        end as origin,
        sum(messages) as messages
    from records
    where domain in (select unnest($domains::varchar[]))
        and day >= $as_of - 30
        and day < $as_of
        and not dmarc_pass
    group by all
),
causes as (
    select
        domain,
        fail_cause,
        sum(parts.messages) as refused,
        coalesce(sum(parts.messages) filter (origin = 'own'), 0) as own,
        coalesce(sum(parts.messages) filter (origin = 'forwarded'), 0) as forwarded,
        coalesce(sum(parts.messages) filter (origin = 'strangers'), 0) as strangers,
        own + forwarded as at_risk,
        coalesce(list(coalesce(name, sender) order by parts.messages desc, sender) filter (origin = 'own'), [])[:5] as senders
    from parts
    left join senders using (sender)
    group by domain, fail_cause
)
select
    domain,
    fail_cause,
    refused,
    own,
    forwarded,
    strangers,
    round(100.0 * at_risk / nullif(sum(at_risk) over (partition by domain), 0), 1) as share_percent,
    senders
from causes
order by domain, at_risk desc, refused desc, fail_cause

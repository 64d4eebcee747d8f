-- sources_failing: the addresses with most failing messages in the last 30 days, by cause. One row per (fail_cause, domain, source_ip).
-- params: $as_of DATE
-- panel: page=sources title="Failing sources by cause" chart=table x=source_ip y=messages order=40
with failed as (
    select
        fail_cause,
        domain,
        source_ip,
        max(sender) as sender,
        max(carrier) as carrier,
        sum(messages) as messages,
        coalesce(sum(messages) filter (disposition in ('quarantine', 'reject')), 0) as refused,
        max(day) as last_day
    from records
    where day >= $as_of - 30
        and day < $as_of
        and fail_cause is not null
    group by fail_cause, domain, source_ip
    qualify row_number() over (partition by fail_cause order by sum(messages) desc, domain, source_ip) <= 25
)
select fail_cause, domain, source_ip, host_name, country, network, sender, carrier, messages, refused, last_day
from failed
left join addresses using (source_ip)
order by fail_cause, messages desc, domain, source_ip

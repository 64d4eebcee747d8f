-- sources_causes: failing messages of the last 30 days by the cause of their failure. One row per (fail_cause).
-- params: $as_of DATE
-- panel: page=sources title="Why messages fail" chart=bars x=fail_cause y=messages order=6
select
    fail_cause,
    sum(messages) as messages,
    count(distinct source_ip) as addresses,
    count(distinct domain) as domains,
    count(distinct sender) as senders
from records
where day >= $as_of - 30
    and day < $as_of
    and fail_cause is not null
group by fail_cause
order by messages desc, fail_cause

-- domain_overrides: failing messages of a domain in the last 30 days for which receivers gave a reason to depart from the policy. One row per (reason, disposition).
-- params: $as_of DATE, $domain VARCHAR
-- panel: page=domain title="Reasons for overrides" chart=table x=reason y=messages order=55
with failed as (
    select
        array_to_string(list_sort(list_distinct([r.type for r in reasons])), ', ') as reason,
        coalesce(disposition, 'unknown') as disposition,
        messages
    from records
    where domain = $domain
        and day >= $as_of - 30
        and day < $as_of
        and not dmarc_pass
        and len(reasons) > 0
)
select reason, disposition, sum(messages) as messages
from failed
group by all
order by messages desc, reason, disposition
limit 100

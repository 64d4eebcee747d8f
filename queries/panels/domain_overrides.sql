-- domain_overrides: failing messages of a domain in the last 30 days for which receivers gave a reason to depart from the policy. One row per (domain, reason, disposition).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Reasons for overrides" chart=table x=reason y=messages order=55
with failed as (
    select
        domain,
        array_to_string(list_sort(list_distinct([r.type for r in reasons])), ', ') as reason,
        coalesce(disposition, 'unknown') as disposition,
        messages
    from records
    where domain in (select unnest($domains::varchar[]))
        and day >= $as_of - 30
        and day < $as_of
        and not dmarc_pass
        and len(reasons) > 0
)
select domain, reason, disposition, sum(messages) as messages
from failed
group by domain, reason, disposition
qualify row_number() over (partition by domain order by sum(messages) desc, reason, disposition) <= 100
order by domain, messages desc, reason, disposition

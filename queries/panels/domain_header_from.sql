-- domain_header_from: the From domains of a domain's messages in the last 30 days. One row per (domain, header_from).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="From domains" chart=table x=header_from y=messages order=85
select
    domain,
    coalesce(header_from, 'unknown') as header_from,
    sum(messages) as messages,
    coalesce(sum(messages) filter (dmarc_pass), 0) as passed,
    coalesce(sum(messages) filter (not dmarc_pass), 0) as failing,
    round(100.0 * coalesce(sum(messages) filter (dmarc_pass), 0) / nullif(sum(messages), 0), 1) as pass_rate_percent
from records
where domain in (select unnest($domains::varchar[]))
    and day >= $as_of - 30
    and day < $as_of
group by domain, coalesce(header_from, 'unknown')
qualify
    row_number() over (partition by domain order by sum(messages) desc, coalesce(header_from, 'unknown')) <= 25
order by domain, messages desc, header_from

-- sources_senders: messages of the last 30 days by sender; those that no sender is known for stand together. One row per (sender).
-- params: $as_of DATE
-- panel: page=sources title="Senders of the last 30 days" chart=table x=sender y=messages order=10
select
    coalesce(sender, 'not identified') as sender,
    string_agg(distinct carrier, ', ' order by carrier) as carriers,
    count(distinct source_ip) as addresses,
    count(distinct domain) as domains,
    sum(messages) as messages,
    round(100.0 * coalesce(sum(messages) filter (dmarc_pass), 0) / nullif(sum(messages), 0), 1) as pass_rate_percent,
    coalesce(sum(messages) filter (not dmarc_pass), 0) as failing
from records
where day >= $as_of - 30
    and day < $as_of
group by all
order by messages desc, sender
limit 200

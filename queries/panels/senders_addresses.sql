-- senders_addresses: the addresses from which each recognised sender sent most in the last 30 days, ten at most. One row per (sender, source_ip).
-- params: $as_of DATE
-- panel: page=senders title="Addresses of senders" chart=table x=sender y=messages order=30
with sent as (
    select
        sender,
        source_ip,
        max(carrier) as carrier,
        count(distinct domain) as domains,
        sum(messages) as messages,
        coalesce(sum(messages) filter (not dmarc_pass), 0) as failing,
        max(day) as last_day
    from records
    where day >= $as_of - 30
        and day < $as_of
        and sender is not null
        and source_ip is not null
    group by sender, source_ip
),
tops as (
    select *
    from sent
    qualify row_number() over (partition by sender order by messages desc, source_ip) <= 10
),
largest as (
    select sender from sent group by sender order by sum(messages) desc, sender limit 100
)
select
    tops.sender,
    tops.source_ip,
    addresses.host_name,
    addresses.country,
    addresses.network,
    tops.carrier,
    tops.domains,
    tops.messages,
    tops.failing,
    tops.last_day
from tops
semi join largest using (sender)
left join addresses using (source_ip)
order by tops.sender, tops.messages desc, tops.source_ip

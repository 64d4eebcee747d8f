-- sources_top: the 100 addresses that sent most messages in the last 30 days; the category is that of most of its messages. One row per (source_ip).
-- params: $as_of DATE
-- panel: page=sources title="Top sources of the last 30 days" chart=table x=source_ip y=messages order=20
with tops as (
    select
        source_ip,
        max(sender) as sender,
        max(carrier) as carrier,
        sum(messages) as messages,
        coalesce(sum(messages) filter (dmarc_pass), 0) as passed
    from records
    where day >= $as_of - 30 and day < $as_of and source_ip is not null
    group by source_ip
    order by messages desc, source_ip
    limit 100
),
parts as (
    select source_ip, domain, category, sum(messages) as messages
    from records
    semi join tops using (source_ip)
    where day >= $as_of - 30
        and day < $as_of
    group by source_ip, domain, category
),
spread as (
    select source_ip, count(distinct domain) as domains
    from parts
    group by source_ip
),
kinds as (
    select
        source_ip,
        category,
        row_number() over (partition by source_ip order by sum(messages) desc, category) as place
    from parts
    group by source_ip, category
),
seen as (
    select source_ip, min(first_day) as first_day, max(last_day) as last_day
    from sources
    semi join tops using (source_ip)
    group by source_ip
)
select tops.source_ip, addresses.host_name, addresses.country, addresses.network,
    tops.sender,
    tops.carrier,
    spread.domains,
    tops.messages,
    tops.passed,
    tops.messages - tops.passed as failing,
    kinds.category,
    seen.first_day,
    seen.last_day
from tops
join spread using (source_ip)
join kinds on kinds.source_ip = tops.source_ip and kinds.place = 1
left join seen on seen.source_ip = tops.source_ip
left join addresses on addresses.source_ip = tops.source_ip
order by messages desc, tops.source_ip

-- sources_top: the 100 addresses that sent most messages in the last 30 days; the category is that of most of its messages. One row per (source_ip).
-- params: $as_of DATE
-- panel: page=sources title="Top sources of the last 30 days" chart=table x=source_ip y=messages order=20
with sent as (
    select
        source_ip,
        category,
        max(sender) as sender,
        list(distinct domain order by domain) as domains,
        sum(messages) as messages,
        coalesce(sum(messages) filter (dmarc_pass), 0) as passed
    from records
    where day >= $as_of - 30
        and day < $as_of
        and source_ip is not null
    group by source_ip, category
),
ranked as (
    select *, row_number() over (partition by source_ip order by messages desc, category) as place
    from sent
),
tops as (
    select
        source_ip,
        max(sender) as sender,
        len(list_distinct(flatten(list(domains order by category)))) as domains,
        sum(messages) as messages,
        sum(passed) as passed,
        max(category) filter (place = 1) as category
    from ranked
    group by source_ip
    order by messages desc, source_ip
    limit 100
),
seen as (
    select source_ip, min(first_day) as first_day, max(last_day) as last_day
    from sources
    where source_ip in (select source_ip from tops)
    group by source_ip
)
select
    tops.source_ip,
    tops.sender,
    tops.domains,
    tops.messages,
    tops.passed,
    tops.messages - tops.passed as failing,
    tops.category,
    seen.first_day,
    seen.last_day
from tops
left join seen using (source_ip)
order by messages desc, source_ip

-- sources_categories: messages of the last 30 days by what they are; unknown and threat are strangers', the other failing ones would be at risk under a strict policy. One row per (category).
-- params: $as_of DATE
-- panel: page=sources title="What the messages are" chart=bars x=category y=messages order=4
select
    category,
    sum(messages) as messages,
    count(distinct source_ip) as addresses,
    count(distinct domain) as domains,
    count(distinct sender) as senders
from records
where day >= $as_of - 30
    and day < $as_of
group by category
order by messages desc, category

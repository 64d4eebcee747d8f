-- senders_figures: who sent in the last 30 days, in figures. One row.
-- params: $as_of DATE
-- panel: page=senders title="Last 30 days" chart=figures order=10
with sent as (
    select domain, sender, category, sum(messages) as messages
    from records
    where day >= $as_of - 30
        and day < $as_of
    group by all
)
select
    coalesce(sum(messages), 0) as messages,
    count(distinct sender) as senders,
    round(100.0 * coalesce(sum(messages) filter (sender is not null), 0) / nullif(sum(messages), 0), 1)
        as identified_percent,
    coalesce(sum(messages) filter (category = 'misconfigured'), 0) as misconfigured_messages,
    coalesce(sum(messages) filter (category = 'known_unapproved'), 0) as unapproved_messages,
    coalesce(sum(messages) filter (sender is null and category in ('unknown', 'threat')), 0) as unidentified_failing
from sent

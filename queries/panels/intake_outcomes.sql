-- intake_outcomes: how the reading of all documents ended. One row per (outcome).
-- panel: page=intake title="Outcomes" chart=bars x=outcome y=documents order=10
select
    outcome,
    count(*) as documents,
    count(distinct item_no) as items,
    max(item_no) as newest_item
from documents
group by outcome
order by documents desc, outcome

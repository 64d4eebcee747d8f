-- intake_sources: items by where they came from. One row per (source, inbox, folder).
-- panel: page=intake title="Where items came from" chart=table order=40
select
    source,
    inbox,
    folder,
    count(*) as items,
    sum(bytes) as bytes,
    max(item_no) as newest_item
from items
group by all
order by items desc, source, inbox, folder
limit 100

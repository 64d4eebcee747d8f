-- prunable_items: neighbouring items whose bytes nobody needs any more. One row per (first_item).
with needed as (
    -- an item that refers to bytes may make something else of them, by its kind or its name
    select i.sha256
    from items i
    join documents d using (item_no)
    where i.content = 'known' and d.outcome <> 'expired'
), gone as (
    select item_no, item_no - row_number() over (order by item_no) as island
    from items
    where content = 'expired' and sha256 not in (select sha256 from needed)
)
select min(item_no) as first_item, max(item_no) as last_item
from gone
group by island
order by first_item

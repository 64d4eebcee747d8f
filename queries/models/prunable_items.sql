-- prunable_items: neighbouring items whose bytes nobody needs any more. One row per (first_item).
select min(item_no) as first_item, max(item_no) as last_item
from (
    select item_no, item_no - row_number() over (order by item_no) as island
    from items
    where content = 'expired'
)
group by island
order by first_item

-- kept_items: the first item that keeps, or kept until all in it expired, the bytes of a staged hash. One row per (sha256) that is known.
select sha256, min(item_no) as item_no
from items
where content in ('kept', 'expired') and sha256 in (select sha256 from stage_hashes)
group by sha256
order by sha256

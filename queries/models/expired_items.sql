-- expired_items: the newest item that kept the bytes of a staged hash until they expired. One row per (sha256) that is known.
select sha256, max(item_no) as item_no, max(bytes) as bytes
from items
where content = 'expired' and sha256 in (select sha256 from stage_hashes)
group by sha256
order by sha256

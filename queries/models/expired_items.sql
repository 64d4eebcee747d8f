-- expired_items: the size of staged hashes whose bytes were kept until all in them expired. One row per (sha256) that is one.
select sha256, max(bytes) as bytes
from items
where content = 'expired' and sha256 in (select sha256 from stage_hashes)
group by sha256
order by sha256

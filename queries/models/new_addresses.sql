-- new_addresses: sending addresses that no report before those that are staged has told of. One row per (source_ip).
select distinct source_ip
from stage_records
semi join stage_reports using (load_key)
anti join sources using (source_ip)
where source_ip is not null
order by source_ip

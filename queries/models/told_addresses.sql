-- told_addresses: all sending addresses, with what is known of their hosts. One row per (source_ip).
select source_ip, host_name
from (select distinct source_ip from sources)
left join addresses using (source_ip)
order by source_ip

-- asked_addresses: the addresses that sent most in the last 30 days, whose hosts are worth a name. One row per (source_ip).
-- params: $as_of DATE, $most BIGINT
select source_ip
from records
where day >= $as_of - 30 and source_ip is not null
group by source_ip
order by sum(messages) desc, source_ip
limit $most

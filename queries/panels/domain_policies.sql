-- domain_policies: the policies that reporters saw for a domain over all time, newest first. One row per (p, sp, np, adkim, aspf, pct, testing).
-- params: $domain VARCHAR
-- panel: page=domain title="Policies seen" chart=table order=100
select
    p,
    sp,
    np,
    adkim,
    aspf,
    pct,
    testing,
    min(day) as first_day,
    max(day) as last_day,
    count(*) as reports,
    count(distinct org_domain) as reporters
from reports
where domain = $domain
group by all
order by last_day desc, reports desc, p, sp, np, adkim, aspf, pct, testing
limit 50

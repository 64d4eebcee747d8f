-- domain_policies: the policies that reporters saw for a domain over all time, newest first. One row per (domain, p, sp, np, adkim, aspf, pct, testing).
-- params: $domains VARCHAR[]
-- panel: page=domain title="Policies seen" chart=table order=100
select
    domain,
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
where domain in (select unnest($domains::varchar[]))
group by domain, p, sp, np, adkim, aspf, pct, testing
qualify
    row_number() over (
        partition by domain order by max(day) desc, count(*) desc, p, sp, np, adkim, aspf, pct, testing
    ) <= 50
order by domain, last_day desc, reports desc, p, sp, np, adkim, aspf, pct, testing

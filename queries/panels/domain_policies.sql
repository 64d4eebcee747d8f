-- domain_policies: the policies that reporters saw for a domain over all time, newest first. One row per (domain, p, sp, np, adkim, aspf, pct, testing).
-- params: $domains VARCHAR[]
-- panel: page=domain title="Policies seen" chart=table order=100
with seen as (
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
)
select
    seen.domain,
    p,
    sp,
    np,
    adkim,
    aspf,
    pct,
    testing,
    -- also where the report that said it first is gone
    least(seen.first_day, coalesce(first_seen.first_day, seen.first_day)) as first_day,
    last_day,
    reports,
    reporters
from seen
left join first_seen
    on first_seen.kind = 'policy'
    and first_seen.domain = seen.domain
    and first_seen.subject = concat_ws(
        ' ', 'p=' || p, 'sp=' || sp, 'np=' || np, 'adkim=' || adkim, 'aspf=' || aspf, 'pct=' || pct, 't=' || testing
    )
qualify
    row_number() over (
        partition by seen.domain order by last_day desc, reports desc, p, sp, np, adkim, aspf, pct, testing
    ) <= 50
order by domain, last_day desc, reports desc, p, sp, np, adkim, aspf, pct, testing

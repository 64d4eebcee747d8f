-- policy_scenarios: the last 30 days of domains as if their policy had been stricter: messages that it would have asked receivers to quarantine or reject. One row per (domain, place).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="What a stricter policy would do" chart=table columns=policy,scenario,quarantined,rejected,own,forwarded,strangers,legit_lost_percent about="Messages that other policies would have asked receivers to quarantine or reject. Own: passes as things are, or is from a sender known by name. Forwarded: passed on by somebody; receivers often deliver it all the same. Legit lost is the share of own and forwarded mail. Strict alignment takes no other domain than that of From." order=72
with asked as (
    select distinct unnest($domains::varchar[]) as domain
),
published as (
    -- the newest; with pct or t=y, receivers treat mail one level milder
    select domain, ['none', 'quarantine', 'reject'] as ranks, list_position(ranks, sp) as sp_full,
        if(testing or pct < 100, 1, 0) as milder,
        greatest(1, coalesce(list_position(ranks, p), 1) - milder) as p_now,
        greatest(1, coalesce(list_position(ranks, sp), list_position(ranks, p), 1) - milder) as sp_now,
        coalesce(adkim, 'r') = 's' as adkim_s, coalesce(aspf, 'r') = 's' as aspf_s,
        concat_ws(' ', 'p=' || coalesce(p, 'none'), 'sp=' || nullif(sp, coalesce(p, 'none')), 'adkim=' || nullif(adkim, 'r'),
            'aspf=' || nullif(aspf, 'r'), 'pct=' || nullif(pct, 100), if(testing, 't=y', null)) as policy
    from reports
    where domain in (from asked) and day >= $as_of - 30 and day < $as_of
    group by domain, p, sp, adkim, aspf, pct, testing
    qualify row_number() over (partition by domain order by max(day) desc, count(*) desc, policy, p, sp, adkim, aspf) = 1
),
scenarios as (
    select domain, place, scenario, adkim_s or with_adkim as adkim_now, aspf_s or with_aspf as aspf_now,
        least(3, p_now + rise) as p_then,
        if(rise = 0, sp_now, if(with_sp, greatest(p_then, sp_full), coalesce(sp_full, p_then))) as sp_then,
        if(rise = 0, policy, concat_ws(' ', 'p=' || ranks[p_then], if(sp_then = p_then, null, 'sp=' || ranks[sp_then]),
            if(adkim_now, 'adkim=s', null), if(aspf_now, 'aspf=s', null))) as policy
    from published, (values
        (1, 'as published', 0, false, false, false), (2, 'one step stricter', 1, false, false, false),
        (3, 'one step stricter, subdomains too', 1, true, false, false), (4, 'reject', 3, false, false, false),
        (5, 'reject, subdomains too', 3, true, false, false), (6, 'reject, DKIM strict', 3, true, true, false),
        (7, 'reject, SPF strict', 3, true, false, true), (8, 'reject, both strict', 3, true, true, true)
    ) as steps(place, scenario, rise, with_sp, with_adkim, with_aspf)
    qualify row_number() over (partition by domain, p_then, sp_then, adkim_now, aspf_now order by place) = 1
),
facts as (
    select domain, header_from is distinct from domain as is_below, category in ('unknown', 'threat') as is_strange,
        category in ('forwarded_pass', 'forwarded_fail') as is_forward, dkim_aligned, spf_aligned, messages,
        dkim_aligned and list_contains([d.domain for d in dkim if d.result = 'pass'], header_from) as dkim_exact,
        -- the return path counts, the greeting only where there is none
        spf_aligned and list_contains([s.domain for s in spf if s.result = 'pass' and coalesce(s.scope, 'mfrom')
            = if('mfrom' in [coalesce(t.scope, 'mfrom') for t in spf], 'mfrom', 'helo')], header_from) as spf_exact
    from records
    where domain in (from asked) and day >= $as_of - 30 and day < $as_of
),
fates as (
    select s.*, is_strange, is_forward, messages, if(if(adkim_now, dkim_exact, dkim_aligned)
        or if(aspf_now, spf_exact, spf_aligned), 1, if(is_below, sp_then, p_then)) as fate
    from scenarios s
    left join (select * replace (sum(messages) as messages) from facts group by all) using (domain)
)
select domain, place, policy, scenario,
    coalesce(sum(messages) filter (fate = 2), 0) as quarantined,
    coalesce(sum(messages) filter (fate = 3), 0) as rejected,
    coalesce(sum(messages) filter (fate > 1 and not is_strange and not is_forward), 0) as own,
    coalesce(sum(messages) filter (fate > 1 and is_forward), 0) as forwarded,
    coalesce(sum(messages) filter (fate > 1 and is_strange), 0) as strangers,
    round(100.0 * (own + forwarded) / nullif(sum(messages) filter (not is_strange), 0), 2) as legit_lost_percent
from fates
group by domain, place, policy, scenario
order by domain, place

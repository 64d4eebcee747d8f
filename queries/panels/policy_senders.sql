-- policy_senders: by sender, the messages of domains in the last 30 days that p=reject would have refused, and what mending each would save; strangers last. One row per (domain, origin, sender).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Who would be refused" chart=table columns=name,approved,messages,pass_rate_percent,refused,main_cause,share_percent,cumulative_percent,dkim_strict,spf_strict,both_strict about="Messages of the last 30 days that p=reject, for subdomains too, would have refused. Share and cumulative: how much of the legit mail at risk is saved by mending this sender, and all above it. Forwarded mail needs a DKIM signature that survives; strangers are what a policy is for. The last columns: messages refused with strict alignment." rows=50 order=74
with asked as (select distinct unnest($domains::varchar[]) as domain),
approvals as (
    select distinct sender, domain
    from (select sender, unnest(approved_for) as approved from senders)
    join asked on domain = approved or ends_with(domain, '.' || approved)
),
facts as (
    select r.domain, r.sender, r.category, r.fail_cause, r.dmarc_pass, r.dkim_aligned, r.spf_aligned, r.messages,
        case
            when category in ('forwarded_pass', 'forwarded_fail') then 'forwarded'
            when a.sender is not null then 'approved'
            when r.sender is not null then 'not approved'
            when category in ('unknown', 'threat') then 'strangers'
            else 'unnamed'
        end as origin,
        dkim_aligned and list_contains([d.domain for d in dkim if d.result = 'pass'], header_from) as dkim_exact,
        -- the return path counts, the greeting only where there is none
        spf_aligned and list_contains([s.domain for s in spf if s.result = 'pass' and coalesce(s.scope, 'mfrom')
            = if('mfrom' in [coalesce(t.scope, 'mfrom') for t in spf], 'mfrom', 'helo')], header_from) as spf_exact
    from records r
    left join approvals a on a.domain = r.domain and a.sender = r.sender
    where r.domain in (from asked) and day >= $as_of - 30 and day < $as_of
),
parts as (
    select domain, origin, if(origin = 'forwarded', null, sender) as sender, fail_cause,
        sum(messages) as messages, sum(if(dmarc_pass, messages, 0)) as passed, sum(if(dmarc_pass, 0, messages)) as refused,
        sum(if(dkim_exact or spf_aligned, 0, messages)) as refused_dkim,
        sum(if(dkim_aligned or spf_exact, 0, messages)) as refused_spf,
        sum(if(dkim_exact or spf_exact, 0, messages)) as refused_both
    from facts
    group by all
),
totals as (
    select domain, origin, sender, sum(messages) as messages, sum(passed) as passed, sum(refused) as refused,
        sum(refused_dkim) as refused_dkim, sum(refused_spf) as refused_spf, sum(refused_both) as refused_both,
        -- the first by name of those with most messages
        min({'fewer': -refused, 'cause': fail_cause}) filter (refused > 0).cause as main_cause
    from parts
    group by domain, origin, sender
),
ranked as (
    select *, if(origin = 'strangers', null, refused) as at_risk, sum(at_risk) over (partition by domain) as all_at_risk,
        coalesce(list_position(['forwarded', 'strangers'], origin), 0) as rank
    from totals
)
select ranked.domain, origin, ranked.sender, coalesce(name, ranked.sender, upper(origin[1]) || origin[2:]) as name, messages,
    round(100.0 * passed / nullif(messages, 0), 1) as pass_rate_percent, refused, main_cause,
    refused_dkim as dkim_strict, refused_spf as spf_strict, refused_both as both_strict,
    case origin when 'approved' then true when 'not approved' then false end as approved,
    round(100.0 * at_risk / nullif(all_at_risk, 0), 1) as share_percent,
    if(at_risk is null, null, round(100.0 * sum(at_risk) over (partition by ranked.domain order by rank, refused desc,
        refused_both desc, origin, ranked.sender rows unbounded preceding) / nullif(all_at_risk, 0), 1)) as cumulative_percent
from ranked
left join senders on senders.sender = ranked.sender
where refused_both > 0
order by ranked.domain, rank, refused desc, refused_both desc, origin, ranked.sender

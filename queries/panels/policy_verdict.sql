-- policy_verdict: whether domains are ready for the next stricter policy, by their last 30 days: ready, fix (these senders first) or stay; each reason with its number and its threshold. One row per (domain, place, subject).
-- params: $as_of DATE, $domains VARCHAR[]
-- panel: page=domain title="Policy advice" chart=verdict about="What the last 30 days say about the next stricter policy. Nothing is called ready while reports are missing, or while legit mail would be lost." order=12
-- panel: page=api/domain_summary title="Policy advice" chart=verdict order=20
with asked as (select distinct unnest($domains::varchar[]) as domain),
told as (from reports where domain in (from asked) and day >= $as_of - 120 and day < $as_of),
published as (
    select domain, ['none', 'quarantine', 'reject'] as ranks, list_position(ranks, coalesce(p, 'none')) as p_rank,
        concat_ws(' ', 'p=' || coalesce(p, 'none'), 'sp=' || nullif(sp, coalesce(p, 'none')), 'adkim=' || nullif(adkim, 'r'),
            'aspf=' || nullif(aspf, 'r'), 'pct=' || nullif(pct, 100), if(testing, 't=y', null)) as policy,
        case when p_rank > 1 and (testing or pct < 100) then 'p=' || p when p_rank < 3 then 'p=' || ranks[p_rank + 1]
            when sp <> 'reject' then 'p=reject sp=' || ranks[list_position(ranks, sp) + 1] end as next_policy
    from told where day >= $as_of - 30 group by domain, p, sp, adkim, aspf, pct, testing
    qualify row_number() over (partition by domain order by max(day) desc, count(*) desc, policy, p, sp, adkim, aspf) = 1
),
silent as (select domain, org_domain as subject, max(day) as last_day from told group by all
    having last_day between $as_of - 90 and $as_of - 8),
quiet as ( -- by its share of the month up to its last report
    select domain, subject, 100.0 * sum(messages) filter (org_domain = subject) / nullif(sum(messages), 0) as number
    from silent join told using (domain) where day > last_day - 30 and day <= last_day group by domain, subject
    having number >= 5 and count(distinct day) filter (org_domain = subject) >= 10),
gaps as (select domain, day - lag(day) over (partition by domain order by day) - 1 as gap_days from (
    select domain, day from told union select domain, unnest([$as_of - 31, $as_of]) from asked) where day >= $as_of - 31),
sent as (
    select asked.domain, sender, coalesce(sum(messages), 0) as messages, sum(if(dmarc_pass, messages, 0)) as passed,
        sum(if(category in ('misconfigured', 'known_unapproved'), messages, 0)) as failing,
        sum(if(category = 'forwarded_fail', messages, 0)) as forwarded, sum(if(category = 'unknown', messages, 0)) as unknown,
        sum(if(category in ('unknown', 'threat'), 0, messages)) as legit
    from asked left join records on records.domain = asked.domain and day >= $as_of - 30 and day < $as_of group by all
),
approved as (select domain, if(messages >= 20, {'percent': 100.0 * passed / messages, 'sender': sender}, null) as rate
    from asked join senders on list_bool_or([domain = own or ends_with(domain, '.' || own) for own in approved_for])
    left join sent using (domain, sender)),
checks(domain, place, reason, subject, number, unit, bound, threshold) as (
    select domain, 1, 'days_of_data', null, coalesce($as_of - min(day) filter (day < $as_of), 0), 'days', 'at least', 30
    from asked left join daily using (domain) group by domain
    union all select domain, 2, 'messages', null, sum(messages), 'messages', 'at least', 100 from sent group by domain
    union all select domain, 3, 'days_without_reports', null, max(gap_days), 'days', 'at most', 4 from gaps group by domain
    union all select domain, 4, 'reporter_gone_quiet', subject, coalesce(number, 0), 'percent', 'below', 5 from asked left join quiet using (domain)
    union all select domain, 5, 'legit_mail_at_risk', null, 100.0 * sum(failing + forwarded) / nullif(sum(legit), 0),
        'percent', 'at most', 0.5 from sent group by domain
    union all select domain, 6, 'sender_pass_rate', min(rate).sender, min(rate).percent, 'percent', 'at least', 95 from asked left join approved using (domain) group by domain
    union all select domain, 7, 'sender_to_fix', sender, failing, 'messages', null, null from sent where failing > 0
    union all select domain, 8, 'forwarded_failing', null, sum(forwarded), 'messages', null, null from sent group by domain
    union all select domain, 9, 'unknown_failing', null, sum(unknown), 'messages', -- while no sender is named, it may be one
        if(domain in (select domain from approved), null, 'at most'), coalesce(sum(legit), 0) // 200 from sent group by domain
),
judged as (
    select *, case when place = 7 then 'fix' when number is null or bound is null then 'note'
        when case bound when 'at least' then number < threshold when 'at most' then number > threshold
            else number >= threshold end then 'broken' else 'ok' end as state,
        bool_or(state = 'broken') over d as is_broken,
        bool_or(state = 'fix') over d and bool_or(state = 'broken' and place in (5, 6)) over d as is_fix
    from checks window d as (partition by domain)
)
select domain, place, subject, policy, next_policy, reason, coalesce(name, subject) as name, state, round(number, 2) as number,
    unit, bound, if(bound is null, null, threshold) as threshold,
    case when is_fix then 'fix' when is_broken or next_policy is null then 'stay' else 'ready' end as verdict
from judged left join published using (domain) left join senders on sender = subject and place in (6, 7) where state <> 'fix' or is_fix
order by domain, place, number desc, subject

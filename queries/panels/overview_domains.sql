-- overview_domains: each domain with its last 30 days, its newest policy and its last report; legit is the pass rate without unknown messages; DKIM, SPF and both are the shares of aligned messages. One row per (domain).
-- params: $as_of DATE
-- panel: page=overview title="Domains" chart=table x=domain y=messages order=40
with volume as (
    select
        domain,
        sum(messages) as messages,
        sum(passed) as passed,
        sum(dkim_aligned) as dkim_aligned,
        sum(spf_aligned) as spf_aligned,
        sum(both_aligned) as both_aligned,
        sum(unknown) + sum(threat) as unknown_messages
    from daily
    where day >= $as_of - 30
        and day < $as_of
    group by domain
),
last_days as (
    select domain, max(day) as day
    from reports
    where day < $as_of
    group by domain
),
newest as (
    select
        reports.domain,
        reports.day,
        reports.p,
        row_number() over (partition by reports.domain order by reports.end_utc desc, reports.id) as place
    from reports
    join last_days using (domain, day)
)
select
    newest.domain,
    coalesce(volume.messages, 0) as messages,
    round(100.0 * volume.passed / nullif(volume.messages, 0), 1) as pass_rate_percent,
    round(100.0 * volume.passed / nullif(volume.messages - volume.unknown_messages, 0), 1) as legit_percent,
    round(100.0 * volume.dkim_aligned / nullif(volume.messages, 0), 1) as dkim_percent,
    round(100.0 * volume.spf_aligned / nullif(volume.messages, 0), 1) as spf_percent,
    round(100.0 * volume.both_aligned / nullif(volume.messages, 0), 1) as both_percent,
    coalesce(volume.messages - volume.passed, 0) as failing,
    coalesce(volume.unknown_messages, 0) as unknown,
    newest.p as policy,
    newest.day as last_report
from newest
left join volume using (domain)
where newest.place = 1
order by messages desc, domain
limit 5000

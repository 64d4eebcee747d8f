-- ready_for_reject: what each domain would lose if its policy were reject: failing messages of its own or forwarded senders, by month. One row per (domain, month).
select
    domain,
    date_trunc('month', day)::date as month,
    sum(messages) as messages,
    sum(misconfigured) + sum(known_unapproved) + sum(forwarded_fail) as at_risk,
    sum(unknown) + sum(threat) as strangers,
    round(100.0 * sum(passed) / nullif(sum(messages), 0), 1) as pass_rate_percent
from daily
group by all
order by domain, month desc

-- rule_faults: what was wrong with the answers of rules when they were asked last. One row per (rule, fault).
create table rule_faults (
    rule varchar not null, -- name of the query in queries/alerts
    fault varchar not null, -- failed (rule_outages has the words); no_day, no_subject, other_domain, long_subject, odd_severity, odd_messages, odd_ended_day or wide_facts of some of its rows
    is_failure boolean not null, -- whether nothing of its answer counts: it has no alerts until it can be asked
    rows bigint, -- rows concerned; null for a failure
    about varchar not null -- what that means
)

-- alerts: what the rules found, folded with what people did. One row per (id).
create table alerts (
    id varchar not null, -- hash of rule, domain and subject; the same for the life of the alert
    rule varchar not null, -- name of the query in queries/alerts
    domain varchar, -- policy domain; null for a finding about the whole
    subject varchar not null, -- what it is about: an address, a sender, a reporter
    severity varchar not null, -- info, warning or critical
    status varchar not null, -- open, acknowledged or resolved
    reason varchar, -- why it is resolved: person, quiet, ended, withdrawn or rule-off; null where it is not; rule-failed, beside any status, while its rule cannot be asked
    first_day date not null, -- first UTC day of its evidence since it was resolved last
    last_day date not null, -- last UTC day of its evidence
    evidence_days bigint not null, -- days with evidence since then
    occurrences bigint not null, -- how often it came up; 0 where later reports took all evidence away
    messages bigint not null, -- messages concerned since then
    title varchar not null, -- one line for people
    facts json not null, -- values behind it
    advice varchar[] not null, -- what to do next, in sentences
    explanation varchar -- facts in words; null until written
)

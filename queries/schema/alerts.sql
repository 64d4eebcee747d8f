-- alerts: what the rules found, folded with the actions of the ledger. One row per (id).
create table alerts (
    id varchar not null, -- hash of rule, domain and subject; the same for the life of the alert
    rule varchar not null, -- name of the query in queries/alerts
    domain varchar, -- policy domain; null for a finding about the whole
    subject varchar not null, -- what it is about: an address, a sender, a reporter
    severity varchar not null, -- info, warning or critical
    status varchar not null, -- open, acknowledged or resolved
    first_day date not null, -- first UTC day of its evidence
    last_day date not null, -- last UTC day of its evidence
    messages bigint not null, -- messages concerned
    title varchar not null, -- one line for people
    facts json not null, -- values behind it
    explanation varchar -- facts in words; null until written
)

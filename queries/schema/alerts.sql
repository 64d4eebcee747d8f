-- alerts: what the rules found, folded with the actions of the ledger. One row per (id).
create table alerts (
    id varchar not null,
    rule varchar not null,
    domain varchar,
    subject varchar not null,
    severity varchar not null,
    status varchar not null,
    first_day date not null,
    last_day date not null,
    messages bigint not null,
    title varchar not null,
    facts json not null,
    explanation varchar
)

-- first_seen: what reports said first that are older than the retention, from the ledger. One row per (kind, domain, subject).
create table first_seen (
    kind varchar not null, -- policy, reporter, sender or source
    domain varchar not null, -- policy domain
    subject varchar not null, -- text of the policy, organizational domain of the reporter, identifier of the sender, or sending address
    first_day date not null -- first UTC day it was reported
)

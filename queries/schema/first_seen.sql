-- first_seen: what reports said first that are older than the retention, from the ledger. One row per (kind, domain, subject).
create table first_seen (
    kind varchar not null, -- policy, reporter, sender, source, or loud: a sender, or an address without one, of which there were as many messages as make it new (rule new_source)
    domain varchar not null, -- policy domain
    subject varchar not null, -- text of the policy, organizational domain of the reporter, identifier of the sender, or sending address
    first_day date not null -- first UTC day it was reported; of loud ones, the first of the window
)

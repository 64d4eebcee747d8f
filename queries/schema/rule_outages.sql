-- rule_outages: times in which a rule could not be asked, from the ledger. One row per (rule, since_day, seq).
create table rule_outages (
    seq bigint not null, -- number of the last line of the ledger about it
    rule varchar not null, -- name of the query in queries/alerts
    since_day date not null, -- day for which things were judged when it failed first
    until_day date, -- day for which things were judged when it could be asked again, or was not asked any more; null while it fails
    problem varchar not null -- file, line where it is known, and what the database says
)

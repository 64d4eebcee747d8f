-- about: what this database is a function of. One row per (key).
create table about (
    key varchar not null, -- name: alert_seq, code_hash, expired_before, judged_as_of, judged_to, load_hash, rules_hash
    value varchar not null -- value
)

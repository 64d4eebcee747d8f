-- about: what this database is a function of. One row per (key).
create table about (
    key varchar not null, -- name: code_hash, config_hash, expired_before
    value varchar not null -- value
)

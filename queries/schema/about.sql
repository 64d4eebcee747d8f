-- about: what this database is a function of. One row per (key).
create table about (
    key varchar not null,
    value varchar not null
)

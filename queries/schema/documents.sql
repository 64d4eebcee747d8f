-- documents: how the reading of every document in every item ended. One row per (item_no, path).
create table documents (
    item_no bigint not null,
    path varchar not null,
    sha256 varchar,
    kind varchar,
    outcome varchar not null,
    code varchar,
    detail varchar,
    report varchar
)

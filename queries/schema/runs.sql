-- runs: what each run did, from the ledger; the one table that differs between a history and its rebuild. One row per (run_no).
create table runs (
    run_no bigint not null,
    kind varchar not null,
    started_utc timestamp not null,
    duration_ms bigint not null,
    items bigint not null,
    accepted bigint not null,
    duplicate bigint not null,
    conflict bigint not null,
    no_traffic bigint not null,
    not_a_report bigint not null,
    foreign_domain bigint not null,
    expired bigint not null,
    refused bigint not null
)

-- runs: what each run did, from the ledger; the one table that differs between a history and its rebuild. One row per (run_no).
create table runs (
    run_no bigint not null, -- number of the run, from 1
    kind varchar not null, -- ingest, run or rebuild
    started_utc timestamp not null, -- start, UTC
    duration_ms bigint not null, -- duration in milliseconds
    items bigint not null, -- items read
    accepted bigint not null, -- documents accepted
    duplicate bigint not null, -- documents seen before
    conflict bigint not null, -- documents that contradict an earlier report
    no_traffic bigint not null, -- reports without messages
    not_a_report bigint not null, -- documents that are no report
    foreign_domain bigint not null, -- reports for domains that are not configured
    expired bigint not null, -- documents older than the retention
    refused bigint not null -- documents refused
)

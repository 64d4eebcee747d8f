//! The SQL that turns staged records into classified rows and roll-ups, and the temporary tables it works on.

use super::record_rows::STAGE_RECORDS;

/// Temporary tables, made anew for every batch.
pub(super) const STAGES: [&str; 6] = [
    STAGE_RECORDS,
    "create or replace temp table stage_reports (load_key bigint not null, report varchar not null, day date not null,
        domain varchar not null, begin_utc timestamp not null, end_utc timestamp not null, p varchar, sp varchar,
        pct integer, testing boolean)",
    "create or replace temp table stage_networks (sender varchar not null, first_address blob not null,
        last_address blob not null, prefix_bits integer not null)",
    "create or replace temp table stage_domains (sender varchar not null, mechanism varchar not null, domain varchar not null)",
    "create or replace temp table stage_senders (load_key bigint not null, record_no bigint not null,
        sender varchar not null)",
    "create or replace temp table stage_classified (load_key bigint not null, record_no bigint not null,
        report varchar not null, day date not null, domain varchar not null,
        source_ip varchar, messages bigint not null, disposition varchar,
        dkim_aligned boolean not null, spf_aligned boolean not null, dmarc_pass boolean not null, sender varchar,
        category varchar not null, fail_cause varchar, overridden boolean not null)",
];

/// Statements of a batch in their order.
pub(super) const MODELS: [(&str, &str); 5] = [
    (
        "record_senders",
        include_str!("../../queries/models/record_senders.sql"),
    ),
    (
        "classified",
        include_str!("../../queries/models/classified.sql"),
    ),
    (
        "new_records",
        include_str!("../../queries/models/new_records.sql"),
    ),
    ("sources", include_str!("../../queries/models/sources.sql")),
    ("daily", include_str!("../../queries/models/daily.sql")),
];

/// Drops the staging tables inside of the transaction, so that their rows are neither committed nor kept.
pub(super) const CLEAR: &str =
    "drop table stage_records; drop table stage_reports; drop table stage_networks;
    drop table stage_domains; drop table stage_senders; drop table stage_classified";

//! The SQL that turns staged records into classified rows and roll-ups, and the temporary tables it works on.

use super::record_rows::STAGE_RECORDS;

/// Temporary tables, made anew for every batch.
pub const STAGES: [&str; 8] = [
    "create or replace temp type category as enum ('compliant', 'forwarded_pass', 'forwarded_fail', 'misconfigured',
        'known_unapproved', 'unknown', 'threat');
    create or replace temp type fail_cause as enum ('both_pass_none_aligned', 'dkim_pass_unaligned',
        'spf_pass_unaligned', 'own_signature_broken', 'no_authentication')",
    STAGE_RECORDS,
    "create or replace temp table stage_reports (load_key bigint not null, report varchar not null, day date not null,
        domain varchar not null, begin_utc timestamp not null, end_utc timestamp not null, p varchar, sp varchar,
        pct integer, testing boolean)",
    STAGE_ADDRESSES,
    "create or replace temp table stage_matches (evidence_key bigint not null, sender varchar not null,
        strength integer not null, narrowness bigint not null)",
    "create or replace temp table stage_scopes (domain varchar not null, scope bigint not null,
        approved varchar[] not null, own struct(sender varchar, narrowness bigint)[] not null)",
    "create or replace temp table stage_senders (evidence_key bigint not null, place bigint not null,
        scope bigint not null, is_own boolean not null, sender sender_id not null, carrier sender_id,
        is_forwarder boolean not null, sends_for_others boolean not null, is_approved boolean not null)",
    "create or replace temp table stage_classified (load_key bigint not null, record_no bigint not null,
        address_key bigint, messages bigint not null, disposition enum('none', 'pass', 'quarantine', 'reject'),
        dkim_aligned boolean not null, spf_aligned boolean not null, dmarc_pass boolean not null, sender sender_id,
        carrier sender_id, category category not null, fail_cause fail_cause, overridden boolean not null)",
];

/// What is known of the addresses of a batch.
pub(super) const STAGE_ADDRESSES: &str =
    "create or replace temp table stage_addresses (address_key bigint not null, source_ip varchar not null,
        place bigint not null, network varchar, service varchar)";

/// Temporary tables of what senders are known by, the same for every batch.
pub const KNOWN: &str = "
    create or replace temp table stage_networks (sender varchar not null, network varchar not null,
        first_address blob not null, last_address blob not null, prefix_bits integer not null);
    create or replace temp table stage_evidence (sender varchar not null, strength integer not null,
        mechanism varchar not null, value varchar not null)";

/// The statement that looks at addresses.
pub(super) const ADDRESS_EVIDENCE: &str = include_str!("../../queries/models/address_evidence.sql");

macro_rules! model {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../queries/models/", $name, ".sql")),
        )
    };
}

/// Statements that find sender, category and cause, in their order.
pub const CLASSIFICATION: [(&str, &str); 5] = [
    model!("domain_scopes"),
    model!("address_evidence"),
    model!("evidence_matches"),
    model!("record_senders"),
    model!("classified"),
];

/// Statements that add records up, in their order.
pub(super) const ROLL_UPS: [(&str, &str); 3] =
    [model!("sources"), model!("domain_senders"), model!("daily")];

/// Statements that use what was found, in their order.
pub const MODELS: [(&str, &str); 4] =
    [model!("new_records"), ROLL_UPS[0], ROLL_UPS[1], ROLL_UPS[2]];

/// Drops the staging tables inside of the transaction, so that their rows are neither committed nor kept.
pub(super) const CLEAR: &str =
    "drop table stage_records; drop table stage_reports; drop table stage_addresses;
    drop table stage_matches; drop table stage_scopes; drop table stage_senders; drop table stage_classified";

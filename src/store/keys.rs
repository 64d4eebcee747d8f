//! What makes two reports the same report, and what is compared when they are not.

use super::columns::{bigint, clamp_secs};
use crate::model::hex::hex;
use crate::model::outcome::Outcome;
use crate::model::tls::{TlsPolicy, TlsReport};
use crate::parse::Report;

/// The reports that hold a key, in the tables or earlier in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) id: String,
    pub(super) content_sha256: String,
    pub(super) records: i64,
    pub(super) messages: i64,
    /// The bytes are not those of the report, but of a document in conflict with it.
    pub(super) is_conflict: bool,
}

/// What makes two reports the same report.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) kind: &'static str,
    pub(super) org_domain: String,
    pub(super) domain: String,
    pub(super) report_id: String,
    pub(super) begin_utc_secs: i64,
    pub(super) end_utc_secs: i64,
}

/// Holders of the bytes and of the key of one document, as the tables have them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Holders {
    pub(super) of_bytes: Option<Holder>,
    pub(super) of_key: Option<Holder>,
}

/// Kind of a report, as in table `documents`.
pub(super) fn kind(report: &Report) -> &'static str {
    match report {
        Report::Aggregate(_) => "aggregate",
        Report::Tls(_) => "tls",
        Report::Failure(_) => "failure",
    }
}

/// The key of a report; failure reports have none but their bytes.
pub(super) fn key(report: &Report) -> Option<Key> {
    let (org_domain, domain, report_id, begin, end) = match report {
        Report::Aggregate(head) => (
            &head.org_domain,
            head.domain.clone(),
            &head.report_id,
            head.begin_utc_secs,
            head.end_utc_secs,
        ),
        Report::Tls(tls) => (
            &tls.org_domain,
            tls_domain(tls),
            &tls.report_id,
            tls.begin_utc_secs,
            tls.end_utc_secs,
        ),
        Report::Failure(_) => return None,
    };
    Some(Key {
        kind: kind(report),
        org_domain: org_domain.clone(),
        domain,
        report_id: report_id.clone(),
        begin_utc_secs: clamp_secs(begin),
        end_utc_secs: clamp_secs(end),
    })
}

/// Policy domain of the first policy.
pub(super) fn tls_domain(report: &TlsReport) -> String {
    report
        .policies
        .first()
        .map_or_else(String::new, |policy| policy.domain.clone())
}

pub(super) fn holder(report: &Report, sha256: &[u8; 32]) -> Holder {
    let (content_sha256, records, messages) = match report {
        Report::Aggregate(head) => (hex(&head.records_sha256), head.record_count, head.messages),
        Report::Tls(tls) => {
            let sessions = |policy: &TlsPolicy| {
                policy
                    .successful_sessions
                    .saturating_add(policy.failed_sessions)
            };
            let total = tls
                .policies
                .iter()
                .map(sessions)
                .fold(0, u64::saturating_add);
            (hex(&tls.policies_sha256), tls.policies.len() as u64, total)
        }
        Report::Failure(failure) => (String::new(), 1, failure.incidents),
    };
    let [records, messages] = [records, messages].map(bigint);
    Holder {
        id: hex(&sha256[..16]),
        content_sha256,
        records,
        messages,
        is_conflict: false,
    }
}

pub(super) fn against(first: &Holder, new: &Holder) -> (Outcome, Option<String>) {
    if first.content_sha256 == new.content_sha256 {
        return (
            Outcome::Duplicate,
            Some(format!("the same records as report {}", first.id)),
        );
    }
    let detail = format!(
        "report {} keeps the key with {} records and {} messages; this one has {} records and {} messages",
        first.id, first.records, first.messages, new.records, new.messages
    );
    (Outcome::Conflict, Some(detail))
}

//! TLS reports and failure reports -> rows.

use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;

use super::columns::{Columns, bigint};
use super::decide::Taken;
use super::keys::tls_domain;
use super::report_rows::origin;
use crate::model::day::Day;
use crate::model::failure::FailureReport;
use crate::model::hex::hex;
use crate::model::tls::{TlsFailure, TlsPolicy, TlsReport};

pub(super) fn tls_reports(reports: &[Taken<Box<TlsReport>>]) -> Result<RecordBatch, ArrowError> {
    let rows = || reports.iter();
    let mut columns = Columns::default();
    columns.text("id", rows().map(|r| Some(r.id.as_str())));
    columns.text("sha256", rows().map(|r| Some(r.sha256.as_str())));
    columns.text("org_name", rows().map(|r| Some(r.report.org_name.as_str())));
    columns.text(
        "org_domain",
        rows().map(|r| Some(r.report.org_domain.as_str())),
    );
    columns.text(
        "contact_info",
        rows().map(|r| r.report.contact_info.as_deref()),
    );
    columns.text(
        "report_id",
        rows().map(|r| Some(r.report.report_id.as_str())),
    );
    columns.timestamp("begin_utc", rows().map(|r| Some(r.report.begin_utc_secs)));
    columns.timestamp("end_utc", rows().map(|r| Some(r.report.end_utc_secs)));
    columns.day("day", rows().map(|r| r.day));
    columns.owned_text("domain", rows().map(|r| Some(tls_domain(&r.report))));
    columns.owned_text(
        "policies_sha256",
        rows().map(|r| Some(hex(&r.report.policies_sha256))),
    );
    columns.oddities("oddities", rows().map(|r| r.report.oddities.as_slice()));
    origin(&mut columns, rows().map(|r| &r.origin));
    columns.finish()
}

/// A policy with its place.
pub(super) struct PolicyRow<'a> {
    report: &'a str,
    policy_no: i64,
    day: Day,
    policy: &'a TlsPolicy,
}

pub(super) fn policy_rows(reports: &[Taken<Box<TlsReport>>]) -> Vec<PolicyRow<'_>> {
    let mut all = Vec::new();
    for taken in reports {
        all.extend(
            (1..)
                .zip(&taken.report.policies)
                .map(|(policy_no, policy)| PolicyRow {
                    report: &taken.id,
                    policy_no,
                    day: taken.day,
                    policy,
                }),
        );
    }
    all
}

pub(super) fn tls_policies(policies: &[PolicyRow]) -> Result<RecordBatch, ArrowError> {
    let rows = || policies.iter();
    let mut columns = Columns::default();
    columns.text("report", rows().map(|r| Some(r.report)));
    columns.bigint("policy_no", rows().map(|r| Some(r.policy_no)));
    columns.day("day", rows().map(|r| r.day));
    columns.text("domain", rows().map(|r| Some(r.policy.domain.as_str())));
    columns.text(
        "policy_type",
        rows().map(|r| r.policy.policy_type.as_deref()),
    );
    columns.texts(
        "policy_strings",
        rows().map(|r| Some(r.policy.policy_strings.as_slice())),
    );
    columns.texts(
        "mx_hosts",
        rows().map(|r| Some(r.policy.mx_hosts.as_slice())),
    );
    columns.bigint(
        "successful_sessions",
        rows().map(|r| Some(bigint(r.policy.successful_sessions))),
    );
    columns.bigint(
        "failed_sessions",
        rows().map(|r| Some(bigint(r.policy.failed_sessions))),
    );
    columns.finish()
}

/// A failure detail with its place.
pub(super) struct FailureDetailRow<'a> {
    policy: &'a PolicyRow<'a>,
    failure_no: i64,
    failure: &'a TlsFailure,
}

pub(super) fn failure_detail_rows<'a>(policies: &'a [PolicyRow<'a>]) -> Vec<FailureDetailRow<'a>> {
    let rows = |policy: &'a PolicyRow<'a>| {
        let numbered = (1..).zip(&policy.policy.failures);
        numbered.map(move |(failure_no, failure)| FailureDetailRow {
            policy,
            failure_no,
            failure,
        })
    };
    policies.iter().flat_map(rows).collect()
}

pub(super) fn tls_failures(failures: &[FailureDetailRow]) -> Result<RecordBatch, ArrowError> {
    let rows = || failures.iter();
    let mut columns = Columns::default();
    columns.text("report", rows().map(|r| Some(r.policy.report)));
    columns.bigint("policy_no", rows().map(|r| Some(r.policy.policy_no)));
    columns.bigint("failure_no", rows().map(|r| Some(r.failure_no)));
    columns.day("day", rows().map(|r| r.policy.day));
    columns.text(
        "domain",
        rows().map(|r| Some(r.policy.policy.domain.as_str())),
    );
    columns.text(
        "result_type",
        rows().map(|r| r.failure.result_type.as_deref()),
    );
    columns.text(
        "sending_mta_ip",
        rows().map(|r| r.failure.sending_mta_ip.as_deref()),
    );
    columns.text(
        "receiving_mx_hostname",
        rows().map(|r| r.failure.receiving_mx_hostname.as_deref()),
    );
    columns.text(
        "receiving_mx_helo",
        rows().map(|r| r.failure.receiving_mx_helo.as_deref()),
    );
    columns.text(
        "receiving_ip",
        rows().map(|r| r.failure.receiving_ip.as_deref()),
    );
    columns.bigint(
        "failed_sessions",
        rows().map(|r| Some(bigint(r.failure.failed_sessions))),
    );
    columns.text(
        "additional_information",
        rows().map(|r| r.failure.additional_information.as_deref()),
    );
    columns.text(
        "failure_reason_code",
        rows().map(|r| r.failure.failure_reason_code.as_deref()),
    );
    columns.finish()
}

pub(super) fn failure_reports(
    reports: &[Taken<Box<FailureReport>>],
) -> Result<RecordBatch, ArrowError> {
    let rows = || reports.iter();
    let mut columns = Columns::default();
    columns.text("id", rows().map(|r| Some(r.id.as_str())));
    columns.text("sha256", rows().map(|r| Some(r.sha256.as_str())));
    columns.day("day", rows().map(|r| r.day));
    columns.text("domain", rows().map(|r| Some(r.report.domain.as_str())));
    columns.text("user_agent", rows().map(|r| r.report.user_agent.as_deref()));
    columns.text(
        "reporting_mta",
        rows().map(|r| r.report.reporting_mta.as_deref()),
    );
    columns.timestamp("arrival_utc", rows().map(|r| r.report.arrival_utc_secs));
    columns.owned_text(
        "source_ip",
        rows().map(|r| r.report.source_ip.map(|ip| ip.to_string())),
    );
    columns.bigint(
        "incidents",
        rows().map(|r| Some(bigint(r.report.incidents))),
    );
    columns.texts(
        "auth_failures",
        rows().map(|r| Some(r.report.auth_failures.as_slice())),
    );
    columns.text(
        "delivery_result",
        rows().map(|r| r.report.delivery_result.as_deref()),
    );
    columns.texts(
        "identity_alignment",
        rows().map(|r| r.report.identity_alignment.as_deref()),
    );
    authentication(&mut columns, reports);
    columns.oddities("oddities", rows().map(|r| r.report.oddities.as_slice()));
    origin(&mut columns, rows().map(|r| &r.origin));
    columns.finish()
}

fn authentication(columns: &mut Columns, reports: &[Taken<Box<FailureReport>>]) {
    let rows = || reports.iter();
    columns.text(
        "dkim_domain",
        rows().map(|r| r.report.dkim_domain.as_deref()),
    );
    columns.text(
        "dkim_selector",
        rows().map(|r| r.report.dkim_selector.as_deref()),
    );
    columns.texts("spf_dns", rows().map(|r| Some(r.report.spf_dns.as_slice())));
    columns.texts(
        "authentication_results",
        rows().map(|r| Some(r.report.authentication_results.as_slice())),
    );
    columns.text(
        "envelope_from",
        rows().map(|r| r.report.envelope_from.as_deref()),
    );
    columns.text(
        "header_from",
        rows().map(|r| r.report.header_from.as_deref()),
    );
    columns.text(
        "reported_message_id",
        rows().map(|r| r.report.message_id.as_deref()),
    );
}

//! Reports as JSON values, in the words of the public tables and of RFC 8460.

use serde_json::{Value, json};

use crate::model::aggregate::{AggregateHead, Record};
use crate::model::day::rfc3339;
use crate::model::failure::FailureReport;
use crate::model::outcome::Oddity;
use crate::model::tls::{TlsFailure, TlsPolicy, TlsReport};

/// Text without line ends and other control characters.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// The head of an aggregate report, without its records.
pub(super) fn head(head: &AggregateHead) -> Value {
    json!({
        "org_name": head.org_name,
        "org_domain": head.org_domain,
        "org_email": head.org_email,
        "extra_contact": head.extra_contact,
        "report_id": head.report_id,
        "begin_utc": rfc3339(head.begin_utc_secs),
        "end_utc": rfc3339(head.end_utc_secs),
        "domain": head.domain,
        "adkim": head.adkim,
        "aspf": head.aspf,
        "p": head.p,
        "sp": head.sp,
        "np": head.np,
        "pct": head.pct,
        "fo": head.fo,
        "testing": head.testing,
        "discovery_method": head.discovery_method,
        "generator": head.generator,
        "errors": head.errors,
        "schema": head.schema,
        "record_count": head.record_count,
        "messages": head.messages,
        "passed": head.passed,
    })
}

/// One record.
pub(super) fn record(record: &Record) -> Value {
    let reasons: Vec<Value> = record
        .reasons
        .iter()
        .map(|r| json!({"type": r.kind, "comment": r.comment}))
        .collect();
    let dkim = |r: &crate::model::aggregate::DkimResult| {
        json!({
            "domain": r.domain, "selector": r.selector, "result": r.result, "aligned": r.aligned,
            "human_result": r.human_result,
        })
    };
    let spf = |r: &crate::model::aggregate::SpfResult| {
        json!({
            "domain": r.domain, "scope": r.scope, "result": r.result, "aligned": r.aligned,
            "human_result": r.human_result,
        })
    };
    json!({
        "record_no": record.record_no,
        "source_ip": record.source_ip.map(|ip| ip.to_string()),
        "count": record.messages,
        "disposition": record.disposition.map(|d| d.as_str()),
        "dkim_aligned": record.dkim_aligned,
        "spf_aligned": record.spf_aligned,
        "dmarc_pass": record.dmarc_pass(),
        "header_from": record.header_from,
        "envelope_from": record.envelope_from,
        "envelope_to": record.envelope_to,
        "reasons": reasons,
        "dkim": record.dkim.iter().map(dkim).collect::<Vec<_>>(),
        "spf": record.spf.iter().map(spf).collect::<Vec<_>>(),
    })
}

/// A TLS report.
pub(super) fn tls(report: &TlsReport) -> Value {
    json!({
        "org_name": report.org_name,
        "org_domain": report.org_domain,
        "contact_info": report.contact_info,
        "report_id": report.report_id,
        "begin_utc": rfc3339(report.begin_utc_secs),
        "end_utc": rfc3339(report.end_utc_secs),
        "policies": report.policies.iter().map(policy).collect::<Vec<_>>(),
    })
}

fn policy(policy: &TlsPolicy) -> Value {
    json!({
        "policy_type": policy.policy_type,
        "policy_domain": policy.domain,
        "policy_strings": policy.policy_strings,
        "mx_hosts": policy.mx_hosts,
        "successful_session_count": policy.successful_sessions,
        "failed_session_count": policy.failed_sessions,
        "failure_details": policy.failures.iter().map(failure_detail).collect::<Vec<_>>(),
    })
}

/// One element of `failure-details`.
pub(super) fn failure_detail(failure: &TlsFailure) -> Value {
    json!({
        "result_type": failure.result_type,
        "sending_mta_ip": failure.sending_mta_ip,
        "receiving_mx_hostname": failure.receiving_mx_hostname,
        "receiving_mx_helo": failure.receiving_mx_helo,
        "receiving_ip": failure.receiving_ip,
        "failed_session_count": failure.failed_sessions,
        "additional_information": failure.additional_information,
        "failure_reason_code": failure.failure_reason_code,
    })
}

/// A failure report.
pub(super) fn failure(report: &FailureReport) -> Value {
    json!({
        "domain": report.domain,
        "user_agent": report.user_agent,
        "reporting_mta": report.reporting_mta,
        "arrival_utc": report.arrival_utc_secs.map(rfc3339),
        "source_ip": report.source_ip.map(|ip| ip.to_string()),
        "incidents": report.incidents,
        "auth_failures": report.auth_failures,
        "delivery_result": report.delivery_result,
        "identity_alignment": report.identity_alignment,
        "dkim_domain": report.dkim_domain,
        "dkim_selector": report.dkim_selector,
        "spf_dns": report.spf_dns,
        "authentication_results": report.authentication_results,
        "envelope_from": report.envelope_from,
        "header_from": report.header_from,
        "message_id": report.message_id,
    })
}

/// What was forgiven.
pub(super) fn oddities(oddities: &[Oddity]) -> Value {
    oddities
        .iter()
        .map(|oddity| json!({"code": oddity.code, "detail": oddity.detail}))
        .collect()
}

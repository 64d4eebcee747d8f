//! An SMTP TLS report (RFC 8460 section 4.4) as JSON, in all the shapes seen.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::fingerprint::Fingerprint;
use super::lists::shorten;
use super::oddities::Oddities;
use super::{json, values};
use crate::model::domain;
use crate::model::hex::hex;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::model::tls::{TlsFailure, TlsPolicy, TlsReport};

type Object = Map<String, Value>;

/// Reads the report. Of several in one document the first is read and the others are noted.
pub(super) fn read(text: &str, limits: &Limits) -> Result<TlsReport, Refusal> {
    let documents = match json::read(text, limits) {
        Err(refusal) if refusal.code.starts_with("json-") && !is_hinted(text) => {
            return Err(not_a_report());
        }
        other => other?,
    };
    let mut found = documents.iter().flat_map(|value| match value {
        Value::Array(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    });
    let mut reports = found
        .by_ref()
        .filter_map(Value::as_object)
        .filter(|object| is_report(object));
    let Some(object) = reports.next() else {
        return Err(not_a_report());
    };
    let mut reader = TlsReader {
        limits,
        oddities: Oddities::default(),
    };
    reports.for_each(|other| {
        reader
            .oddities
            .note("second-report-ignored", || text_of(other, "report-id"))
    });
    reader.report(object)
}

fn not_a_report() -> Refusal {
    Refusal::new(
        Refusal::NOT_A_REPORT,
        "this is JSON, and no SMTP TLS report: it has no policies",
    )
}

/// Whether broken JSON was meant to be a report.
fn is_hinted(text: &str) -> bool {
    text.contains("\"organization-name\"")
        || text.contains("\"policies\"")
        || text.contains("\"policy-domain\"")
}

fn is_report(object: &Object) -> bool {
    let has = |key| get(object, key).is_some();
    has("policies") && (has("organization-name") || has("date-range") || has("report-id"))
}

/// A member by its name; also with `_` for `-` and in another case.
fn get<'o>(object: &'o Object, key: &str) -> Option<&'o Value> {
    let same = |written: &str| {
        written.len() == key.len()
            && written
                .bytes()
                .zip(key.bytes())
                .all(|(w, k)| w.eq_ignore_ascii_case(&k) || (w == b'_' && k == b'-'))
    };
    object.get(key).or_else(|| {
        object
            .iter()
            .find(|(written, _)| same(written))
            .map(|(_, value)| value)
    })
}

fn text_of(object: &Object, key: &str) -> String {
    get(object, key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

struct TlsReader<'a> {
    limits: &'a Limits,
    oddities: Oddities,
}

impl TlsReader<'_> {
    fn report(mut self, object: &Object) -> Result<TlsReport, Refusal> {
        let (begin_utc_secs, end_utc_secs) = self.period(object)?;
        let org_name = self.text(object, "organization-name").unwrap_or_default();
        let contact_info = self.text(object, "contact-info");
        let policies = self.policies(object)?;
        let mut fingerprint = Fingerprint::default();
        policies
            .iter()
            .for_each(|policy| fingerprint.add_policy(policy));
        let mut report = TlsReport {
            org_domain: values::org_domain(&org_name, contact_info.as_deref()),
            org_name,
            contact_info,
            report_id: values::report_id(&self.text(object, "report-id").unwrap_or_default()),
            begin_utc_secs,
            end_utc_secs,
            policies,
            policies_sha256: fingerprint.finish(),
            oddities: Vec::new(),
        };
        if report.org_name.is_empty() {
            self.oddities.note("org-name-missing", String::new);
        }
        if report.report_id.is_empty() {
            self.oddities.note("report-id-missing", String::new);
            report.report_id = synthetic_id(&report);
        }
        report.oddities = self.oddities.finish();
        Ok(report)
    }

    fn period(&mut self, object: &Object) -> Result<(i64, i64), Refusal> {
        let range = get(object, "date-range").and_then(Value::as_object);
        let mut instant = |key| {
            let value = range
                .and_then(|range| get(range, key))
                .or_else(|| get(object, key))?;
            let text = match value {
                Value::String(text) => text.trim().to_owned(),
                Value::Number(number) => number.to_string(),
                _ => return None,
            };
            if let Some(secs) = values::iso_8601(&text) {
                return Some(secs);
            }
            self.oddities
                .note("timestamp-not-rfc-3339", || format!("{key} {text}"));
            values::timestamp(&text).0
        };
        match (instant("start-datetime"), instant("end-datetime")) {
            (Some(begin), Some(end)) => Ok((begin, end)),
            (Some(one), None) | (None, Some(one)) => {
                self.oddities.note("period-half", String::new);
                Ok((one, one))
            }
            (None, None) => {
                let message =
                    "the TLS report has no readable date-range; ask the reporter for a new one";
                Err(Refusal::new("period-missing", message))
            }
        }
    }

    fn policies(&mut self, object: &Object) -> Result<Vec<TlsPolicy>, Refusal> {
        let list: &[Value] = match get(object, "policies") {
            Some(Value::Array(list)) => list,
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        if list.is_empty() {
            self.oddities.note("no-policies", String::new);
        }
        if list.len() as u64 > self.limits.records {
            let message = format!(
                "more than {} policies; raise limits.records to take it",
                self.limits.records
            );
            return Err(Refusal::new("limit-records", message));
        }
        Ok(list
            .iter()
            .filter_map(Value::as_object)
            .map(|policy| self.policy(policy))
            .collect())
    }

    fn policy(&mut self, object: &Object) -> TlsPolicy {
        let empty = Object::new();
        let inner = get(object, "policy")
            .and_then(Value::as_object)
            .unwrap_or(object);
        let summary = get(object, "summary")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        let domain = domain::normalise(&self.text(inner, "policy-domain").unwrap_or_default());
        if domain.is_empty() {
            self.oddities.note("policy-domain-missing", String::new);
        }
        let failures = match get(object, "failure-details") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => &[],
        };
        TlsPolicy {
            policy_type: self.policy_type(inner),
            domain,
            policy_strings: self.policy_strings(inner),
            mx_hosts: self.mx_hosts(inner),
            successful_sessions: self.count(summary, "total-successful-session-count"),
            failed_sessions: self.count(summary, "total-failure-session-count"),
            failures: failures
                .iter()
                .filter_map(Value::as_object)
                .map(|failure| self.failure(failure))
                .collect(),
        }
    }

    fn policy_type(&mut self, policy: &Object) -> Option<String> {
        let written = self.text(policy, "policy-type")?;
        let (known, code) = values::word(&written, &["tlsa", "sts", "no-policy-found"]);
        if let Some(code) = code {
            self.oddities
                .note(code, || format!("policy-type {written}"));
        }
        Some(known.map_or(written, str::to_owned))
    }

    /// A list; a string; or (Microsoft) a string that is itself a JSON list.
    fn policy_strings(&mut self, policy: &Object) -> Vec<String> {
        let Some(value) = get(policy, "policy-string") else {
            return Vec::new();
        };
        let strings = self.strings(value, "policy-string");
        match strings.as_slice() {
            [one] if one.starts_with('[') => match serde_json::from_str::<Vec<String>>(one) {
                Ok(inner) => {
                    self.oddities.note("policy-string-nested", String::new);
                    self.list(inner.iter().map(String::as_str), "policy-string")
                }
                Err(_) => strings,
            },
            _ => strings,
        }
    }

    /// A list or a string, also with `mx: ` before the name, and under either spelling.
    fn mx_hosts(&mut self, policy: &Object) -> Vec<String> {
        let Some(value) = get(policy, "mx-host").or_else(|| get(policy, "mx-host-pattern")) else {
            return Vec::new();
        };
        let hosts = self.strings(value, "mx-host");
        let host = |text: &String| domain::normalise(text.strip_prefix("mx:").unwrap_or(text));
        hosts
            .iter()
            .map(host)
            .filter(|host| !host.is_empty())
            .collect()
    }

    fn failure(&mut self, failure: &Object) -> TlsFailure {
        let information = self.text(failure, "additional-information");
        TlsFailure {
            result_type: self.text(failure, "result-type"),
            sending_mta_ip: self.text(failure, "sending-mta-ip"),
            receiving_mx_hostname: self.text(failure, "receiving-mx-hostname"),
            receiving_mx_helo: self.text(failure, "receiving-mx-helo"),
            receiving_ip: self.text(failure, "receiving-ip"),
            failed_sessions: self.count(failure, "failed-session-count"),
            additional_information: information
                .or_else(|| self.text(failure, "additional-info-uri")),
            failure_reason_code: self.text(failure, "failure-reason-code"),
        }
    }

    fn strings(&mut self, value: &Value, field: &'static str) -> Vec<String> {
        match value {
            Value::Array(list) => self.list(list.iter().filter_map(Value::as_str), field),
            Value::String(text) => {
                self.oddities
                    .note("list-is-string", || format!("{field} {text}"));
                vec![self.cut(text, field)]
                    .into_iter()
                    .filter(|text| !text.is_empty())
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn list<'t>(
        &mut self,
        texts: impl Iterator<Item = &'t str>,
        field: &'static str,
    ) -> Vec<String> {
        let mut list = texts.map(|text| self.cut(text, field)).collect();
        shorten(&mut list, field, self.limits, &mut self.oddities);
        list
    }

    /// A trimmed text; `None` where absent, null, empty or something else (noted).
    fn text(&mut self, object: &Object, key: &'static str) -> Option<String> {
        match get(object, key)? {
            Value::String(text) => Some(self.cut(text.trim(), key)).filter(|text| !text.is_empty()),
            Value::Number(number) => {
                self.oddities
                    .note("value-type", || format!("{key} {number}"));
                Some(number.to_string())
            }
            Value::Null => None,
            _ => {
                self.oddities.note("value-type", || key.to_owned());
                None
            }
        }
    }

    fn count(&mut self, object: &Object, key: &'static str) -> u64 {
        let (count, code) = match get(object, key) {
            Some(Value::Number(number)) => values::count(&number.to_string()),
            Some(Value::String(text)) => (values::count(text.trim()).0, Some("value-type")),
            _ => (0, Some("count-missing")),
        };
        if let Some(code) = code {
            self.oddities.note(code, || key.to_owned());
        }
        count
    }

    fn cut(&mut self, text: &str, field: &'static str) -> String {
        let mut end = text.len().min(self.limits.text_bytes);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        if end < text.len() {
            self.oddities.note("text-cut", || field.to_owned());
        }
        text[..end].to_owned()
    }
}

fn synthetic_id(report: &TlsReport) -> String {
    let domains: BTreeSet<&str> = report
        .policies
        .iter()
        .map(|policy| policy.domain.as_str())
        .collect();
    let mut hash = Sha256::new();
    for text in std::iter::once(report.org_domain.as_str()).chain(domains) {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.update(report.begin_utc_secs.to_le_bytes());
    hash.update(report.end_utc_secs.to_le_bytes());
    hash.update(report.policies_sha256);
    hex(&hash.finalize()[..16])
}

#[cfg(test)]
pub(super) mod tests;

//! A failure report about one message: the fields of `message/feedback-report` (RFC 5965, 6591, 9991), an empty line
//! and the header of the message; or the plain text that Exim writes.
//!
//! Subjects, recipients and bodies are not kept.

use chrono::DateTime;

use super::fields::{Fields, address_domain, without_comments};
use super::lists::shorten;
use super::oddities::Oddities;
use super::values;
use crate::model::domain;
use crate::model::failure::FailureReport;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;

/// Bytes at the beginning in which a report must say what it is.
const HEAD_BYTES: usize = 8 * 1024;

/// Whether a document is a feedback report of any type, or Exim's text.
pub(super) fn is_one(text: &[u8]) -> bool {
    if !text.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let head = &text[..text.len().min(HEAD_BYTES)];
    let lines = || head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let begins = |line: &[u8], name: &[u8]| {
        line.get(..name.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(name))
    };
    let is_feedback = lines()
        .take_while(|line| !line.is_empty())
        .any(|line| begins(line, b"feedback-type:"));
    let has = |name: &[u8]| lines().any(|line| begins(line, name));
    is_feedback || (has(b"sender domain:") && has(b"sender ip address:") && has(b"dmarc results:"))
}

/// Reads the report; other kinds of feedback are not reports.
pub(super) fn read(text: &str, limits: &Limits) -> Result<FailureReport, Refusal> {
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let (fields, rest) = Fields::read(text, limits.text_bytes);
    let mut oddities = Oddities::default();
    let mut report = match fields.first("Feedback-Type").map(str::to_ascii_lowercase) {
        Some(kind) if kind.trim() == "auth-failure" => arf(&fields, limits, &mut oddities),
        Some(_) if fields.first("Auth-Failure").is_some() => {
            oddities.note("feedback-type-wrong", || {
                fields.first("Feedback-Type").unwrap_or_default().to_owned()
            });
            arf(&fields, limits, &mut oddities)
        }
        Some(_) => {
            let message =
                "this is a complaint about a message, and no report about failed authentication";
            return Err(Refusal::new(Refusal::NOT_A_REPORT, message));
        }
        None => return Ok(exim(text, limits)),
    };
    message(&mut report, rest.trim_start_matches(['\r', '\n']), limits);
    if report.domain.is_empty() {
        oddities.note("reported-domain-missing", String::new);
        report.domain = report.header_from.clone().unwrap_or_default();
    }
    report.oddities = oddities.finish();
    Ok(report)
}

fn arf(fields: &Fields, limits: &Limits, oddities: &mut Oddities) -> FailureReport {
    let owned = |name| {
        fields
            .first(name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    };
    let most = limits.results_per_record as usize;
    let mut auth_failures: Vec<String> = fields.all("Auth-Failure").flat_map(words).collect();
    shorten(&mut auth_failures, "Auth-Failure", limits, oddities);
    let mut list = |name| {
        let mut list = fields.all(name).map(str::to_owned).collect();
        shorten(&mut list, name, limits, oddities);
        list
    };
    let (spf_dns, authentication_results) = (list("SPF-DNS"), list("Authentication-Results"));
    if auth_failures.is_empty() {
        oddities.note("auth-failure-missing", String::new);
    }
    FailureReport {
        domain: fields
            .first("Reported-Domain")
            .map(domain::normalise)
            .unwrap_or_default(),
        user_agent: owned("User-Agent"),
        reporting_mta: fields
            .first("Reporting-MTA")
            .map(|mta| mta.rsplit(';').next().unwrap_or(mta).trim().to_owned()),
        arrival_utc_secs: arrival(
            fields
                .first("Arrival-Date")
                .or(fields.first("Received-Date")),
            oddities,
        ),
        source_ip: source_ip(fields.first("Source-IP"), oddities),
        incidents: incidents(fields.first("Incidents"), oddities),
        auth_failures,
        delivery_result: owned("Delivery-Result").map(|result| result.to_ascii_lowercase()),
        identity_alignment: fields.first("Identity-Alignment").map(|list| {
            words(list)
                .into_iter()
                .filter(|word| word != "none")
                .take(most)
                .collect()
        }),
        dkim_domain: fields
            .first("DKIM-Domain")
            .map(domain::normalise)
            .filter(|name| !name.is_empty()),
        dkim_selector: owned("DKIM-Selector"),
        spf_dns,
        authentication_results,
        envelope_from: fields
            .first("Original-Mail-From")
            .map(|from| address_domain(from).unwrap_or_default()),
        ..FailureReport::default()
    }
}

/// Words between commas, spaces and comments, lower-cased.
fn words(value: &str) -> Vec<String> {
    let bare = without_comments(value).to_ascii_lowercase();
    let words = bare.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn arrival(value: Option<&str>, oddities: &mut Oddities) -> Option<i64> {
    let value = value?;
    let bare = without_comments(value);
    match DateTime::parse_from_rfc2822(bare.trim()) {
        Ok(instant) => Some(instant.timestamp()),
        Err(_) => {
            oddities.note("timestamp-unreadable", || value.to_owned());
            values::iso_8601(bare.trim())
        }
    }
}

fn source_ip(value: Option<&str>, oddities: &mut Oddities) -> Option<std::net::IpAddr> {
    let (ip, code) = values::source_ip(value.unwrap_or_default());
    if let Some(code) = code {
        oddities.note(code, || value.unwrap_or_default().to_owned());
    }
    ip
}

fn incidents(value: Option<&str>, oddities: &mut Oddities) -> u64 {
    let Some(value) = value else { return 1 };
    let (count, code) = values::count(value);
    if let Some(code) = code {
        oddities.note(code, || format!("Incidents {value}"));
    }
    count.max(1)
}

/// What is kept of the reported message.
fn message(report: &mut FailureReport, header: &str, limits: &Limits) {
    let (fields, _) = Fields::read(header, limits.text_bytes);
    report.header_from = fields.first("From").and_then(address_domain);
    report.message_id = fields
        .first("Message-ID")
        .map(|id| id.trim_matches(['<', '>', ' ']).to_owned())
        .filter(|id| !id.is_empty());
    if report.authentication_results.is_empty() {
        let most = limits.results_per_record as usize;
        report.authentication_results = fields
            .all("Authentication-Results")
            .take(most)
            .map(str::to_owned)
            .collect();
    }
}

/// `Sender Domain: …`, `SPF Alignment: no`, then a line of dashes and the header of the message.
fn exim(text: &str, limits: &Limits) -> FailureReport {
    let (facts, header) = match text.find("\n---") {
        Some(at) => (
            &text[..at],
            text[at + 1..]
                .split_once('\n')
                .map_or("", |(_, header)| header),
        ),
        None => (text, ""),
    };
    let lines: Vec<&str> = facts
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let (fields, _) = Fields::read(&lines.join("\n"), limits.text_bytes);
    let mut oddities = Oddities::default();
    oddities.note("plain-text-report", String::new);
    let failed = |name| {
        fields
            .first(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("no"))
    };
    let mechanisms = [("dkim", "DKIM Alignment"), ("spf", "SPF Alignment")];
    let failed = mechanisms
        .iter()
        .filter(|(_, name)| failed(name))
        .map(|(word, _)| (*word).to_owned());
    let results = fields.first("DMARC Results").unwrap_or_default();
    let mut report = FailureReport {
        domain: fields
            .first("Sender Domain")
            .map(domain::normalise)
            .unwrap_or_default(),
        arrival_utc_secs: arrival(fields.first("Received date"), &mut oddities),
        source_ip: source_ip(fields.first("Sender IP Address"), &mut oddities),
        incidents: 1,
        auth_failures: vec!["dmarc".to_owned()],
        delivery_result: results
            .rsplit_once(',')
            .map(|(_, action)| action.trim().to_ascii_lowercase()),
        identity_alignment: Some(failed.collect()),
        ..FailureReport::default()
    };
    message(&mut report, header.trim_start_matches(['\r', '\n']), limits);
    report.oddities = oddities.finish();
    report
}

#[cfg(test)]
pub(super) mod tests;

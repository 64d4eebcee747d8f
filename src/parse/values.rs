//! Text of a field -> value, with the code of what was forgiven. Nothing here fails: what cannot be read is `None`
//! and has a code.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::model::aggregate::Disposition;
use crate::model::day::MAX_UTC_SECS;
use crate::model::domain;

/// A value and, where it was not written as the standard says, the code of the oddity.
pub(super) type Read<T> = (T, Option<&'static str>);

/// 2100-01-01: later periods are kept, but flagged.
const FAR_FUTURE_SECS: i64 = 4_102_444_800;

/// Seconds since 1970 from an integer, a decimal, milliseconds, microseconds or ISO 8601.
pub(super) fn timestamp(text: &str) -> Read<Option<i64>> {
    let (secs, code) = if let Ok(number) = text.parse::<i64>() {
        scaled(number)
    } else if let Some(number) = decimal(text) {
        let (secs, code) = scaled(number);
        (secs, code.or(Some("timestamp-decimal")))
    } else if let Some(secs) = iso_8601(text) {
        (secs, Some("timestamp-iso-8601"))
    } else {
        return (None, Some("timestamp-unreadable"));
    };
    match secs {
        ..0 => (None, Some("timestamp-unreadable")),
        0..=FAR_FUTURE_SECS => (Some(secs), code),
        _ => (Some(secs.min(MAX_UTC_SECS)), Some("timestamp-far-future")),
    }
}

/// Above 1e11 seconds (the year 5138) a number is milliseconds, then microseconds, then nanoseconds.
fn scaled(number: i64) -> Read<i64> {
    if number <= 100_000_000_000 {
        (number, None)
    } else if number <= 100_000_000_000_000 {
        (number / 1_000, Some("timestamp-milliseconds"))
    } else if number <= 100_000_000_000_000_000 {
        (number / 1_000_000, Some("timestamp-microseconds"))
    } else {
        (number / 1_000_000_000, Some("timestamp-nanoseconds"))
    }
}

fn decimal(text: &str) -> Option<i64> {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = text.split_once(['.', ','])?;
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    whole.parse().ok()
}

/// RFC 3339, or a date (and time, taken as UTC) without a zone.
pub(super) fn iso_8601(text: &str) -> Option<i64> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.timestamp());
    }
    let bare = text
        .trim_end_matches("UTC")
        .trim_end_matches('Z')
        .trim_end();
    for format in [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
    ] {
        if let Ok(instant) = NaiveDateTime::parse_from_str(bare, format) {
            return Some(instant.and_utc().timestamp());
        }
    }
    let day = NaiveDate::parse_from_str(bare, "%Y-%m-%d").ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp())
}

/// A number of messages or sessions; what is no such number counts as 0.
pub(super) fn count(text: &str) -> Read<u64> {
    const MOST: u64 = i64::MAX as u64;
    if let Ok(number) = text.parse::<u64>() {
        return if number > MOST {
            (MOST, Some("count-huge"))
        } else {
            (number, None)
        };
    }
    if text.is_empty() {
        return (0, Some("count-missing"));
    }
    if let Some(number) = decimal(text) {
        return (number.unsigned_abs(), Some("count-decimal"));
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return (MOST, Some("count-huge"));
    }
    (
        0,
        Some(if text.starts_with('-') {
            "count-negative"
        } else {
            "count-unreadable"
        }),
    )
}

/// A source address: `ip (host)`, brackets, zones and IPv4-mapped IPv6 are forgiven.
pub(super) fn source_ip(text: &str) -> Read<Option<IpAddr>> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return unmapped(ip, None);
    }
    if text.is_empty() {
        return (None, Some("source-ip-missing"));
    }
    let first = text
        .split([' ', '\t', '\n', '\r', '(', ','])
        .find(|word| !word.is_empty())
        .unwrap_or_default();
    let inner = first
        .trim_start_matches(['[', '<'])
        .trim_end_matches([']', '>']);
    let inner = strip_prefix_ignore_case(inner, "ipv6:").unwrap_or(inner);
    let inner = inner.split('%').next().unwrap_or_default();
    match inner.parse::<IpAddr>() {
        Ok(ip) => unmapped(ip, Some("source-ip-decorated")),
        Err(_) => (None, Some("source-ip-unusable")),
    }
}

fn unmapped(ip: IpAddr, code: Option<&'static str>) -> Read<Option<IpAddr>> {
    match ip {
        IpAddr::V6(v6) => match Ipv6Addr::to_ipv4_mapped(&v6) {
            Some(v4) => (Some(IpAddr::V4(v4)), code.or(Some("source-ip-mapped"))),
            None => (Some(ip), code),
        },
        IpAddr::V4(_) => (Some(ip), code),
    }
}

fn strip_prefix_ignore_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// `policy_evaluated/disposition`.
pub(super) fn disposition(text: &str) -> Read<Option<Disposition>> {
    let exact = |word: &str| {
        Some(match word {
            "none" => Disposition::None,
            "pass" => Disposition::Pass,
            "quarantine" => Disposition::Quarantine,
            "reject" => Disposition::Reject,
            _ => return None,
        })
    };
    if let Some(found) = exact(text) {
        return (Some(found), None);
    }
    match exact(&text.to_ascii_lowercase()) {
        Some(found) => (Some(found), Some("value-case")),
        None if text.is_empty() => (None, Some("disposition-missing")),
        None => (None, Some("disposition-unknown")),
    }
}

/// `policy_evaluated/dkim` and `spf`: only `pass` is a pass.
pub(super) fn evaluated(text: &str) -> Read<bool> {
    match text {
        "pass" => (true, None),
        "fail" => (false, None),
        "" => (false, Some("evaluated-missing")),
        _ if text.eq_ignore_ascii_case("pass") => (true, Some("value-case")),
        _ if text.eq_ignore_ascii_case("fail") => (false, Some("value-case")),
        _ => (false, Some("evaluated-unknown")),
    }
}

/// Results that both mechanisms know.
const RESULTS: [&str; 8] = [
    "pass",
    "fail",
    "none",
    "neutral",
    "softfail",
    "temperror",
    "permerror",
    "policy",
];

/// The raw result of a mechanism; synonyms seen in the wild are mapped.
pub(super) fn auth_result(text: &str) -> Read<Option<&'static str>> {
    let known = |word: &str| RESULTS.iter().find(|known| **known == word).copied();
    if let Some(found) = known(text) {
        return (Some(found), None);
    }
    if text.is_empty() {
        return (None, Some("result-missing"));
    }
    let folded = text.to_ascii_lowercase().replace(['_', '-'], "");
    let synonym = match folded.as_str() {
        "hardfail" => Some("fail"),
        "unknown" | "tempfail" => Some("temperror"),
        "error" | "invalid" | "permfail" => Some("permerror"),
        other => match known(other) {
            Some(found) => return (Some(found), Some("value-case")),
            None => None,
        },
    };
    match synonym {
        Some(found) => (Some(found), Some("result-synonym")),
        None => (None, Some("result-unknown")),
    }
}

/// One of `words`, case folded.
pub(super) fn word(text: &str, words: &[&'static str]) -> Read<Option<&'static str>> {
    match words.iter().find(|known| known.eq_ignore_ascii_case(text)) {
        Some(found) if *found == text => (Some(found), None),
        Some(found) => (Some(found), Some("value-case")),
        None => (None, Some("value-unknown")),
    }
}

/// A domain name in its normal form; of an address only what follows the `@`.
pub(super) fn domain_name(text: &str) -> Read<String> {
    match text.rsplit_once('@') {
        None => (domain::normalise(text), None),
        Some((_, host)) => (domain::normalise(host), Some("domain-is-address")),
    }
}

/// `org_domain` as the model defines it: of the name where that is a domain name, else of the mail address, else the
/// lower-cased name.
pub(super) fn org_domain(org_name: &str, email: Option<&str>) -> String {
    let named = domain::normalise(org_name);
    if named.contains('.') && domain::is_host_name(&named) {
        return domain::organizational(&named).into_owned();
    }
    let host = email
        .and_then(|email| email.rsplit_once('@'))
        .map(|(_, host)| domain::normalise(host));
    match host {
        Some(host) if domain::is_host_name(&host) => domain::organizational(&host).into_owned(),
        _ => org_name.trim().to_lowercase(),
    }
}

/// A report id without white space and `<>`.
pub(super) fn report_id(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '<' | '>'))
        .collect()
}

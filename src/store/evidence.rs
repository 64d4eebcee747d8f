//! What senders are known by in a record, its address and what passes, in a form that many records share: a key, and
//! what it stands for once a chunk.
//!
//! Matching senders means looking at every suffix of every domain. Records are many and what passes in them is not: so
//! SQL matches each key once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::LazyLock;

use crate::model::aggregate::Record;
use crate::model::domain::{is_host_name, is_within};

/// The key of a record in which nothing passes.
pub(super) const NOTHING: i64 = 0;

/// What passed: the mechanism and the value that senders are known by.
type Piece<'a> = (&'static str, Cow<'a, str>);

/// Makes the keys. They are hashes that nobody outside can foresee, so that no report can be made to share the key of
/// another; they differ from run to run and stay in the staging tables.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The key of each record, and its text where the key is new among these records: one piece a line, mechanism and
/// value.
pub(super) fn evidence(records: &[Record]) -> (Vec<i64>, Vec<Option<String>>) {
    let mut known = HashSet::new();
    let mut pieces = Vec::new();
    let with_text = |record| {
        pieces.clear();
        passing(record, &mut pieces);
        let key = key(&pieces);
        let is_new = key != NOTHING && known.insert(key);
        (key, is_new.then(|| text(&pieces)))
    };
    records.iter().map(with_text).unzip()
}

/// The key of each record's address, and its octets where the key is new among these records.
pub(super) fn addresses(records: &[Record]) -> (Vec<Option<i64>>, Vec<Option<[u8; 16]>>) {
    let mut known = HashSet::new();
    let with_octets = |record: &Record| {
        let Some(address) = record.source_ip else {
            return (None, None);
        };
        let key = HASHER.hash_one(address).cast_signed();
        (Some(key), known.insert(key).then(|| octets(address)))
    };
    records.iter().map(with_octets).unzip()
}

fn key(pieces: &[Piece<'_>]) -> i64 {
    if pieces.is_empty() {
        return NOTHING;
    }
    let hash = HASHER.hash_one(Pieces(pieces));
    // Any number but that of nothing.
    hash.cast_signed() | 1
}

/// An address as 16 bytes that sort like addresses; IPv4 in its mapped form.
pub(super) fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

struct Pieces<'a>(&'a [Piece<'a>]);

impl Hash for Pieces<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for (mechanism, value) in self.0 {
            mechanism.hash(state);
            value.hash(state);
        }
    }
}

fn text(pieces: &[Piece<'_>]) -> String {
    let lines: Vec<String> = pieces
        .iter()
        .map(|(mechanism, value)| format!("{mechanism} {value}"))
        .collect();
    lines.join("\n")
}

/// Results that pass, sorted, each once. What is no host name is no evidence: so neither are names of any length.
fn passing<'a>(record: &'a Record, pieces: &mut Vec<Piece<'a>>) {
    let from = record.header_from.as_deref().unwrap_or_default();
    for signature in record.dkim.iter().filter(|d| d.result == Some("pass")) {
        let Some(domain) = host_name(signature.domain.as_deref()) else {
            continue;
        };
        // A selector tells something in the signature of the customer alone: strangers choose theirs as they like.
        let is_own = signature.aligned || is_within(&domain, from) || is_within(from, &domain);
        if is_own && let Some(selector) = host_name(signature.selector.as_deref()) {
            pieces.push(("selector", selector));
        }
        pieces.push(("dkim", domain));
    }
    let passing = record.spf.iter().filter(|s| s.result == Some("pass"));
    for domain in passing.filter_map(|s| host_name(s.domain.as_deref())) {
        pieces.push(("spf", domain));
    }
    pieces.sort_unstable();
    pieces.dedup();
}

fn host_name(name: Option<&str>) -> Option<Cow<'_, str>> {
    let name = name?;
    let lower = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    };
    is_host_name(&lower).then_some(lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::aggregate::{DkimResult, SpfResult};

    fn signed(domain: &str, selector: &str, result: &'static str) -> DkimResult {
        DkimResult {
            domain: Some(domain.into()),
            selector: Some(selector.into()),
            result: Some(result),
            ..DkimResult::default()
        }
    }

    fn record(dkim: Vec<DkimResult>) -> Record {
        Record {
            header_from: Some("news.example.com".into()),
            dkim,
            ..Record::default()
        }
    }

    #[test]
    fn what_passes_is_told_once_in_any_order_and_case() {
        let a = || signed("example.com", "K2", "pass");
        let b = || signed("mail.example", "k9", "pass");
        let records = [
            record(vec![a(), b()]),
            record(vec![b(), a(), b(), signed("c.example", "x", "fail")]),
            record(vec![]),
            record(vec![signed("c.example", "x", "fail")]),
        ];
        let (keys, texts) = evidence(&records);
        assert_eq!(keys[0], keys[1]);
        assert_eq!((keys[2], keys[3]), (NOTHING, NOTHING));
        let expect = "dkim example.com\ndkim mail.example\nselector k2";
        assert_eq!(texts, [Some(expect.to_owned()), None, None, None]);
    }

    #[test]
    fn an_address_is_told_once_and_has_one_key() {
        let from = |address: Option<&str>| Record {
            source_ip: address.map(|address| address.parse().unwrap()),
            ..Record::default()
        };
        let records = [
            from(Some("192.0.2.1")),
            from(None),
            from(Some("2001:db8::1")),
            from(Some("192.0.2.1")),
        ];
        let (keys, told) = addresses(&records);
        assert_eq!((keys[0], keys[1]), (keys[3], None));
        assert_ne!(keys[0], keys[2]);
        let is_told: Vec<bool> = told.iter().map(Option::is_some).collect();
        assert_eq!(is_told, [true, false, true, false]);
        // Threads have rows of their own, and one batch.
        assert_eq!(addresses(&records[2..]).0[0], keys[2]);
    }

    #[test]
    fn hostile_names_are_no_evidence() {
        let labels = "a.".repeat(2_000) + "sendgrid.net";
        let line = "x\ndkim sendgrid.net";
        let spf = SpfResult {
            domain: Some(labels.clone()),
            result: Some("pass"),
            ..SpfResult::default()
        };
        let dkim = vec![signed(&labels, "s", "pass"), signed(line, "s", "pass")];
        let record = Record {
            spf: vec![spf],
            ..record(dkim)
        };
        assert_eq!(evidence(&[record]), (vec![NOTHING], vec![None]));
    }
}

//! What passes in a record, in a form that many records share: a key, and the text of each key once a chunk.
//!
//! Matching senders means looking at every suffix of every domain. Records are many and what passes in them is not: so
//! SQL matches each key once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};

use crate::model::aggregate::Record;
use crate::model::domain::{is_host_name, is_within};

/// The key of a record in which nothing passes.
pub(super) const NOTHING: i64 = 0;

/// What passed: the mechanism and the value that senders are known by.
type Piece<'a> = (&'static str, Cow<'a, str>);

/// Makes the keys. They are hashes that nobody outside can foresee, so that no report can be made to share the key of
/// another; they differ from run to run and stay in the staging tables.
#[derive(Default)]
pub(super) struct Evidence {
    hasher: RandomState,
}

impl Evidence {
    /// The key of each record, and its text where the key is new among these records: one piece a line, mechanism and
    /// value.
    pub(super) fn of(&self, records: &[Record]) -> (Vec<i64>, Vec<Option<String>>) {
        let mut known = HashSet::new();
        let mut pieces = Vec::new();
        let with_text = |record| {
            pieces.clear();
            passing(record, &mut pieces);
            let key = self.key(&pieces);
            let is_new = key != NOTHING && known.insert(key);
            (key, is_new.then(|| text(&pieces)))
        };
        records.iter().map(with_text).unzip()
    }

    fn key(&self, pieces: &[Piece<'_>]) -> i64 {
        if pieces.is_empty() {
            return NOTHING;
        }
        let hash = self.hasher.hash_one(Pieces(pieces));
        // Any number but that of nothing.
        hash.cast_signed() | 1
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
        let (keys, texts) = Evidence::default().of(&records);
        assert_eq!(keys[0], keys[1]);
        assert_eq!((keys[2], keys[3]), (NOTHING, NOTHING));
        let expect = "dkim example.com\ndkim mail.example\nselector k2";
        assert_eq!(texts, [Some(expect.to_owned()), None, None, None]);
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
        assert_eq!(
            Evidence::default().of(&[record]),
            (vec![NOTHING], vec![None])
        );
    }
}

//! What passed by since the tables were empty: a quick no to the question whether they hold a report. A first import and
//! a rebuild ask it for every report, and the answer is almost always no.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use super::keys::Key;

/// Bytes and keys that are remembered; beyond them, the tables are asked.
const MOST: usize = 200_000;

/// Hashes of the bytes and keys of all reports that the tables may hold. Two may share a hash: a yes is only a perhaps.
pub(super) struct Seen {
    hasher: RandomState,
    /// `None`: the tables hold others.
    hashes: Option<HashSet<u64>>,
}

impl Seen {
    /// With tables that are empty.
    pub(super) fn nothing() -> Self {
        Self {
            hasher: RandomState::new(),
            hashes: Some(HashSet::new()),
        }
    }

    /// With tables that hold what nobody looked at.
    pub(super) fn something() -> Self {
        Self {
            hasher: RandomState::new(),
            hashes: None,
        }
    }

    /// Whether the tables may hold these bytes or this key.
    pub(super) fn may_have(&self, sha256: Option<[u8; 32]>, key: Option<&Key>) -> bool {
        let Some(hashes) = &self.hashes else {
            return true;
        };
        sha256.is_some_and(|sha256| hashes.contains(&self.hasher.hash_one(sha256)))
            || key.is_some_and(|key| hashes.contains(&self.hasher.hash_one(key)))
    }

    /// These will be in the tables.
    pub(super) fn note(&mut self, sha256: Option<[u8; 32]>, key: Option<&Key>) {
        let Some(hashes) = &mut self.hashes else {
            return;
        };
        hashes.extend(sha256.map(|sha256| self.hasher.hash_one(sha256)));
        hashes.extend(key.map(|key| self.hasher.hash_one(key)));
        if hashes.len() > MOST {
            self.hashes = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(report_id: &str) -> Key {
        Key {
            kind: "aggregate",
            org_domain: "reporter.example".to_owned(),
            domain: "example.com".to_owned(),
            report_id: report_id.to_owned(),
            begin_utc_secs: 0,
            end_utc_secs: 86_400,
        }
    }

    #[test]
    fn what_passed_by_may_be_there_and_nothing_else() {
        let mut seen = Seen::nothing();
        seen.note(Some([1; 32]), Some(&key("1")));
        assert!(seen.may_have(Some([1; 32]), None));
        assert!(seen.may_have(Some([2; 32]), Some(&key("1"))));
        assert!(!seen.may_have(Some([2; 32]), Some(&key("2"))));
        assert!(!seen.may_have(None, None));
    }

    #[test]
    fn anything_may_be_in_tables_that_were_not_empty_or_hold_too_much() {
        assert!(Seen::something().may_have(Some([1; 32]), None));
        let mut seen = Seen::nothing();
        for number in 0..=MOST {
            seen.note(None, Some(&key(&number.to_string())));
        }
        assert!(seen.may_have(Some([1; 32]), None));
    }
}

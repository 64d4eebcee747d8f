//! Names of hosts, as look-ups found them: what DNS said then cannot be asked for again.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Entry, Event};
use crate::model::address::HostAnswer;
use crate::model::hex::hex;

/// Addresses in one line: with the longest names they take half of what a line may hold.
const LINE_ADDRESSES: usize = 1_500;

/// How long an answer holds, that there is no name too.
const FRESH_SECS: i64 = 30 * 86_400;

/// After a failure it is tried again, each time after twice as long, from an hour to a week.
const AGAIN_SECS: i64 = 3_600;
const LONGEST_AGAIN_SECS: i64 = 7 * 86_400;

/// What look-ups of host names found, when the line was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostsLookedUp {
    /// Names that lead back to their address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub named: BTreeMap<IpAddr, String>,
    /// Addresses without one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nameless: Vec<IpAddr>,
    /// Addresses of which nothing could be found out; what was known of them holds on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<IpAddr>,
}

/// The events that note what was found, as few as go.
pub fn hosts_looked_up(answers: &[(IpAddr, HostAnswer)]) -> Vec<Event> {
    let event = |answers: &[(IpAddr, HostAnswer)]| {
        let mut found = HostsLookedUp::default();
        for (address, answer) in answers {
            match answer {
                HostAnswer::Named(name) => {
                    found.named.insert(*address, name.clone());
                }
                HostAnswer::Nameless => found.nameless.push(*address),
                HostAnswer::Failed(_) => found.failed.push(*address),
            }
        }
        Event::HostsLookedUp(found)
    };
    answers.chunks(LINE_ADDRESSES).map(event).collect()
}

/// What is known of one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Host {
    name: Option<String>,
    /// When it was last asked for, seconds since 1970 UTC.
    asked_utc_secs: i64,
    /// Failures in a row.
    failures: u32,
}

/// The names of hosts that the ledger knows: the last answer for each address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostNames {
    hosts: BTreeMap<IpAddr, Host>,
}

impl HostNames {
    /// Folds entries in their order.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut names = Self::default();
        for entry in entries {
            if let Event::HostsLookedUp(found) = &entry.event {
                names.apply(entry, found);
            }
        }
        names
    }

    fn apply(&mut self, entry: &Entry, found: &HostsLookedUp) {
        let at_utc_secs = entry.at_utc_secs;
        let named = found.named.iter().map(|(ip, name)| (*ip, Some(name)));
        let nameless = found.nameless.iter().map(|ip| (*ip, None));
        for (address, name) in named.chain(nameless) {
            let host = self.hosts.entry(address).or_default();
            if host.name.as_ref() != name {
                host.name = name.cloned();
            }
            host.asked_utc_secs = at_utc_secs;
            host.failures = 0;
        }
        for address in &found.failed {
            let host = self.hosts.entry(*address).or_default();
            host.asked_utc_secs = at_utc_secs;
            host.failures = host.failures.saturating_add(1);
        }
    }

    /// The name of an address.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.hosts.get(&address)?.name.as_deref()
    }

    /// All addresses with a name, in order.
    pub fn all<'h>(&'h self) -> impl Iterator<Item = (IpAddr, &'h str)> {
        let named = |(address, host): (&IpAddr, &'h Host)| Some((*address, host.name.as_deref()?));
        self.hosts.iter().filter_map(named)
    }

    /// SHA-256 over all names, in hexadecimal digits; empty where there are none.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        let mut is_empty = true;
        for (address, name) in self.all() {
            hash.update(format!("{address} {name}\n"));
            is_empty = false;
        }
        if is_empty {
            return String::new();
        }
        hex(&hash.finalize())
    }

    /// Addresses that were last looked up at an instant or later, seconds since 1970 UTC.
    pub fn asked_since(&self, utc_secs: i64) -> usize {
        let hosts = self.hosts.values();
        hosts.filter(|host| host.asked_utc_secs >= utc_secs).count()
    }

    /// Whether an address should be looked up, seconds since 1970 UTC.
    pub fn is_due(&self, address: IpAddr, now_utc_secs: i64) -> bool {
        let Some(host) = self.hosts.get(&address) else {
            return true;
        };
        let wait_secs = match host.failures {
            0 => FRESH_SECS,
            failures => (AGAIN_SECS << (failures - 1).min(20)).min(LONGEST_AGAIN_SECS),
        };
        // The clock may have been set back.
        !(0..wait_secs).contains(&now_utc_secs.saturating_sub(host.asked_utc_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seq: u64, at_utc_secs: i64, answers: &[(&str, HostAnswer)]) -> Entry {
        let answers: Vec<(IpAddr, HostAnswer)> = answers
            .iter()
            .map(|(address, answer)| (address.parse().unwrap(), answer.clone()))
            .collect();
        let event = hosts_looked_up(&answers).remove(0);
        Entry {
            seq,
            at_utc_secs,
            event,
        }
    }

    fn named(name: &str) -> HostAnswer {
        HostAnswer::Named(name.to_owned())
    }

    fn failed() -> HostAnswer {
        HostAnswer::Failed("no answer in time".to_owned())
    }

    #[test]
    fn the_last_answer_holds_and_a_failure_is_none() {
        let entries = [
            entry(
                1,
                0,
                &[
                    ("8.8.8.8", named("a.example")),
                    ("9.9.9.9", HostAnswer::Nameless),
                ],
            ),
            entry(2, 10, &[("8.8.8.8", failed())]),
            entry(3, 20, &[("9.9.9.9", HostAnswer::Nameless)]),
        ];
        let names = HostNames::fold(&entries);
        assert_eq!(names.name("8.8.8.8".parse().unwrap()), Some("a.example"));
        assert_eq!(names.name("9.9.9.9".parse().unwrap()), None);
        assert_eq!(
            [0, 10, 11, 21].map(|at| names.asked_since(at)),
            [2, 2, 1, 0]
        );
        assert_eq!(names.hash(), HostNames::fold(&entries[..1]).hash());
        let gone = entry(4, 30, &[("8.8.8.8", HostAnswer::Nameless)]);
        let names = HostNames::fold(&[entries.as_slice(), &[gone]].concat());
        assert_eq!((names.hash().as_str(), names.all().count()), ("", 0));
    }

    #[test]
    fn answers_hold_for_a_month_and_failures_are_tried_again_ever_later() {
        let address = "8.8.8.8".parse().unwrap();
        let due = |answers: &[(i64, HostAnswer)], now| {
            let entries: Vec<Entry> = (answers.iter().zip(1..))
                .map(|((at, answer), seq)| entry(seq, *at, &[("8.8.8.8", answer.clone())]))
                .collect();
            HostNames::fold(&entries).is_due(address, now)
        };
        let day = 86_400;
        for (answers, now, expect) in [
            (vec![], 0, true),
            (vec![(0, named("a.example"))], 30 * day - 1, false),
            (vec![(0, named("a.example"))], 30 * day, true),
            (vec![(0, HostAnswer::Nameless)], 29 * day, false),
            (vec![(100 * day, HostAnswer::Nameless)], 0, true),
            (vec![(0, failed())], 3_599, false),
            (vec![(0, failed())], 3_600, true),
            (vec![(0, failed()), (0, failed())], 7_199, false),
            (vec![(0, failed()), (0, failed())], 7_200, true),
            (vec![(0, failed()); 60], 7 * day - 1, false),
            (vec![(0, failed()); 60], 7 * day, true),
            (vec![(0, failed()), (0, HostAnswer::Nameless)], day, false),
        ] {
            assert_eq!(due(&answers, now), expect, "{answers:?} {now}");
        }
    }

    #[test]
    fn many_answers_fit_into_lines() {
        let name = ["a".repeat(63).as_str(); 4].join(".")[..253].to_owned();
        let answers: Vec<(IpAddr, HostAnswer)> = (0..4_000_u32)
            .map(|n| {
                (
                    std::net::Ipv6Addr::from_bits(u128::MAX - u128::from(n)).into(),
                    named(&name),
                )
            })
            .collect();
        let events = hosts_looked_up(&answers);
        assert_eq!(events.len(), 3);
        for event in events {
            super::super::line::encode(1, 0, &event).unwrap();
        }
    }
}

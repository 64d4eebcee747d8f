//! How channels fare while the program runs: failures, and when to try again.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};

use crate::ledger::ChannelNotices;
use crate::model::channel::Channel;
use crate::model::standing::ChannelStatus;
use crate::notify::fate::{Retry, SendError};

/// After the first failure; doubled with each further one.
const FIRST_SECS: i64 = 30;
/// At most.
const LONGEST_SECS: i64 = 4 * 60 * 60;
/// Where somebody has to change something first.
const PERSON_SECS: i64 = 60 * 60;

/// What is known of channels beside the ledger; a new start begins without.
#[derive(Debug, Default)]
pub struct Memory {
    channels: BTreeMap<String, Fared>,
    /// The same of the content of their digests.
    digests: BTreeMap<String, Fared>,
    /// Keys of messages that are sent, and of which the ledger does not know yet.
    pub(super) unnoted: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Fared {
    failures: u32,
    needs_a_person: bool,
    last_error: Option<(DateTime<Utc>, String)>,
    next_try: Option<DateTime<Utc>>,
    last_success: Option<DateTime<Utc>>,
}

impl Fared {
    fn held_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let next = self.next_try?;
        // A clock that was set back must not hold a channel for longer than the longest wait.
        let latest = now + Duration::seconds(24 * 60 * 60);
        (next > now).then(|| next.min(latest))
    }

    fn failed(&mut self, error: &SendError, now: DateTime<Utc>) -> DateTime<Utc> {
        self.failures = self.failures.saturating_add(1);
        self.needs_a_person = error.retry == Retry::NeedsPerson;
        let doubled = FIRST_SECS << (self.failures - 1).min(20);
        let secs = match error.retry {
            Retry::NeedsPerson => PERSON_SECS,
            Retry::Soon => doubled.min(LONGEST_SECS),
            Retry::After(secs) => i64::try_from(secs)
                .unwrap_or(i64::MAX)
                .clamp(1, 24 * 60 * 60),
        };
        let next = now + Duration::seconds(secs);
        self.last_error = Some((now, error.to_string()));
        self.next_try = Some(next);
        next
    }
}

impl Memory {
    /// When a channel that failed is tried again; `None` where it may be tried now.
    pub(super) fn held_until(&self, channel: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.channels.get(channel)?.held_until(now)
    }

    /// The same of its digests, whose content could not be made.
    pub(super) fn digest_held_until(
        &self,
        channel: &str,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        self.digests.get(channel)?.held_until(now)
    }

    /// Sending went well.
    pub(super) fn succeeded(&mut self, channel: &str, now: DateTime<Utc>) {
        let fared = self.channels.entry(channel.to_owned()).or_default();
        *fared = Fared {
            last_success: Some(now),
            ..Fared::default()
        };
    }

    /// Some have the message, and it is left at that; why the others have not stays to be seen.
    pub(super) fn left(&mut self, channel: &str, error: &SendError, now: DateTime<Utc>) {
        self.succeeded(channel, now);
        let fared = self.channels.entry(channel.to_owned()).or_default();
        fared.last_error = Some((now, error.to_string()));
    }

    /// Sending failed; gives when it is tried again.
    pub(super) fn failed(
        &mut self,
        channel: &str,
        error: &SendError,
        now: DateTime<Utc>,
    ) -> DateTime<Utc> {
        let fared = self.channels.entry(channel.to_owned()).or_default();
        fared.failed(error, now)
    }

    /// The content of a digest could not be made.
    pub(super) fn digest_failed(&mut self, channel: &str, error: &SendError, now: DateTime<Utc>) {
        let fared = self.digests.entry(channel.to_owned()).or_default();
        fared.failed(error, now);
    }

    /// The content of a digest was made.
    pub(super) fn digest_made(&mut self, channel: &str) {
        self.digests.remove(channel);
    }

    /// How a channel fares, with what the ledger knows of it.
    pub(super) fn status(
        &self,
        channel: &Channel,
        told: &ChannelNotices,
        next_try: Option<DateTime<Utc>>,
        waiting: usize,
    ) -> ChannelStatus {
        let fared = self.channels.get(&channel.name);
        let digest = self.digests.get(&channel.name);
        let noted = told.last_sent_utc_secs;
        let noted = noted.and_then(|secs| DateTime::from_timestamp(secs, 0));
        ChannelStatus {
            name: channel.name.clone(),
            kind: channel.way.as_str().to_owned(),
            last_success: fared.and_then(|fared| fared.last_success).or(noted),
            last_error: fared
                .and_then(|fared| fared.last_error.clone())
                .or_else(|| digest?.last_error.clone()),
            failures: [fared, digest]
                .into_iter()
                .flatten()
                .map(|fared| fared.failures)
                .sum(),
            needs_a_person: fared.is_some_and(|fared| fared.needs_a_person),
            next_try,
            waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_hours_and_a_server_may_ask_for_patience() {
        let now: DateTime<Utc> = "2024-03-10T08:00:00Z".parse().unwrap();
        let mut memory = Memory::default();
        let soon = SendError::soon("x");
        let waits: Vec<i64> = (0..12)
            .map(|_| (memory.failed("a", &soon, now) - now).num_seconds())
            .collect();
        assert_eq!(waits[..4], [30, 60, 120, 240]);
        assert_eq!(waits[10..], [LONGEST_SECS, LONGEST_SECS]);
        for (retry, expect) in [
            (Retry::NeedsPerson, 3600),
            (Retry::After(7), 7),
            (Retry::After(u64::MAX), 86_400),
        ] {
            let error = SendError::new("x", retry);
            assert_eq!(
                (memory.failed("b", &error, now) - now).num_seconds(),
                expect
            );
        }
        assert!(memory.held_until("a", now).is_some());
        assert_eq!(memory.held_until("a", now + Duration::hours(5)), None);
        memory.succeeded("a", now);
        assert_eq!(memory.held_until("a", now), None);
    }
}

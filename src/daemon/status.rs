//! How things stand, for pages, metrics and watchdogs.

use chrono::{DateTime, Utc};

use super::plan::Doing;
use crate::job::positions::{Place, Positions, Reached};
use crate::model::standing::{ChannelStatus, Health, MailboxState};

/// A mailbox as the plan knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotStatus {
    /// Name of the inbox.
    pub name: String,
    /// What it is doing.
    pub doing: Doing,
    /// How often it was looked into.
    pub looks: u64,
    /// Failures in a row.
    pub failures: u32,
    /// Whether the last of them is one that trying again does not mend: a wrong password, a missing folder.
    pub needs_a_person: bool,
    /// When it was last read to its end.
    pub last_success: Option<DateTime<Utc>>,
    /// When it last failed, and why.
    pub last_error: Option<(DateTime<Utc>, String)>,
    /// When it will be looked into next.
    pub next_try: DateTime<Utc>,
}

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxStatus {
    /// As the schedule knows it.
    pub slot: SlotStatus,
    /// Whether its server tells of new mail.
    pub is_watched: bool,
    /// Its folders in the archive: highest message and number of messages.
    pub reached: Vec<(Place, Reached)>,
}

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Mailboxes in the order of the configuration.
    pub inboxes: Vec<InboxStatus>,
    /// Why nothing is fetched at all, if so.
    pub low_disk: Option<String>,
    /// Why nobody can tell how full the disk is, if so.
    pub disk_error: Option<String>,
    /// Why the last run failed as a whole, if so.
    pub run_error: Option<(DateTime<Utc>, String)>,
    /// Runs that failed as a whole, in a row.
    pub run_failures: u32,
    /// Whether the heartbeat address could not be called, and why.
    pub heartbeat_error: Option<String>,
    /// Jobs that are owed.
    pub owed_jobs: usize,
    /// Ways to people, in the order of the configuration.
    pub channels: Vec<ChannelStatus>,
}

impl Status {
    /// How well it goes. One failure may be a hiccup; two in a row are not, and neither is one that a person has to mend.
    pub fn health(&self) -> Health {
        let is_failing = |inbox: &InboxStatus| {
            let slot = &inbox.slot;
            is_down(slot.failures, slot.needs_a_person)
        };
        let is_mute = |channel: &ChannelStatus| is_down(channel.failures, channel.needs_a_person);
        let failing = self
            .inboxes
            .iter()
            .filter(|inbox| is_failing(inbox))
            .count();
        let is_stopped = self.low_disk.is_some() || self.run_failures >= 3;
        if is_stopped || (failing > 0 && failing == self.inboxes.len()) {
            Health::Failing
        } else if failing > 0
            || self.run_failures > 0
            || self.disk_error.is_some()
            || self.channels.iter().any(is_mute)
        {
            Health::Degraded
        } else {
            Health::Ok
        }
    }

    /// The folders of each mailbox as the archive has them.
    pub(super) fn reached(positions: &Positions, inbox: &str) -> Vec<(Place, Reached)> {
        let of_inbox = positions.of_inbox(inbox);
        of_inbox
            .map(|(place, reached)| (place.clone(), reached))
            .collect()
    }
}

fn is_down(failures: u32, needs_a_person: bool) -> bool {
    failures >= 2 || (failures > 0 && needs_a_person)
}

impl InboxStatus {
    /// What it is doing, and how it fares.
    pub fn state(&self) -> MailboxState {
        match self.slot.doing {
            Doing::Looking => MailboxState::Looking,
            Doing::Queued => MailboxState::Queued,
            Doing::Fetching => MailboxState::Fetching,
            Doing::Waiting if self.slot.failures > 0 => MailboxState::Failing,
            Doing::Waiting if self.is_watched => MailboxState::Watching,
            Doing::Waiting if self.slot.last_success.is_none() => MailboxState::Starting,
            Doing::Waiting => MailboxState::Waiting,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox((failures, needs_a_person): (u32, bool)) -> InboxStatus {
        let slot = SlotStatus {
            name: "reports".to_owned(),
            doing: Doing::Waiting,
            looks: 3,
            failures,
            needs_a_person,
            last_success: None,
            last_error: None,
            next_try: DateTime::UNIX_EPOCH,
        };
        InboxStatus {
            slot,
            is_watched: false,
            reached: Vec::new(),
        }
    }

    #[test]
    fn a_channel_with_a_wrong_token_is_told_of_at_once() {
        for (failures, needs_a_person, expect) in [
            (0, false, Health::Ok),
            (1, false, Health::Ok),
            (1, true, Health::Degraded),
            (2, false, Health::Degraded),
        ] {
            let channel = ChannelStatus {
                name: "chat".to_owned(),
                kind: "telegram".to_owned(),
                last_success: None,
                last_error: None,
                failures,
                needs_a_person,
                next_try: None,
                waiting: 1,
            };
            let status = Status {
                channels: vec![channel],
                ..Status::default()
            };
            assert_eq!(status.health(), expect, "{failures} {needs_a_person}");
        }
    }

    #[test]
    fn a_hiccup_is_no_failure_and_a_wrong_password_is_one_at_once() {
        let (good, hiccup, down, wrong) = ((0, true), (1, false), (2, false), (1, true));
        for (inboxes, expect) in [
            (&[][..], Health::Ok),
            (&[good, hiccup], Health::Ok),
            (&[good, down], Health::Degraded),
            (&[good, wrong], Health::Degraded),
            (&[down, wrong], Health::Failing),
        ] {
            let status = Status {
                inboxes: inboxes.iter().copied().map(inbox).collect(),
                ..Status::default()
            };
            assert_eq!(status.health(), expect, "{inboxes:?}");
        }
    }
}

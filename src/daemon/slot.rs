//! A mailbox as the plan has it.

use chrono::{DateTime, Utc};

use super::timetable::Timetable;

/// Why a mailbox should be looked into before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    No,
    /// Its server says that something is new.
    Server,
    /// A person wants it, even where it failed before.
    Person,
}

/// What a mailbox is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Nothing, until the time comes.
    Waiting,
    /// Being looked into.
    Looking,
    /// Something was found, and the worker is busy.
    Queued,
    /// Being fetched from.
    Fetching,
}

/// A mailbox.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) timetable: Timetable,
    pub(super) due: DateTime<Utc>,
    pub(super) asked: Asked,
    pub(super) doing: Doing,
    /// Looks that have begun.
    pub(super) looks: u64,
    pub(super) failures: u32,
    /// The last failure was one that trying again does not mend.
    pub(super) needs_a_person: bool,
    pub(super) retry_at: DateTime<Utc>,
    pub(super) last_success: Option<DateTime<Utc>>,
    pub(super) last_error: Option<(DateTime<Utc>, String)>,
    /// The first of the failures in a row.
    pub(super) failing_since: Option<DateTime<Utc>>,
}

impl Slot {
    /// When it is to be looked into. One that failed has its own time, whatever the schedule says.
    pub(super) fn next_try(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self.asked {
            Asked::Person => now,
            _ if self.failures > 0 => self.retry_at,
            Asked::Server => now,
            Asked::No => self.due,
        }
    }
}

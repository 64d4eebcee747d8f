//! What is to be done next: a function of what happened and of the time, and nothing else.
//!
//! Each mailbox is looked into by itself; what is found waits for the one worker, and all that waits is fetched in one
//! run. Activations that come while a mailbox is busy are one activation.

mod fares;

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Duration, Utc};

use super::backoff::{longest_retry_at, retry_at};
pub use super::slot::Doing;
use super::slot::{Asked, Slot};
use super::status::SlotStatus;
use super::timetable::{Timetable, next_maintenance};
use crate::job::disk::Room;
use crate::ledger::JobRequest;

/// How often the disk is looked at while it is too full.
const LOW_DISK_SECS: i64 = 60;
/// Time between two maintenances, where one failed.
const MAINTAIN_AGAIN_SECS: i64 = 3600;

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Find out what is new in a mailbox, beside everything else.
    Look(usize),
    /// Fetch from these mailboxes, in one run, for a job where somebody asked for it.
    Fetch(Vec<usize>, Option<JobRequest>),
    /// Do the next piece of a backlog.
    Backlog(JobRequest),
    /// Do what a new day brings.
    Maintain,
    /// Publish what people did with alerts.
    Refresh,
    /// A job is at its end.
    End(JobRequest, Ending),
    /// All is well.
    Beat,
}

/// What a look found, or how a mailbox fared in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// There is something to fetch, or to do.
    Something,
    /// There is nothing.
    Nothing,
    /// It could not be looked into, or not fetched to the end.
    Failed {
        /// For people.
        error: String,
        /// Trying again soon is of no use.
        needs_a_person: bool,
    },
}

/// How a job ended: with something to be said of it beside its counts, or for a reason.
pub type Ending = Result<Option<String>, String>;

/// How a piece of a backlog ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// There is more.
    More,
    /// That was all.
    Last(Ending),
}

/// A job that is done when some mailboxes have been looked into.
#[derive(Debug)]
struct Pending {
    request: JobRequest,
    /// Mailboxes, and the look that it waits for.
    left: BTreeMap<usize, u64>,
    errors: Vec<String>,
}

/// The state of everything.
#[derive(Debug)]
pub struct Plan {
    slots: Vec<Slot>,
    is_working: bool,
    pending: Vec<Pending>,
    backlogs: VecDeque<JobRequest>,
    maintain_at: DateTime<Utc>,
    /// When what people did is to be published; `None`: it is.
    refresh_at: Option<DateTime<Utc>>,
    is_beat_due: bool,
    ended: Vec<(JobRequest, Ending)>,
    low_disk: Option<String>,
    is_room_to_tidy: bool,
    /// The time when it was last asked.
    last_now: Option<DateTime<Utc>>,
}

impl Plan {
    /// Everything is due at once.
    pub fn new(inboxes: Vec<(String, Timetable)>, now: DateTime<Utc>) -> Self {
        let slots = inboxes.into_iter().map(|(name, timetable)| Slot {
            name,
            timetable,
            due: now,
            asked: Asked::No,
            doing: Doing::Waiting,
            looks: 0,
            failures: 0,
            needs_a_person: false,
            retry_at: now,
            last_success: None,
            last_error: None,
            failing_since: None,
        });
        Self {
            slots: slots.collect(),
            is_working: false,
            pending: Vec::new(),
            backlogs: VecDeque::new(),
            maintain_at: now,
            refresh_at: None,
            is_beat_due: false,
            ended: Vec::new(),
            low_disk: None,
            is_room_to_tidy: true,
            last_now: None,
        }
    }

    /// What an earlier program knew of a mailbox: when it was last read, and why not.
    pub fn remember(
        &mut self,
        name: &str,
        last_success: Option<DateTime<Utc>>,
        last_error: Option<(DateTime<Utc>, String)>,
    ) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.name == name) {
            (slot.last_success, slot.last_error) = (last_success, last_error);
        }
    }

    /// What to begin now. Each action is answered by one call of the methods below.
    pub fn next(&mut self, now: DateTime<Utc>) -> Vec<Action> {
        let ended = self.ended.drain(..);
        let mut actions: Vec<Action> = ended
            .map(|(job, ending)| Action::End(job, ending))
            .collect();
        if std::mem::take(&mut self.is_beat_due) {
            actions.push(Action::Beat);
        }
        self.keep_up_with_clock(now);
        if self.low_disk.is_some() {
            actions.extend(self.tidy(now));
            return actions;
        }
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if slot.doing == Doing::Waiting && slot.next_try(now) <= now {
                if slot.due <= now {
                    slot.due = slot.timetable.next(slot.due, now);
                }
                slot.asked = Asked::No;
                slot.doing = Doing::Looking;
                slot.looks += 1;
                actions.push(Action::Look(index));
            }
        }
        actions.extend(self.next_work(now));
        actions
    }

    /// A clock that was set back leaves no time out of reach.
    fn keep_up_with_clock(&mut self, now: DateTime<Utc>) {
        if self.last_now.is_some_and(|last| now < last) {
            for slot in &mut self.slots {
                slot.due = slot.due.min(slot.timetable.next(now, now));
                slot.retry_at = slot.retry_at.min(longest_retry_at(now));
            }
            self.maintain_at = self.maintain_at.min(next_maintenance(now));
        }
        self.last_now = Some(now);
    }

    /// On a full disk, what may free some of it goes on, as long as there is the room that it takes.
    fn tidy(&mut self, now: DateTime<Utc>) -> Option<Action> {
        let is_due = !self.is_working && self.maintain_at <= now && self.is_room_to_tidy;
        is_due.then(|| {
            self.is_working = true;
            Action::Maintain
        })
    }

    /// New mail goes before old, and a new day before a backlog.
    fn next_work(&mut self, now: DateTime<Utc>) -> Option<Action> {
        if self.is_working {
            return None;
        }
        let queued: Vec<usize> = (0..self.slots.len())
            .filter(|index| self.slots[*index].doing == Doing::Queued)
            .collect();
        let action = if !queued.is_empty() {
            for index in &queued {
                self.slots[*index].doing = Doing::Fetching;
            }
            let waits = |pending: &&Pending| queued.iter().any(|i| pending.left.contains_key(i));
            let job = self.pending.iter().find(waits);
            Action::Fetch(queued.clone(), job.map(|pending| pending.request.clone()))
        } else if self.maintain_at <= now {
            Action::Maintain
        } else if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            Action::Refresh
        } else {
            Action::Backlog(self.backlogs.front()?.clone())
        };
        self.is_working = true;
        Some(action)
    }

    /// When something is due next, if nothing happens before.
    pub fn wake_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let again = now + Duration::seconds(LOW_DISK_SECS);
        if self.low_disk.is_some() {
            return again;
        }
        let waiting = self.slots.iter().filter(|s| s.doing == Doing::Waiting);
        let times = waiting.map(|slot| slot.next_try(now));
        let own = [Some(self.maintain_at), self.refresh_at];
        let own = own.into_iter().flatten().filter(|_| !self.is_working);
        let soonest = times.chain(own).min();
        // The disk is looked at now and then in any case.
        soonest.map_or(again, |soonest| soonest.min(now + Duration::minutes(15)))
    }

    /// The server of a mailbox says that something is new.
    pub fn news(&mut self, index: usize) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.asked = slot.asked.max(Asked::Server);
        }
    }

    /// Somebody asks for a job.
    pub fn request(&mut self, request: JobRequest) {
        if request.kind == "backlog" {
            self.backlogs.push_back(request);
            return;
        }
        let wanted = request.parameters.get("inbox");
        let mut left = BTreeMap::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if wanted.is_none_or(|name| *name == slot.name) {
                slot.asked = Asked::Person;
                left.insert(index, slot.looks + 1);
            }
        }
        if left.is_empty() {
            let error = "there is no such inbox any more".to_owned();
            self.ended.push((request, Err(error)));
        } else {
            self.pending.push(Pending {
                request,
                left,
                errors: Vec::new(),
            });
        }
    }

    /// A look has ended.
    pub fn looked(&mut self, index: usize, looked: Looked, now: DateTime<Utc>) {
        if looked == Looked::Something {
            if let Some(slot) = self.slots.get_mut(index) {
                slot.doing = Doing::Queued;
            }
        } else {
            self.ended(index, looked, now);
        }
    }

    /// A run over mailboxes has ended.
    pub fn fetched(&mut self, fared: Vec<(usize, Looked)>, now: DateTime<Utc>) {
        self.is_working = false;
        for (index, looked) in fared {
            self.ended(index, looked, now);
        }
    }

    /// A piece of a backlog has ended.
    pub fn backlog_went_on(&mut self, piece: Piece) {
        self.is_working = false;
        if let Piece::Last(ending) = piece
            && let Some(job) = self.backlogs.pop_front()
        {
            self.ended.push((job, ending));
        }
    }

    /// The work of a new day has ended; the next one begins a minute behind midnight UTC.
    pub fn maintained(&mut self, is_good: bool, now: DateTime<Utc>) {
        self.is_working = false;
        let midnight = next_maintenance(now);
        self.maintain_at = if is_good {
            midnight
        } else {
            midnight.min(now + Duration::seconds(MAINTAIN_AGAIN_SECS))
        };
    }

    /// What the disk has room for.
    pub fn disk(&mut self, room: Room) {
        self.low_disk = room.shortage;
        self.is_room_to_tidy = room.is_enough_to_tidy;
    }

    /// Every mailbox, in the order of the configuration.
    pub fn status(&self, now: DateTime<Utc>) -> Vec<SlotStatus> {
        let status = |slot: &Slot| SlotStatus {
            name: slot.name.clone(),
            doing: slot.doing,
            looks: slot.looks,
            failures: slot.failures,
            needs_a_person: slot.needs_a_person,
            last_success: slot.last_success,
            last_error: slot.last_error.clone(),
            next_try: slot.next_try(now),
        };
        self.slots.iter().map(status).collect()
    }

    /// Why nothing is fetched at all, if so.
    pub fn low_disk(&self) -> Option<&str> {
        self.low_disk.as_deref()
    }

    /// Whether anything is going on.
    pub fn is_busy(&self) -> bool {
        self.is_working || self.slots.iter().any(|s| s.doing != Doing::Waiting)
    }

    /// Jobs that are owed.
    pub fn owed(&self) -> impl Iterator<Item = &JobRequest> {
        let pending = self.pending.iter().map(|pending| &pending.request);
        pending.chain(&self.backlogs)
    }

    fn ended(&mut self, index: usize, looked: Looked, now: DateTime<Utc>) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        slot.doing = Doing::Waiting;
        let failed = match looked {
            Looked::Failed {
                error,
                needs_a_person,
            } => {
                slot.failures = slot.failures.saturating_add(1);
                slot.failing_since.get_or_insert(now);
                slot.needs_a_person = needs_a_person;
                slot.retry_at = retry_at(&slot.name, slot.failures, needs_a_person, now);
                slot.last_error = Some((now, error.clone()));
                Some(format!("inbox \"{}\": {error}", slot.name))
            }
            Looked::Something | Looked::Nothing => {
                slot.failures = 0;
                slot.failing_since = None;
                slot.last_success = Some(now);
                None
            }
        };
        let looks = slot.looks;
        for pending in &mut self.pending {
            if pending.left.get(&index).is_some_and(|look| *look <= looks) {
                pending.left.remove(&index);
                pending.errors.extend(failed.clone());
            }
        }
        let done = self
            .pending
            .extract_if(.., |pending| pending.left.is_empty());
        self.ended.extend(done.map(|pending| {
            let ending = match pending.errors.as_slice() {
                [] => Ok(None),
                errors => Err(errors.join("; ")),
            };
            (pending.request, ending)
        }));
        self.is_beat_due |= self.slots.iter().all(|slot| slot.failures == 0);
    }
}

//! Carries out the plan: a thread for each look, one for each watcher, one worker, and one that listens to all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, PoisonError};
use std::thread;

use anyhow::{Result, anyhow};
use chrono::{DateTime, Duration, Utc};

use super::common::{Common, call};
use super::followed::Followed;
use super::noted::{self, NotedInbox};
use super::plan::{Action, Ending, Looked, Plan};
use super::status::{InboxStatus, Status};
use super::teller::Due;
use super::time::receive;
use super::worker::{Task, Worked, failed};
use crate::job::outages::outages;
use crate::job::visit::{Left, Visit};
use crate::ledger::{Event, JobFailure, JobRequest, Ledger};
use crate::model::standing::ChannelStatus;
use crate::source::imap::ImapError;

/// Time between two calls of the heartbeat address at least.
const BEAT_EVERY_SECS: i64 = 10;

/// What the driver is told.
pub enum Message {
    /// Whether the server of a mailbox is watched.
    Watching(usize, bool),
    /// The server of a mailbox says that something is new.
    News(usize),
    /// A look has ended.
    Looked(usize, Box<Result<Visit>>),
    /// The worker has ended a task.
    Worked(Worked),
    /// Somebody asks for a job, which is in the ledger.
    Requested(JobRequest),
    /// How the heartbeat went.
    Beaten(Option<String>),
    /// How the ways to people fare.
    Told(Vec<ChannelStatus>),
    /// Hosts have other names.
    Named,
    /// The time was turned.
    Tick,
    /// Somebody wants to know whether anything is going on, and when something is due.
    Ask(Sender<(bool, DateTime<Utc>)>),
    /// The end.
    Stop,
}

/// Listens and acts.
pub struct Driver {
    /// What all mailboxes have in common.
    pub common: Arc<Common>,
    /// What is to be done.
    pub plan: Plan,
    /// Visits that wait for the worker, by mailbox.
    pub visits: BTreeMap<usize, Visit>,
    /// To the worker.
    pub tasks: Sender<Task>,
    /// To itself.
    pub tell: Sender<Message>,
    /// By mailbox.
    pub is_watched: Vec<bool>,
    /// The last failures that were told of, by mailbox: the same one is told of once.
    pub told: BTreeMap<usize, String>,
    /// Want to know how it stands once all that was known before is acted upon.
    pub askers: Vec<Sender<(bool, DateTime<Utc>)>>,
    /// Messages with which nothing is to be done, by mailbox.
    pub left: BTreeMap<usize, Left>,
    /// Mailboxes with messages that stay as they were, whatever is done with them.
    pub unheeded: BTreeSet<usize>,
    /// What other programs were told last.
    pub noted: Vec<NotedInbox>,
    /// When the heartbeat address was last called.
    pub beaten: Option<DateTime<Utc>>,
    /// What others wrote into the ledger.
    pub followed: Followed,
    /// Tells who works beside the runs, and goes by what they publish, that something may be due.
    pub due: Vec<Sender<Due>>,
}

impl Driver {
    /// Acts until it is told to stop.
    pub fn drive(mut self, messages: &Receiver<Message>) {
        loop {
            let now = self.common.time.now();
            self.follow(now);
            let room = self.look_at_disk();
            self.plan.disk(room);
            for action in self.plan.next(now) {
                self.begin(action);
            }
            self.show(now);
            self.answer(now);
            let until = self.plan.wake_at(now);
            let mut next = receive(&*self.common.time, messages, until);
            while let Some(message) = next {
                if matches!(message, Message::Stop) {
                    return;
                }
                self.take(message);
                next = messages.try_recv().ok();
            }
        }
    }

    fn begin(&mut self, action: Action) {
        match action {
            Action::Look(index) => self.look(index),
            Action::Fetch(inboxes, job) => {
                let visits = inboxes.into_iter();
                let visits = visits.filter_map(|i| Some((i, self.visits.remove(&i)?)));
                let visits = visits.collect();
                self.work(Task::Fetch(visits, job));
            }
            Action::Backlog(job) => self.work(Task::Backlog(job)),
            Action::Maintain => self.work(Task::Maintain),
            Action::Refresh => self.work(Task::Refresh),
            Action::End(job, ending) => self.end(job, ending),
            Action::Beat => self.beat(),
        }
    }

    /// Sees what people did with alerts, and notes mailboxes that cannot be read.
    fn follow(&mut self, now: DateTime<Utc>) {
        let events = outages(self.followed.view(), &self.plan.fared(now), now.timestamp());
        let noted = Ledger::open(&self.common.folders.ledger())
            .and_then(|ledger| ledger.append(now.timestamp(), &events))
            .and_then(|()| self.followed.look());
        match noted {
            Ok(true) => self.plan.refresh(now),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "following the ledger"),
        }
    }

    fn answer(&mut self, now: DateTime<Utc>) {
        let answer = (self.plan.is_busy(), self.plan.wake_at(now));
        for asker in self.askers.drain(..) {
            // Who asked may have gone.
            let _ = asker.send(answer);
        }
    }

    fn work(&self, task: Task) {
        if self.tasks.send(task).is_err() {
            tracing::error!("the worker has ended: nothing can be fetched any more");
        }
    }

    /// Finds out what is new, beside everything else.
    fn look(&self, index: usize) {
        let (common, tell) = (Arc::clone(&self.common), self.tell.clone());
        let looking = thread::Builder::new()
            .name("look".to_owned())
            .spawn(move || {
                // A mailbox that is never heard of again would be looked into no more.
                let looked = catch_unwind(AssertUnwindSafe(|| common.look(index)));
                let looked =
                    looked.unwrap_or_else(|_| Err(anyhow!("looking into it stopped short")));
                // Where nobody listens any more everything ends.
                let _ = tell.send(Message::Looked(index, Box::new(looked)));
            });
        if let Err(error) = looking {
            let error = anyhow::Error::from(error).context("starting a thread");
            let _ = self.tell.send(Message::Looked(index, Box::new(Err(error))));
        }
    }

    fn take(&mut self, message: Message) {
        let now = self.common.time.now();
        match message {
            Message::Watching(index, is_watched) => {
                if let Some(watched) = self.is_watched.get_mut(index) {
                    *watched = is_watched;
                }
            }
            Message::News(index) => self.plan.news(index),
            Message::Requested(request) => self.plan.request(request),
            Message::Looked(index, looked) => self.looked(index, *looked, now),
            Message::Worked(worked) => self.worked(worked, now),
            Message::Beaten(error) => {
                if let Some(error) = &error {
                    tracing::warn!("the heartbeat address cannot be called: {error}");
                }
                self.status_mut(|status| status.heartbeat_error = error);
            }
            Message::Told(channels) => self.status_mut(|status| status.channels = channels),
            Message::Named => self.plan.refresh(now),
            Message::Ask(answer) => self.askers.push(answer),
            Message::Tick | Message::Stop => {}
        }
    }

    fn looked(&mut self, index: usize, mut looked: Result<Visit>, now: DateTime<Utc>) {
        if let Ok(visit) = &mut looked {
            self.let_be(index, visit);
        }
        let outcome = match looked {
            Ok(visit) if visit.wanted() > 0 || visit.is_owing(self.left_of(index)) => {
                self.visits.insert(index, visit);
                Looked::Something
            }
            Ok(visit) => {
                // The server is not waited for here.
                let _ = thread::Builder::new().spawn(move || visit.close());
                Looked::Nothing
            }
            Err(error) => match error.downcast_ref::<ImapError>() {
                Some(error) => failed(error),
                None => Looked::Failed {
                    error: format!("{error:#}"),
                    needs_a_person: false,
                },
            },
        };
        self.tell_of(index, &outcome);
        self.plan.looked(index, outcome, now);
    }

    pub(super) fn left_of(&mut self, index: usize) -> &Left {
        self.left.entry(index).or_default()
    }

    fn worked(&mut self, worked: Worked, now: DateTime<Utc>) {
        // What was fetched shows at once, not after the next look; which tells where that cannot be read.
        if let Err(error) = self.common.read_positions() {
            tracing::debug!("after a run: {error:#}");
        }
        let run = match worked {
            Worked::Fetch(fared, run) => {
                let mut ended = Vec::new();
                for fared in fared {
                    self.tell_of(fared.index, &fared.looked);
                    if !matches!(fared.looked, Looked::Failed { .. }) {
                        self.left.insert(fared.index, fared.left);
                    }
                    if fared.has_more {
                        self.plan.news(fared.index);
                    }
                    ended.push((fared.index, fared.looked));
                }
                self.plan.fetched(ended, now);
                run
            }
            Worked::Backlog(piece) => {
                self.plan.backlog_went_on(piece);
                Ok(())
            }
            Worked::Maintain(run) => {
                self.plan.maintained(run.is_ok(), now);
                run
            }
            Worked::Refresh(run) => {
                self.plan.refreshed(run.is_ok(), now);
                run
            }
        };
        if let Err(error) = &run {
            tracing::error!("a run failed: {error:#}");
        }
        for due in &self.due {
            // Where nobody listens any more everything ends.
            let _ = due.send(Due);
        }
        self.status_mut(|status| match run {
            Ok(()) => (status.run_error, status.run_failures) = (None, 0),
            Err(error) => {
                status.run_error = Some((now, format!("{error:#}")));
                status.run_failures += 1;
            }
        });
    }

    /// Notes the end of a job.
    fn end(&self, job: JobRequest, ending: Ending) {
        let now = self.common.time.now().timestamp();
        let event = match ending {
            Ok(detail) => Event::JobEnded { id: job.id, detail },
            Err(error) => Event::JobFailed(JobFailure {
                id: job.id,
                kind: job.kind,
                parameters: job.parameters,
                started_utc_secs: now,
                duration_ms: 0,
                error,
            }),
        };
        let noted = Ledger::open(&self.common.folders.ledger())
            .and_then(|ledger| ledger.append(now, &[event]));
        if let Err(error) = noted {
            tracing::error!(%error, "the end of a job cannot be noted; it is done again after a restart");
        }
    }

    /// Calls the heartbeat address, beside everything else.
    fn beat(&mut self) {
        let now = self.common.time.now();
        let Some(url) = self.common.heartbeat.clone() else {
            return;
        };
        if self
            .beaten
            // The clock may have been set back.
            .is_some_and(|at| at <= now && now - at < Duration::seconds(BEAT_EVERY_SECS))
        {
            return;
        }
        self.beaten = Some(now);
        let tell = self.tell.clone();
        let calling = thread::Builder::new()
            .name("heartbeat".to_owned())
            .spawn(move || {
                let _ = tell.send(Message::Beaten(call(url.expose()).err()));
            });
        if let Err(error) = calling {
            tracing::warn!(%error, "starting a thread");
        }
    }

    pub(super) fn status_mut(&self, change: impl FnOnce(&mut Status)) {
        change(
            &mut self
                .common
                .status
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn show(&mut self, now: DateTime<Utc>) {
        let positions = self
            .common
            .positions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let slots = self.plan.status(now).into_iter().zip(&self.is_watched);
        let inboxes = slots.map(|(slot, is_watched)| InboxStatus {
            reached: Status::reached(&positions, &slot.name),
            is_watched: *is_watched,
            slot,
        });
        let inboxes = inboxes.collect();
        drop(positions);
        let low_disk = self.plan.low_disk().map(str::to_owned);
        self.status_mut(|status| {
            if status.low_disk != low_disk {
                match &low_disk {
                    Some(words) => tracing::error!("nothing is fetched: {words}"),
                    None => tracing::info!("there is room on the disk again"),
                }
            }
            status.inboxes = inboxes;
            status.low_disk = low_disk;
            status.owed_jobs = self.plan.owed().count();
        });
        let status = self.common.status.read();
        let noted = noted::of(&status.unwrap_or_else(PoisonError::into_inner));
        if noted != self.noted {
            noted::write(&self.common.folders.work(), &noted);
            self.noted = noted;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.common.stop.store(true, Ordering::Relaxed);
        self.common.watchers.stop();
    }
}

//! The schedule, the watchers of mailboxes and the one worker: what `sentinel serve` does beside serving.
//!
//! ```text
//! watchers (IDLE) --news--> plan --look--> a thread for each mailbox --visit--> worker: one run for all that waits
//!      requests, clock ------^                                                    |
//!                            +----------------------- how it went ---------------+
//! ```
//!
//! The plan knows no thread and no socket: it is told what happened and says what is next. Looking into a mailbox, which
//! is where servers hang, happens beside everything else; the worker gets sessions that are open and know what is new.

mod backoff;
mod common;
mod drive;
mod followed;
mod namer;
mod noted;
mod once;
mod plan;
mod slot;
mod status;
mod teller;
mod time;
mod timetable;
mod watch;
mod worker;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

pub use common::call;
pub use namer::LookUp;
pub use noted::{NotedInbox, read_noted};
pub use plan::Doing;
pub use status::{InboxStatus, SlotStatus, Status};
pub use teller::{Tell, Told};
pub use time::{System, Time};
pub use worker::Pages;

use crate::clock;
use crate::job::backlog::Backlog;
use crate::job::folders::Folders;
use crate::job::positions::Positions;
use crate::job::sheet::new_id;
use crate::ledger::{Event, JobRequest, JobState, Ledger, View};
use crate::model::inbox::Inbox;
use crate::model::secret::Secret;
use crate::source::imap::Tokens;
use crate::store::settings::StoreConfig;
use common::Common;
use drive::{Driver, Message};
use followed::Followed;
use plan::Plan;
use timetable::Timetable;
use watch::{Watch, Watchers};
use worker::Worker;

/// Folders of a mailbox that are watched; the others are polled.
const WATCHED_FOLDERS: usize = 4;
/// Jobs that may be owed at the same time.
const OWED_JOBS: usize = 100;

/// What a daemon is made of.
pub struct Settings {
    /// Mailboxes.
    pub inboxes: Vec<Inbox>,
    /// Time zone of cron expressions, such as `Europe/Berlin`.
    pub timezone: String,
    /// The data folder.
    pub folders: Folders,
    /// Settings of the store.
    pub store: StoreConfig,
    /// Draws pages.
    pub pages: Pages,
    /// Called when all is well.
    pub heartbeat: Option<Secret>,
    /// Tells people what is due; `None` where no channel is configured.
    pub tell: Option<Tell>,
    /// Looks up names of hosts; `None` where nobody wants them.
    pub look_up: Option<LookUp>,
    /// The disk is too full with less than this left beside the database, bytes.
    pub min_free_bytes: u64,
    /// The clock.
    pub time: Arc<dyn Time>,
}

/// A running daemon, for those who want something of it.
#[derive(Clone)]
pub struct Handle {
    common: Arc<Common>,
    tell: Sender<Message>,
    /// One request is looked at after the other.
    requests: Arc<Mutex<()>>,
}

/// A running daemon, for the one who started it.
pub struct Daemon {
    handle: Handle,
    /// Says when the worker has ended.
    ended: Receiver<()>,
}

/// Starts the daemon; jobs that are owed from before are done first of all jobs.
pub fn start(mut settings: Settings) -> Result<Daemon> {
    let now = settings.time.now();
    let mut plan = Plan::new(timetables(&settings, now)?, now);
    if settings.inboxes.is_empty() && settings.tell.is_none() {
        // What is filled otherwise is judged for a new day by who fills it.
        plan.maintain_never();
    }
    let mut followed = Followed::new(settings.folders.clone());
    if let Err(error) = followed.look() {
        tracing::warn!(%error, "reading the ledger");
    }
    for job in owed(&settings.folders)? {
        plan.request(job);
    }
    remember(&mut plan, &settings.folders);
    let (tell, messages) = channel();
    let (tasks, to_worker) = channel();
    let (over, ended) = channel();
    let (teller, look_up) = (settings.tell.take(), settings.look_up.take());
    let (worker, common) = parts(settings);
    let driver = Driver {
        is_watched: vec![false; common.inboxes.len()],
        common: Arc::clone(&common),
        plan,
        visits: BTreeMap::new(),
        tasks,
        tell: tell.clone(),
        told: BTreeMap::new(),
        askers: Vec::new(),
        left: BTreeMap::new(),
        unheeded: BTreeSet::new(),
        noted: Vec::new(),
        beaten: None,
        followed,
        due: Vec::new(),
    };
    let mut driver = driver;
    if let Some(teller) = teller {
        driver.due.push(start_teller(teller, &driver)?);
    }
    if let Some(look_up) = look_up {
        driver.due.push(start_namer(look_up, &driver)?);
    }
    let to_driver = tell.clone();
    spawn("worker", move || {
        worker.work(&to_worker, &to_driver);
        // Who waits for the end sees it by the sender that is gone.
        drop(over);
    })?;
    spawn("schedule", move || driver.drive(&messages))?;
    watch_all(&common, &tell)?;
    let handle = Handle {
        common,
        tell,
        requests: Arc::default(),
    };
    Ok(Daemon { handle, ended })
}

/// How mailboxes fared before.
fn remember(plan: &mut Plan, folders: &Folders) {
    for noted in read_noted(&folders.work()) {
        let at = |secs: i64| DateTime::from_timestamp(secs, 0);
        let failed = noted.last_error_utc_secs.and_then(at).zip(noted.last_error);
        let succeeded = noted.last_success_utc_secs.and_then(at);
        plan.remember(&noted.name, succeeded, failed);
    }
}

fn start_teller(tell: Tell, driver: &Driver) -> Result<Sender<teller::Due>> {
    let (due, words) = channel();
    let (time, to_driver) = (Arc::clone(&driver.common.time), driver.tell.clone());
    spawn("notify", move || {
        teller::run(tell, &time, &words, &to_driver);
    })?;
    Ok(due)
}

fn start_namer(look_up: LookUp, driver: &Driver) -> Result<Sender<teller::Due>> {
    let (due, words) = channel();
    let (common, to_driver) = (Arc::clone(&driver.common), driver.tell.clone());
    spawn("names", move || {
        namer::run(look_up, &common.time, &common.stop, &words, &to_driver);
    })?;
    Ok(due)
}

fn parts(settings: Settings) -> (Worker, Arc<Common>) {
    let stop = Arc::new(AtomicBool::new(false));
    let tokens = Tokens::kept_in(settings.folders.tokens());
    let common = Common {
        inboxes: settings.inboxes,
        folders: settings.folders,
        limits: settings.store.limits.clone(),
        time: settings.time,
        positions: Mutex::new(Positions::default()),
        tokens,
        heartbeat: settings.heartbeat,
        min_free_bytes: settings.min_free_bytes,
        status: RwLock::new(Status::default()),
        watchers: Watchers::default(),
        stop: Arc::clone(&stop),
    };
    let worker = Worker {
        data: common.folders.data().to_owned(),
        store: settings.store,
        pages: settings.pages,
        inboxes: common.inboxes.clone(),
        tokens: common.tokens.clone(),
        min_free_bytes: common.min_free_bytes,
        time: Arc::clone(&common.time),
        stop,
    };
    (worker, Arc::new(common))
}

fn timetables(settings: &Settings, now: DateTime<Utc>) -> Result<Vec<(String, Timetable)>> {
    let zone = zone(&settings.timezone)?;
    let table = |inbox: &Inbox| {
        let table = Timetable::new(&inbox.schedule, zone, now);
        let table = table.with_context(|| format!("the schedule of inbox \"{}\"", inbox.name))?;
        Ok((inbox.name.clone(), table))
    };
    settings.inboxes.iter().map(table).collect()
}

fn zone(name: &str) -> Result<Tz> {
    name.parse()
        .map_err(|_| anyhow::anyhow!("app.timezone: there is no time zone \"{name}\""))
}

/// Whether schedules can be kept in a time zone.
pub fn check_timezone(name: &str, inboxes: &[Inbox]) -> Result<()> {
    let (zone, now) = (zone(name)?, clock::now());
    for inbox in inboxes {
        Timetable::new(&inbox.schedule, zone, now)
            .with_context(|| format!("the schedule of inbox \"{}\"", inbox.name))?;
    }
    Ok(())
}

/// Jobs that somebody asked for and that have not ended.
fn owed(folders: &Folders) -> Result<Vec<JobRequest>> {
    let (entries, _) = Ledger::open(&folders.ledger())
        .and_then(|ledger| ledger.read(None))
        .context("reading the ledger")?;
    let view = View::fold(&entries);
    let owed = view
        .jobs
        .into_iter()
        .filter(|job| job.state == JobState::Owed);
    Ok(owed
        .map(|job| JobRequest {
            id: job.id,
            kind: job.kind,
            parameters: job.parameters,
        })
        .collect())
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .with_context(|| format!("starting thread {name}"))
        .map(drop)
}

fn watch_all(common: &Arc<Common>, tell: &Sender<Message>) -> Result<()> {
    let inboxes = common.inboxes.iter().enumerate();
    for (index, inbox) in inboxes.filter(|(_, inbox)| inbox.idle) {
        for folder in inbox.folders.iter().take(WATCHED_FOLDERS) {
            let watch = Watch {
                index,
                inbox: inbox.clone(),
                folder: folder.clone(),
                tell: tell.clone(),
                tokens: common.tokens.clone(),
                time: Arc::clone(&common.time),
            };
            let watchers = common.watchers.clone();
            spawn("watch", move || watchers.watch(&watch))?;
        }
    }
    Ok(())
}

impl Daemon {
    /// What others may want of it.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits for the worker to end what it does, after [`Handle::stop`]; `false` where it takes longer.
    pub fn join(self, wait: Duration) -> bool {
        !matches!(
            self.ended.recv_timeout(wait),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        )
    }
}

impl Handle {
    /// Tells everything to end: what is being fetched becomes durable, what is not begun is left.
    pub fn stop(&self) {
        self.common.stop.store(true, Ordering::Relaxed);
        self.common.watchers.stop();
        // One that has ended already needs no message.
        let _ = self.tell.send(Message::Stop);
    }

    /// How things stand.
    pub fn status(&self) -> Status {
        let status = self
            .common
            .status
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        status.clone()
    }

    /// The clock was turned.
    pub fn tick(&self) {
        let _ = self.tell.send(Message::Tick);
        self.common.watchers.ring();
    }

    /// Whether anything is going on, and when something is due; `None` where the daemon has ended.
    pub fn ask(&self) -> Option<(bool, DateTime<Utc>)> {
        let (answer, answers) = channel();
        self.tell.send(Message::Ask(answer)).ok()?;
        answers.recv().ok()
    }

    /// Takes on a job and gives its name. The same wish as one that is not at its end is that one. It is durable on return:
    /// a restart does not forget it.
    pub fn request(&self, kind: &str, parameters: BTreeMap<String, String>) -> Result<String> {
        match kind {
            "process-now" => self.check_inbox(&parameters)?,
            "backlog" => Backlog::of_parameters(&self.common.inboxes, &parameters).map(drop)?,
            _ => bail!("there is no job \"{kind}\""),
        }
        let _one_by_one = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = owed(&self.common.folders)?;
        let is_same = |job: &&JobRequest| job.kind == kind && job.parameters == parameters;
        if let Some(same) = owed.iter().find(is_same) {
            return Ok(same.id.clone());
        }
        if owed.len() >= OWED_JOBS {
            bail!("{OWED_JOBS} jobs wait already");
        }
        let now = self.common.time.now();
        let job = JobRequest {
            id: new_id(now),
            kind: kind.to_owned(),
            parameters,
        };
        Ledger::open(&self.common.folders.ledger())
            .and_then(|ledger| ledger.append(now.timestamp(), &[Event::JobRequested(job.clone())]))
            .context("writing the ledger")?;
        let id = job.id.clone();
        self.tell.send(Message::Requested(job)).map_err(|_| {
            anyhow::anyhow!("the program is ending; the job is done after a restart")
        })?;
        Ok(id)
    }

    fn check_inbox(&self, parameters: &BTreeMap<String, String>) -> Result<()> {
        for (key, value) in parameters {
            match key.as_str() {
                "inbox" if self.common.inboxes.iter().any(|inbox| inbox.name == *value) => {}
                "inbox" => bail!("there is no inbox \"{value}\""),
                _ => bail!("`{key}` is not known"),
            }
        }
        Ok(())
    }
}

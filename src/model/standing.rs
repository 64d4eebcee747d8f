//! How things stand with mailboxes and jobs: what pages, JSON and metrics are made of.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::outcome::Outcome;

/// How well it goes on the whole, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Health {
    /// All is well.
    #[default]
    Ok,
    /// Something is wrong, and the rest goes on.
    Degraded,
    /// Nothing can be fetched.
    Failing,
}

/// Everything but the jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// How well it goes on the whole.
    pub health: Health,
    /// Mailboxes in the order of the configuration; none where none is configured.
    pub mailboxes: Vec<Mailbox>,
    /// Why nothing is fetched at all, if so.
    pub low_disk: Option<String>,
    /// Why nobody can tell how full the disk is, if so.
    pub disk_error: Option<String>,
    /// Channels in the order of the configuration; none where none is configured.
    pub channels: Vec<ChannelStatus>,
    /// Runs that failed as a whole, in a row.
    pub run_failures: u32,
    /// When the last run failed as a whole, and why, if so.
    pub run_error: Option<(DateTime<Utc>, String)>,
    /// Why the heartbeat address cannot be called, if so.
    pub heartbeat_error: Option<String>,
    /// Rules that cannot be asked: name, and what the database says, which may quote strangers.
    pub failing_rules: Vec<(String, String)>,
    /// Jobs that somebody asked for and that are not at their end.
    pub owed_jobs: usize,
    /// The run that is going on, whoever began it.
    pub running: Option<Job>,
}

impl Standing {
    /// Whether something is going on that a look a little later would find changed.
    pub fn is_busy(&self) -> bool {
        self.running.is_some()
            || self.owed_jobs > 0
            || (self.mailboxes.iter()).any(|mailbox| mailbox.state.is_busy())
    }
}

/// What a mailbox is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxState {
    /// Not looked into.
    Starting,
    /// Being looked into.
    Looking,
    /// New mail was found, and another run is not over yet.
    Queued,
    /// Being fetched from.
    Fetching,
    /// Its server tells of new mail.
    Watching,
    /// Until the next look.
    Waiting,
    /// The last look or fetch failed.
    Failing,
}

impl MailboxState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Looking => "looking",
            Self::Queued => "queued",
            Self::Fetching => "fetching",
            Self::Watching => "watching",
            Self::Waiting => "waiting",
            Self::Failing => "failing",
        }
    }

    fn is_busy(self) -> bool {
        matches!(self, Self::Looking | Self::Queued | Self::Fetching)
    }
}

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Name of the configured inbox.
    pub name: String,
    /// What it is doing.
    pub state: MailboxState,
    /// Failures in a row.
    pub failures: u32,
    /// When it was last read to its end.
    pub last_success: Option<DateTime<Utc>>,
    /// When it last failed, and why.
    pub last_error: Option<(DateTime<Utc>, String)>,
    /// When it will be looked into next, if nothing happens before.
    pub next_try: Option<DateTime<Utc>>,
    /// Whether its server tells of new mail.
    pub is_watched: bool,
    /// Its folders in the archive.
    pub folders: Vec<Folder>,
}

impl Mailbox {
    /// A mailbox of which only the name is known yet.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: MailboxState::Starting,
            failures: 0,
            last_success: None,
            last_error: None,
            next_try: None,
            is_watched: false,
            folders: Vec::new(),
        }
    }

    /// Messages in the archive, those of folders that are not read any more too.
    pub fn messages(&self) -> u64 {
        self.folders.iter().map(|folder| folder.messages).sum()
    }
}

/// How a channel fares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelStatus {
    /// Name in the configuration.
    pub name: String,
    /// `mail`, `telegram`, `slack`, …
    pub kind: String,
    /// When something was last sent.
    pub last_success: Option<DateTime<Utc>>,
    /// When sending last failed, and why, if it has not gone well since.
    pub last_error: Option<(DateTime<Utc>, String)>,
    /// Failures in a row.
    pub failures: u32,
    /// Whether the last of them is one that trying again does not mend: a wrong token, an address that is refused.
    pub needs_a_person: bool,
    /// When something that waits will be tried (again), if nothing happens before.
    pub next_try: Option<DateTime<Utc>>,
    /// Alerts that are to be told of: held back, or in messages that could not be sent yet.
    pub waiting: usize,
}

/// What the archive has of a folder whose messages have lasting numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// As the server names it, in Unicode.
    pub name: String,
    /// The numbers hold as long as this does.
    pub uidvalidity: u32,
    /// The highest message.
    pub uid: u32,
    /// How many messages.
    pub messages: u64,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Asked for, and nothing of it is going on.
    Waiting,
    /// Going on.
    Running,
    /// At its end.
    Done,
    /// At its end, for a reason.
    Failed,
}

impl JobState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// An import job: a run, or all the runs that somebody's wish takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Names it; empty for what needs no name, such as the work of a new day.
    pub id: String,
    /// `ingest`, `run`, `process-now`, `backlog`, `rebuild`, …
    pub kind: String,
    /// What it was asked with.
    pub parameters: BTreeMap<String, String>,
    /// How it stands.
    pub state: JobState,
    /// When it was asked for; `None` where the schedule or a command began it.
    pub requested: Option<DateTime<Utc>>,
    /// When its first run began.
    pub started: Option<DateTime<Utc>>,
    /// Time that its runs took.
    pub duration_ms: u64,
    /// Messages or files that it took in.
    pub seen: u64,
    /// Messages or files that the run that is going on will have taken in, where that is known.
    pub wanted: Option<u64>,
    /// Messages or files that the run that is going on has taken in.
    pub archived: u64,
    /// Documents by outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 8],
    /// Why it failed.
    pub error: Option<String>,
    /// What is to be said of it beside its counts.
    pub detail: Option<String>,
}

impl Job {
    /// Documents that ended so.
    pub fn count(&self, outcome: Outcome) -> u64 {
        let at = Outcome::ALL.iter().position(|known| *known == outcome);
        at.and_then(|at| self.outcomes.get(at).copied())
            .unwrap_or(0)
    }
}

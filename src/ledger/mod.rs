//! Events -> appended lines -> folded view.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::actions::{AlertActed, AlertLine, Outage, RuleOutage};
pub use self::first_seen::first_seen;
pub use self::host_names::{HostNames, HostsLookedUp, hosts_looked_up};
pub use self::notices::{
    AlertTold, ChannelNotices, NoticePlanned, NoticeSent, NoticeTried, Notices, NoticesLock,
};
pub use self::view::{Job, JobState, Run, View};
use crate::durable;
use crate::model::day::Day;
use crate::model::retention::SightKind;

mod actions;
mod first_seen;
mod host_names;
mod line;
mod notices;
mod scan;
mod view;

#[cfg(test)]
mod tests;

/// What cannot be recomputed from the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The day for which things are judged moved on.
    AsOfAdvanced {
        /// The new day.
        #[serde(with = "crate::model::day::iso")]
        as_of: Day,
    },
    /// A run ended.
    RunFinished(RunResult),
    /// First sights that reports gave which the retention lets go; they count from the next
    /// [`Event::RetentionAdvanced`] on.
    FirstSeen {
        /// What was seen.
        kind: SightKind,
        /// By domain and day: which.
        sights: Sights,
    },
    /// The retention moved on.
    RetentionAdvanced {
        /// Reports of an earlier day are gone.
        #[serde(with = "crate::model::day::iso")]
        expired_before: Day,
        /// What was configured.
        months: u32,
    },
    /// The archive let go of the bytes of items that hold nothing but expired reports.
    ArchivePruned {
        /// The cut-off.
        #[serde(with = "crate::model::day::iso")]
        expired_before: Day,
        /// How many items.
        items: u64,
        /// Their bytes, before compression.
        bytes: u64,
    },
    /// Somebody asked for a run; it is owed until it ends, through restarts too.
    JobRequested(JobRequest),
    /// All is done that was asked for.
    JobEnded {
        /// Names the job.
        id: String,
        /// What is to be said of it beside its counts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// A run failed, before or after its end was noted.
    JobFailed(JobFailure),
    /// People are about to be told something.
    NoticePlanned(NoticePlanned),
    /// A message that was held is about to be on the wire.
    NoticeTried(NoticeTried),
    /// They were told, or there was nothing to say.
    NoticeSent(NoticeSent),
    /// Somebody did something with an alert.
    AlertActed(AlertActed),
    /// A mailbox cannot be read, for longer than a hiccup takes.
    MailboxUnreachable {
        /// Name of the configured inbox.
        inbox: String,
        /// When it was last read, or when this was noted first, seconds since 1970 UTC.
        since_utc_secs: i64,
        /// What the server said, or what kept it from being asked.
        error: String,
        /// Trying again is of no use until a person mends something.
        #[serde(default)]
        needs_a_person: bool,
    },
    /// Names of hosts were looked up.
    HostsLookedUp(HostsLookedUp),
    /// It can be read again.
    MailboxReached {
        /// Name of the configured inbox.
        inbox: String,
    },
    /// A rule cannot be asked, or for another reason than before.
    RuleFailed {
        /// Name of the query in `queries/alerts`.
        rule: String,
        /// The day for which things were judged.
        #[serde(with = "crate::model::day::iso")]
        day: Day,
        /// File, line where it is known, and what the database says. May quote strangers.
        problem: String,
    },
    /// It can be asked again, or is not asked any more.
    RuleMended {
        /// Name of the query in `queries/alerts`.
        rule: String,
        /// The day for which things were judged.
        #[serde(with = "crate::model::day::iso")]
        day: Day,
    },
}

/// What somebody asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRequest {
    /// Names the job.
    pub id: String,
    /// `process-now` or `backlog`.
    pub kind: String,
    /// What it was asked with.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

/// Why a run did not do all that it should.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// Names the job.
    pub id: String,
    /// `ingest`, `run`, `backlog`, …
    pub kind: String,
    /// What it was asked with.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Start, seconds since 1970 UTC.
    pub started_utc_secs: i64,
    /// Duration.
    pub duration_ms: u64,
    /// What went wrong, for people.
    pub error: String,
}

/// First sights by domain and day, `YYYY-MM-DD`.
pub type Sights = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResult {
    /// `ingest`, `rebuild`, `run`, …
    pub kind: String,
    /// Start, seconds since 1970 UTC.
    pub started_utc_secs: i64,
    /// Duration.
    pub duration_ms: u64,
    /// Items read in this run.
    pub items: u64,
    /// Documents by outcome, in the order of `Outcome::ALL`.
    pub outcomes: [u64; 8],
    /// Names the job; empty for runs before jobs had names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What it was asked with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1, without gaps.
    pub seq: u64,
    /// When it was appended, seconds since 1970 UTC.
    pub at_utc_secs: i64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A place between two lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Lines before it.
    pub seq: u64,
}

/// The file `ledger/events.jsonl`.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
}

impl Ledger {
    /// Opens (and creates) the folder.
    pub fn open(folder: &Path) -> io::Result<Self> {
        durable::create_folder(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Appends under `ledger.lock`, durable on return: all of the events or, after an error, none.
    pub fn append(&self, at_utc_secs: i64, events: &[Event]) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let _lock = self.lock()?;
        self.append_locked(at_utc_secs, events)
    }

    fn append_locked(&self, at_utc_secs: i64, events: &[Event]) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let path = self.path();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| durable::named(&path, "opening ledger", &error))?;
        let (end, last_seq) =
            scan::tail(&mut file).map_err(|error| durable::named(&path, "reading", &error))?;
        if end == 0 {
            // Before the first line, so that no line ever stands in a file whose name could be lost.
            durable::sync_folder(&self.folder)?;
        }
        let written = write_behind(&mut file, end, &encode(last_seq, at_utc_secs, events)?);
        if let Err(error) = written {
            // A reader takes what stands there for a torn tail, and so does the next append, if this fails too.
            let _ = file.set_len(end);
            return Err(durable::named(&path, "appending to ledger", &error));
        }
        Ok(())
    }

    /// All entries up to `offset` bytes (`None`: all), and the offset behind the last one. A torn last line is not
    /// an entry; a damaged line before it is an error.
    pub fn read(&self, up_to: Option<u64>) -> io::Result<(Vec<Entry>, u64)> {
        self.scan(up_to).or_else(|_| {
            // An append that cut a torn tail meanwhile looks like damage: look again while nobody writes.
            let _lock = self.lock()?;
            self.scan(up_to)
        })
    }

    /// Entries behind a place that an earlier call gave, and the place behind the last one.
    pub fn read_behind(&self, place: Place) -> io::Result<(Vec<Entry>, Place)> {
        self.scan_behind(place).or_else(|_| {
            let _lock = self.lock()?;
            self.scan_behind(place)
        })
    }

    /// Appends what `decide` wants, who sees all entries behind `place` that there are at that moment: nobody appends
    /// between the look and the line. Durable on return.
    pub fn append_behind(
        &self,
        place: Place,
        at_utc_secs: i64,
        decide: &mut dyn FnMut(&[Entry]) -> Vec<Event>,
    ) -> io::Result<()> {
        let _lock = self.lock()?;
        let (entries, _) = self.scan_behind(place)?;
        self.append_locked(at_utc_secs, &decide(&entries))
    }

    /// The offset behind the last entry; reads the end of the file alone.
    pub fn offset(&self) -> io::Result<u64> {
        let _lock = self.lock()?;
        match File::open(self.path()) {
            Ok(mut file) => scan::tail(&mut file).map(|(end, _)| end),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(durable::named(&self.path(), "opening ledger", &error)),
        }
    }

    fn scan(&self, up_to: Option<u64>) -> io::Result<(Vec<Entry>, u64)> {
        let named = |error| durable::named(&self.path(), "reading", &error);
        match File::open(self.path()) {
            Ok(file) => scan::entries(file, up_to).map_err(named),
            Err(error) if error.kind() == io::ErrorKind::NotFound && up_to.unwrap_or(0) == 0 => {
                Ok((Vec::new(), 0))
            }
            Err(error) => Err(named(error)),
        }
    }

    fn scan_behind(&self, place: Place) -> io::Result<(Vec<Entry>, Place)> {
        let named = |error| durable::named(&self.path(), "reading", &error);
        match File::open(self.path()) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(place.offset)).map_err(named)?;
                let (entries, bytes) = scan::entries_behind(file, None, place).map_err(named)?;
                let behind = Place {
                    offset: place.offset + bytes,
                    seq: place.seq + entries.len() as u64,
                };
                Ok((entries, behind))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && place == Place::default() => {
                Ok((Vec::new(), place))
            }
            Err(error) => Err(named(error)),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join("events.jsonl")
    }

    /// Held until dropped; an append takes milliseconds, so nobody waits long.
    fn lock(&self) -> io::Result<File> {
        let path = self.folder.join("ledger.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map_err(|error| durable::named(&path, "locking", &error))
    }
}

fn encode(last_seq: u64, at_utc_secs: i64, events: &[Event]) -> io::Result<String> {
    let lines = events
        .iter()
        .zip(last_seq + 1..)
        .map(|(event, seq)| line::encode(seq, at_utc_secs, event));
    let lines: Result<String, String> = lines.collect();
    lines.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("ledger: {error}")))
}

fn write_behind(file: &mut File, end: u64, lines: &str) -> io::Result<()> {
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}

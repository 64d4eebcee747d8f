//! Events -> appended lines -> folded view.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::day::Day;

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
}

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

/// The file `ledger/events.jsonl`.
pub struct Ledger {}

impl Ledger {
    /// Opens (and creates) the folder.
    pub fn open(_folder: &Path) -> io::Result<Self> {
        todo!()
    }

    /// Appends under `ledger.lock`, durable on return.
    pub fn append(&self, _at_utc_secs: i64, _events: &[Event]) -> io::Result<()> {
        todo!()
    }

    /// All entries up to `offset` bytes (`None`: all), and the offset behind the last one.
    pub fn read(&self, _up_to: Option<u64>) -> io::Result<(Vec<Entry>, u64)> {
        todo!()
    }
}

//! Entries -> what they add up to. A pure function: the same entries give the same view.

use super::{Entry, Event, RunResult};
use crate::model::day::Day;

/// A run as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// From 1, in the order in which runs ended.
    pub run_no: u64,
    /// When it ended, seconds since 1970 UTC.
    pub ended_utc_secs: i64,
    /// What it did.
    pub result: RunResult,
}

/// What the ledger says up to some offset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The day for which things are judged; `None` before the first run. It never goes back.
    pub as_of: Option<Day>,
    /// All runs, the oldest first.
    pub runs: Vec<Run>,
    /// When the last run ended, seconds since 1970 UTC.
    pub last_run_utc_secs: Option<i64>,
}

impl View {
    /// Folds entries in their order.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut view = Self::default();
        entries.iter().for_each(|entry| view.apply(entry));
        view
    }

    fn apply(&mut self, entry: &Entry) {
        match &entry.event {
            Event::AsOfAdvanced { as_of } => self.as_of = self.as_of.max(Some(*as_of)),
            Event::RunFinished(result) => {
                let run_no = self.runs.len() as u64 + 1;
                self.runs.push(Run {
                    run_no,
                    ended_utc_secs: entry.at_utc_secs,
                    result: result.clone(),
                });
                self.last_run_utc_secs = Some(entry.at_utc_secs);
            }
        }
    }
}

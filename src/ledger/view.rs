//! Entries -> what they add up to. A pure function: the same entries give the same view.

use super::{Entry, Event, RunResult, Sights};
use crate::model::day::Day;
use crate::model::retention::{FirstSight, Retention, SightKind};

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
    /// What is gone; `None` where nothing is. Its cut-off never goes back.
    pub retention: Option<Retention>,
    /// The cut-off up to which the archive let bytes go.
    pub pruned_before: Option<Day>,
}

impl View {
    /// Folds entries in their order.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut view = Self::default();
        let mut sights = FirstSights::default();
        for entry in entries {
            view.apply(entry, &mut sights);
        }
        if let Some(retention) = &mut view.retention {
            retention.first_seen = sights.sorted();
        }
        view
    }

    fn apply(&mut self, entry: &Entry, sights: &mut FirstSights) {
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
            Event::FirstSeen { kind, sights: new } => sights.note(*kind, new),
            Event::RetentionAdvanced { expired_before, .. } => {
                let had = self.retention.as_ref().map(|had| had.expired_before);
                self.retention = Some(Retention {
                    expired_before: had.max(Some(*expired_before)).unwrap_or(*expired_before),
                    first_seen: Vec::new(),
                });
                sights.counted = sights.noted.len();
            }
            Event::ArchivePruned { expired_before, .. } => {
                self.pruned_before = self.pruned_before.max(Some(*expired_before));
            }
        }
    }
}

/// First sights on their way; an append that died may have left some that do not count yet.
#[derive(Default)]
struct FirstSights {
    noted: Vec<FirstSight>,
    counted: usize,
}

impl FirstSights {
    fn note(&mut self, kind: SightKind, sights: &Sights) {
        for (domain, days) in sights {
            for (day, subjects) in days {
                // What is no day was written by nobody.
                let Ok(day) = day.parse() else { continue };
                self.noted.extend(subjects.iter().map(|subject| FirstSight {
                    kind,
                    domain: domain.clone(),
                    subject: subject.clone(),
                    day,
                }));
            }
        }
    }

    /// The earliest of each.
    fn sorted(mut self) -> Vec<FirstSight> {
        self.noted.truncate(self.counted);
        self.noted.sort_unstable();
        self.noted.dedup_by(|later, earlier| {
            (later.kind, &later.domain, &later.subject)
                == (earlier.kind, &earlier.domain, &earlier.subject)
        });
        self.noted
    }
}

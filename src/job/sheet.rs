//! `work/job.json`: what the run that is going on has done so far, for everybody who wants to see it. Derived and
//! private; it says nothing unless somebody holds the run lock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::run::{Progress, Ticket};
use crate::clock;
use crate::model::outcome::Outcome;

/// The file is not written more often.
const EVERY: Duration = Duration::from_millis(300);

/// A run on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Names the job.
    pub id: String,
    /// `ingest`, `run`, …
    pub kind: String,
    /// What it was asked with.
    pub parameters: BTreeMap<String, String>,
    /// Start, seconds since 1970 UTC.
    pub started_utc_secs: i64,
    /// Messages or files that it will take in, where that is known.
    pub wanted: Option<u64>,
    /// Items that are in the archive.
    pub archived: u64,
    /// Documents by outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 8],
}

/// Keeps the file up to date; removes it in the end.
pub struct Noting {
    path: PathBuf,
    sheet: RefCell<(Sheet, Option<Instant>)>,
}

/// A name for a job that begins now.
pub fn new_id(now: DateTime<Utc>) -> String {
    now.format("%Y%m%d-%H%M%S-%6f").to_string()
}

impl Noting {
    /// Begins. The caller holds the run lock.
    pub fn begin(work: &Path, kind: &str, ticket: &Ticket, started_utc_secs: i64) -> Self {
        let sheet = Sheet {
            id: ticket.id.clone(),
            kind: kind.to_owned(),
            parameters: ticket.parameters.clone(),
            started_utc_secs,
            ..Sheet::default()
        };
        let noting = Self {
            path: work.join("job.json"),
            sheet: RefCell::new((sheet, None)),
        };
        noting.write();
        noting
    }

    /// So many messages will be taken in.
    pub fn wanted(&self, messages: u64) {
        self.sheet.borrow_mut().0.wanted = Some(messages);
        self.write();
    }

    /// Something was done.
    pub fn note(&self, progress: &Progress) {
        let is_due = {
            let (sheet, written) = &mut *self.sheet.borrow_mut();
            match progress {
                Progress::Archived(items) => sheet.archived = *items,
                Progress::Loaded(documents) => {
                    for document in *documents {
                        let at = Outcome::ALL.iter().position(|o| *o == document.outcome);
                        if let Some(count) = at.and_then(|at| sheet.outcomes.get_mut(at)) {
                            *count += 1;
                        }
                    }
                }
                Progress::LoadedAgain(_) => {}
            }
            written.is_none_or(|at| clock::instant().duration_since(at) >= EVERY)
        };
        if is_due {
            self.write();
        }
    }

    /// Nobody depends on it: where it cannot be written, it is not.
    fn write(&self) {
        let (sheet, written) = &mut *self.sheet.borrow_mut();
        *written = Some(clock::instant());
        let temp = self.path.with_extension("json.tmp");
        let text = serde_json::to_vec(sheet).unwrap_or_default();
        if let Err(error) = fs::write(&temp, text).and_then(|()| fs::rename(&temp, &self.path)) {
            tracing::debug!(%error, "noting how the run goes");
        }
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        // Without the run lock nobody believes it.
        let _ = fs::remove_file(&self.path);
    }
}

impl Sheet {
    /// Of the run that is going on in a work folder; `None` where there is none.
    pub fn read(work: &Path) -> Option<Self> {
        let text = fs::read(work.join("job.json")).ok()?;
        let sheet = serde_json::from_slice(&text).ok()?;
        super::lock::is_held(&work.join("run.lock")).then_some(sheet)
    }
}

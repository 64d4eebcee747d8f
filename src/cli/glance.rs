//! The ledger as the server sees it: read again only when its file has changed, because widgets ask every few seconds.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use anyhow::Context as _;

use crate::ledger::{Ledger, Place, View};

/// Size and time of the file; `None` before it exists.
type FileState = Option<(u64, SystemTime)>;

/// What the ledger says of jobs, alerts and the last run, as far as it was read.
pub(super) struct Glance {
    folder: PathBuf,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    file: FileState,
    place: Place,
    view: Arc<View>,
}

impl Glance {
    /// Reads nothing yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            last: Mutex::default(),
        }
    }

    /// What it says now.
    pub(super) fn view(&self) -> anyhow::Result<Arc<View>> {
        Ok(self.look()?.0)
    }

    /// What it says now, and up to where it was read.
    pub(super) fn look(&self) -> anyhow::Result<(Arc<View>, Place)> {
        let file = file_state(&self.folder.join("events.jsonl"))?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *last = Last::default();
            return Ok((Arc::default(), Place::default()));
        }
        if last.file != file {
            let has_shrunk = file.is_some_and(|(bytes, _)| bytes < last.place.offset);
            if has_shrunk {
                // Somebody took a copy of before.
                *last = Last::default();
            }
            let (entries, place) = Ledger::open(&self.folder)
                .and_then(|ledger| ledger.read_behind(last.place))
                .context("reading the ledger")?;
            if !entries.is_empty() {
                let mut view = View::clone(&last.view);
                view.fold_more(&entries);
                // The server needs the last run alone, and nothing of what is gone.
                view.runs.drain(..view.runs.len().saturating_sub(1));
                view.retention = None;
                last.view = Arc::new(view);
            }
            (last.file, last.place) = (file, place);
        }
        Ok((Arc::clone(&last.view), last.place))
    }
}

fn file_state(path: &Path) -> anyhow::Result<FileState> {
    match std::fs::metadata(path).and_then(|meta| Ok((meta.len(), meta.modified()?))) {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("looking at the ledger"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Event, RunResult};

    #[test]
    fn a_run_that_ends_while_the_server_runs_is_seen() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("ledger");
        let glance = Glance::new(folder.clone());
        assert_eq!(
            *glance.view().unwrap(),
            View::default(),
            "before the first run"
        );
        assert!(!folder.exists(), "a look makes no folder");
        let ledger = Ledger::open(&folder).unwrap();
        for at_utc_secs in [100, 200] {
            let run = Event::RunFinished(RunResult::default());
            ledger.append(at_utc_secs, &[run]).unwrap();
            let view = glance.view().unwrap();
            assert_eq!(view.last_run_utc_secs, Some(at_utc_secs));
            assert!(
                Arc::ptr_eq(&view, &glance.view().unwrap()),
                "not read twice"
            );
        }
    }
}

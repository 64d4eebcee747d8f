//! Begins and ends runs over one data folder: the lock, the sheet of progress, the note of what failed.

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};

use super::disk;
use super::dry_run::clear_leftover;
use super::folders::Folders;
use super::lock::{Holder, RunLock};
use super::publish::Draw;
use super::run::{AsOfGoesBack, Run, Ticket};
use super::sheet::Noting;
use super::stopwatch::Stopwatch;
use crate::ledger::{Event, JobFailure, Ledger};
use crate::model::day::Day;
use crate::store::settings::StoreConfig;

/// What all runs over a data folder have in common.
pub struct Runner<'a> {
    /// The data folder.
    pub folders: Folders,
    /// Settings of the store.
    pub store: StoreConfig,
    /// Draws the pages.
    pub draw: Draw<'a>,
    /// The day for which things are judged, as asked for.
    pub as_of: Option<Day>,
    /// Nothing is fetched where less than this is left on the disk beside the size of the database.
    pub min_free_bytes: u64,
    /// The present instant.
    pub now: &'a dyn Fn() -> DateTime<Utc>,
}

impl Runner<'_> {
    /// Takes the run lock (`wait` decides how long others are waited for) and does the work. A failure is noted in the
    /// ledger.
    pub fn run<T>(
        &self,
        kind: &str,
        ticket: Ticket,
        wait: &mut dyn FnMut(&Holder) -> bool,
        work: impl FnOnce(&Run, &Noting) -> Result<T>,
    ) -> Result<T> {
        let lock = self.folders.work().join("run.lock");
        let _lock = RunLock::acquire(&lock, &format!("sentinel {kind}"), wait)?;
        // It may be as large as the database, and nobody else would miss it.
        if let Err(error) = clear_leftover(&self.folders) {
            tracing::warn!("{error:#}");
        }
        let started = (self.now)();
        let elapsed_us = || {
            let elapsed = ((self.now)() - started).num_microseconds();
            u64::try_from(elapsed.unwrap_or(0)).unwrap_or(0)
        };
        let watch = Stopwatch::new(&elapsed_us);
        let run = Run {
            kind,
            ticket,
            folders: &self.folders,
            store: self.store.renewed(),
            as_of: self.as_of,
            today: started.date_naive(),
            started_utc_secs: started.timestamp(),
            watch: &watch,
            draw: self.draw,
        };
        let noting = Noting::begin(
            &self.folders.work(),
            kind,
            &run.ticket,
            run.started_utc_secs,
        );
        let done = work(&run, &noting);
        if let Err(error) = &done
            && !run.ticket.id.is_empty()
            && !error.is::<AsOfGoesBack>()
        {
            self.failed(&run, error);
        }
        done
    }

    /// Where even that cannot be noted, the caller tells of the first failure.
    fn failed(&self, run: &Run, error: &anyhow::Error) {
        let failure = JobFailure {
            id: run.ticket.id.clone(),
            kind: run.kind.to_owned(),
            parameters: run.ticket.parameters.clone(),
            started_utc_secs: run.started_utc_secs,
            duration_ms: run.watch.elapsed_ms(),
            error: format!("{error:#}"),
        };
        if let Err(error) = self.note(&[Event::JobFailed(failure)]) {
            tracing::warn!("noting a failed run: {error:#}");
        }
    }

    /// An error where the disk is too full to fetch anything.
    pub fn check_disk(&self) -> Result<()> {
        match disk::shortage(&self.folders, self.min_free_bytes).context("looking at the disk")? {
            Some(shortage) => bail!("nothing is fetched: {shortage}"),
            None => Ok(()),
        }
    }

    /// Appends to the ledger.
    pub fn note(&self, events: &[Event]) -> Result<()> {
        let at_utc_secs = (self.now)().timestamp();
        Ledger::open(&self.folders.ledger())
            .and_then(|ledger| ledger.append(at_utc_secs, events))
            .context("writing the ledger")
    }
}

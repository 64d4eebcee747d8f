//! What `ingest`, `rebuild` and `verify` share: the run lock, the settings of the store, progress.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::context::{Global, UsageError};
use crate::clock;
use crate::config::Config;
use crate::job::folders::Folders;
use crate::job::lock::{RunLock, WAIT_SECS, patience};
use crate::job::publish::Draw;
use crate::job::run::{AsOfGoesBack, Progress, Run, Ticket};
use crate::job::sheet::new_id;
use crate::job::stopwatch::Stopwatch;
use crate::model::outcome::Outcome;
use crate::store::decide::DocumentRow;
use crate::store::settings::{StoreConfig, by_name};

/// What DuckDB may use; the readers, a batch on its way and the archive need as much again, and all of it together stays
/// below 512 MiB.
const DATABASE_MEMORY_BYTES: u64 = 128 << 20;

/// Takes the run lock, waiting for who holds it, and runs `work`.
pub(super) fn locked<T>(
    kind: &str,
    global: &Global,
    config: &Config,
    draw: Draw,
    work: impl FnOnce(&Run) -> Result<T>,
) -> Result<T> {
    let folders = Folders::new(&config.app.data_dir);
    let mut told = false;
    let mut again = patience(WAIT_SECS);
    let mut wait = |holder: &crate::job::lock::Holder| {
        if !std::mem::replace(&mut told, true) {
            eprintln!("waiting for {holder}");
        }
        again(holder)
    };
    let _lock = RunLock::acquire(
        &folders.work().join("run.lock"),
        &format!("sentinel {kind}"),
        &mut wait,
    )?;
    let started = clock::now();
    let elapsed_us = || {
        let elapsed = (clock::now() - started).num_microseconds();
        u64::try_from(elapsed.unwrap_or(0)).unwrap_or(0)
    };
    let watch = Stopwatch::new(&elapsed_us);
    let ticket = Ticket {
        id: new_id(started),
        ..Ticket::default()
    };
    let run = Run {
        kind,
        ticket,
        folders: &folders,
        store: store_config(config, &folders.database())?,
        as_of: global.as_of,
        retention_months: config.retention.months,
        today: clock::today(),
        started_utc_secs: started.timestamp(),
        watch: &watch,
        draw,
    };
    work(&run).map_err(|error| match error.downcast::<AsOfGoesBack>() {
        Ok(backwards) => UsageError(backwards.to_string()).into(),
        Err(error) => error,
    })
}

fn store_config(config: &Config, path: &Path) -> Result<StoreConfig> {
    let domains = &config.domains;
    Ok(StoreConfig {
        path: path.to_path_buf(),
        memory_limit_bytes: DATABASE_MEMORY_BYTES,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        code_hash: env!("SENTINEL_CODE_HASH").to_owned(),
        config_hash: config
            .hash()
            .context("reading the configuration's query files")?,
        domains: (!domains.is_empty()).then(|| domains.iter().cloned().collect()),
        known_senders: by_name(&config.known_senders),
        limits: config.limits.clone(),
        // The ledger says; each step asks it.
        retention: None,
    })
}

/// A bar on a terminal, a line now and then elsewhere; refused documents as lines in any case.
pub(super) struct Reporter {
    bar: Option<ProgressBar>,
    documents: u64,
    is_quiet: bool,
}

/// Documents between two plain lines of progress.
const LINE_EVERY_DOCUMENTS: u64 = 50_000;

impl Reporter {
    pub(super) fn new(is_quiet: bool) -> Self {
        let bar = (!is_quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self {
            bar,
            documents: 0,
            is_quiet,
        }
    }

    /// Shows progress and every refused document.
    pub(super) fn note(&mut self, progress: Progress) {
        match progress {
            Progress::Archived(items) => self.show(&format!(
                "{items} items archived, {} documents loaded",
                self.documents
            )),
            Progress::Loaded(documents) => {
                for document in documents
                    .iter()
                    .filter(|document| document.outcome == Outcome::Refused)
                {
                    self.line(&refused_line(document));
                }
                self.count(documents.len());
            }
            Progress::LoadedAgain(documents) => self.count(documents.len()),
        }
    }

    fn count(&mut self, documents: usize) {
        let before = self.documents / LINE_EVERY_DOCUMENTS;
        self.documents += documents as u64;
        self.show(&format!("{} documents loaded", self.documents));
        let is_due = self.documents / LINE_EVERY_DOCUMENTS > before;
        if self.bar.is_none() && !self.is_quiet && is_due {
            eprintln!("{} documents loaded", self.documents);
        }
    }

    fn show(&self, message: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `refused FILE MEMBER CODE: MESSAGE`, free of control characters.
fn refused_line(document: &DocumentRow) -> String {
    let file = document.file_name.as_deref().unwrap_or("(no name)");
    let member = if document.path.is_empty() {
        String::new()
    } else {
        format!(" {}", document.path)
    };
    let code = document.code.as_deref().unwrap_or("refused");
    let message = document.detail.as_deref().unwrap_or_default();
    format!("refused {file}{member} {code}: {message}").replace(char::is_control, " ")
}

/// The counts of a run in the form that scripts read: `accepted N, duplicate N, …`.
pub(super) fn counts_line(outcomes: &[u64; 8]) -> String {
    let shown = Outcome::ALL
        .iter()
        .zip(outcomes)
        .filter(|(outcome, _)| **outcome != Outcome::Expired);
    shown
        .map(|(outcome, count)| format!("{} {count}", outcome.as_str()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// 1 if a document was refused, else 0.
pub(super) fn exit_code(refused: u64) -> ExitCode {
    ExitCode::from(u8::from(refused > 0))
}

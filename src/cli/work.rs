//! What `ingest`, `rebuild` and `verify` share: the run lock, the settings of the store, progress.

use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};

use super::context::{Global, UsageError};
use crate::addresses::Networks;
use crate::clock;
use crate::config::Config;
use crate::job::folders::Folders;
use crate::job::lock::{Holder, WAIT_SECS, patience};
use crate::job::publish::Draw;
use crate::job::run::{AsOfGoesBack, Done, Progress, Run, Ticket};
use crate::job::runner::Runner;
use crate::job::sheet::{Noting, new_id};
use crate::ledger::{Ledger, View};
use crate::model::outcome::Outcome;
use crate::store::decide::DocumentRow;
use crate::store::settings::{Elsewhere, StoreConfig, approved, by_name};

/// What DuckDB may use; the readers, a batch on its way and the archive need as much again, and all of it together stays
/// below 512 MiB.
const DATABASE_MEMORY_BYTES: u64 = 128 << 20;

/// Runs that are listed as jobs: they may bring in something new.
const JOBS: [&str; 4] = ["ingest", "run", "backlog", "rebuild"];

/// Takes the run lock, waiting for who holds it, and runs `work`.
pub(super) fn locked<T>(
    kind: &str,
    global: &Global,
    config: &Config,
    draw: Draw,
    work: impl FnOnce(&Run, &Noting) -> Result<T>,
) -> Result<T> {
    let ticket = Ticket {
        id: if JOBS.contains(&kind) {
            new_id(clock::now())
        } else {
            String::new()
        },
        ..Ticket::default()
    };
    let runner = runner(global, config, draw)?;
    let done = runner.run(kind, ticket, &mut waiting(), work);
    done.map_err(as_usage)
}

/// What runs of this command have in common.
pub(super) fn runner<'a>(global: &Global, config: &Config, draw: Draw<'a>) -> Result<Runner<'a>> {
    let folders = Folders::new(&config.app.data_dir);
    Ok(Runner {
        store: store_config(config, &folders.database())?,
        folders,
        draw,
        as_of: global.as_of,
        min_free_bytes: config.app.min_free_disk_bytes,
        now: &clock::now,
    })
}

/// Waits for another run, a minute, and says for whom.
pub(super) fn waiting() -> impl FnMut(&Holder) -> bool {
    let mut told = false;
    let mut again = patience(WAIT_SECS);
    move |holder: &Holder| {
        if !std::mem::replace(&mut told, true) {
            eprintln!("waiting for {holder}");
        }
        again(holder)
    }
}

/// A day that goes back is a mistake in the command line.
pub(super) fn as_usage(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<AsOfGoesBack>() {
        Ok(backwards) => UsageError(backwards.to_string()).into(),
        Err(error) => error,
    }
}

pub(super) fn store_config(config: &Config, path: &Path) -> Result<StoreConfig> {
    let domains = &config.domains;
    Ok(StoreConfig {
        path: path.to_path_buf(),
        memory_limit_bytes: DATABASE_MEMORY_BYTES,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        code_hash: env!("SENTINEL_CODE_HASH").to_owned(),
        load_hash: config.load_hash(),
        config_hash: config
            .hash()
            .context("reading the configuration's query files")?,
        domains: (!domains.is_empty()).then(|| domains.iter().cloned().collect()),
        known_senders: by_name(&config.known_senders),
        services: approved(&config.services, &config.known_senders),
        limits: config.limits.clone(),
        retention_months: config.retention.months,
        // The ledger says; each step asks it.
        retention: None,
        elsewhere: Elsewhere {
            networks: Arc::new(Networks::open(&config.addresses.mmdb)?),
            host_names: Arc::default(),
        },
    })
}

/// A bar on a terminal, a line now and then elsewhere; refused documents as lines in any case.
pub(super) struct Reporter {
    bar: Option<ProgressBar>,
    documents: u64,
    is_quiet: bool,
    /// Messages that will be fetched, and those that earlier runs of the same command have fetched.
    messages: Option<(u64, u64)>,
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
            messages: None,
        }
    }

    /// So many messages will be fetched, beside those fetched before: there is an end in sight.
    pub(super) fn expect(&mut self, messages: u64, before: u64) {
        self.messages = Some((messages, before));
        if let Some(bar) = &self.bar {
            bar.set_length(messages + before);
            let style = "{bar:30} {pos}/{len} messages, {msg} [{elapsed}, {eta} left]";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
        } else if !self.is_quiet && messages > 0 {
            eprintln!("{messages} messages to fetch");
        }
    }

    /// Shows progress and every refused document.
    pub(super) fn note(&mut self, progress: Progress) {
        match progress {
            Progress::Archived(items) => {
                if let (Some((_, before)), Some(bar)) = (self.messages, &self.bar) {
                    bar.set_position(before + items);
                }
                self.show(&format!(
                    "{items} items archived, {} documents loaded",
                    self.documents
                ));
            }
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

/// 1 if a document was refused, else 0.
pub(super) fn exit_code(refused: u64) -> ExitCode {
    ExitCode::from(u8::from(refused > 0))
}

/// The same; 1 also where what was published lacks the alerts of a rule that cannot be asked.
pub(super) fn exit_code_of(done: &Done, config: &Config) -> Result<ExitCode> {
    let refused = done.loaded.count(Outcome::Refused);
    if done.generation.is_none() {
        return Ok(exit_code(refused));
    }
    let ledger = Ledger::open(&Folders::new(&config.app.data_dir).ledger());
    let read = ledger.and_then(|ledger| ledger.read(None));
    let (entries, _) = read.context("reading the ledger")?;
    let failing = View::fold(&entries).failing_rules().count() as u64;
    Ok(exit_code(refused + failing))
}

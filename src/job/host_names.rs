//! Names of hosts: what is due to be asked for, and what came of it, into the ledger.
//!
//! It is nobody's step: it goes by what is published, holds no run up, and the next publication takes what it found into
//! effect.

use std::fs::{File, OpenOptions, TryLockError};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::folders::Folders;
use crate::addresses::{Pace, Resolver, look_up_all};
use crate::clock;
use crate::ledger::{HostNames, Ledger, hosts_looked_up};
use crate::model::address::{HostAnswer, is_public};
use crate::publish::Publisher;
use crate::query::{Params, Query, ReaderLimits, Value, open_read_only, run};

/// Look-ups that begin in a second at most, and how many wait for answers at the same time.
const PER_SECOND: u32 = 20;
const AT_ONCE: usize = 8;

/// Addresses that are looked up before what was found is noted.
const ROUND: usize = 200;

/// Addresses that are looked up in a day at most: strangers invent as many as they like, and each takes room in the
/// ledger for good.
const MOST_IN_A_DAY: usize = 20_000;
const DAY_SECS: i64 = 86_400;

/// Addresses that are thought of at all, those with most messages first.
const MOST_ADDRESSES: i64 = 100_000;

/// What a pass needs.
pub struct Asking<'a> {
    /// The data folder.
    pub folders: &'a Folders,
    /// Asks.
    pub resolver: &'a Resolver,
    /// The query `asked_addresses`.
    pub query: &'a Query,
    /// How long it may take.
    pub longest: Duration,
    /// Ends it early.
    pub stop: &'a AtomicBool,
}

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Another program is asking.
    pub is_busy: bool,
    /// Addresses that were due.
    pub due: usize,
    /// Addresses with a name that leads back.
    pub named: usize,
    /// Addresses without one.
    pub nameless: usize,
    /// Addresses of which nothing could be found out.
    pub failed: usize,
    /// Why not, of the first of them.
    pub error: Option<String>,
    /// Whether a name is another than before.
    pub has_changed: bool,
}

/// Looks up the names of the published sources that are due, as many as there is time for.
pub fn look_up(asking: &Asking<'_>) -> Result<Asked> {
    let mut asked = Asked::default();
    let Some(_lock) = lock(asking.folders)? else {
        asked.is_busy = true;
        return Ok(asked);
    };
    let until = clock::instant() + asking.longest;
    let ledger = Ledger::open(&asking.folders.ledger()).context("opening the ledger")?;
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    let names = HostNames::fold(&entries);
    drop(entries);
    let now_utc_secs = clock::now().timestamp();
    let mut due = published_addresses(asking)?;
    due.retain(|address| is_public(*address) && names.is_due(*address, now_utc_secs));
    asked.due = due.len();
    due.truncate(MOST_IN_A_DAY.saturating_sub(names.asked_since(now_utc_secs - DAY_SECS)));
    for round in due.chunks(ROUND) {
        let pace = Pace {
            per_second: PER_SECOND,
            at_once: AT_ONCE,
            until,
            stop: asking.stop,
        };
        let answers = look_up_all(asking.resolver, round, &pace);
        ledger
            .append(clock::now().timestamp(), &hosts_looked_up(&answers))
            .context("writing the ledger")?;
        asked.note(&names, &answers);
        if answers.len() < round.len() || asking.stop.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(asked)
}

impl Asked {
    fn note(&mut self, before: &HostNames, answers: &[(IpAddr, HostAnswer)]) {
        for (address, answer) in answers {
            let name = match answer {
                HostAnswer::Named(name) => {
                    self.named += 1;
                    Some(name.as_str())
                }
                HostAnswer::Nameless => {
                    self.nameless += 1;
                    None
                }
                HostAnswer::Failed(error) => {
                    self.failed += 1;
                    self.error.get_or_insert_with(|| error.clone());
                    continue;
                }
            };
            self.has_changed |= before.name(*address) != name;
        }
    }
}

/// Held while somebody asks; `None` where another program does.
fn lock(folders: &Folders) -> Result<Option<File>> {
    let path = folders.work().join("names.lock");
    let opened = std::fs::create_dir_all(folders.work()).and_then(|()| {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).open(&path)
    });
    let file = opened.with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("locking {}", path.display()))
        }
    }
}

/// The addresses of the published generation that sent lately, those with most messages first.
fn published_addresses(asking: &Asking<'_>) -> Result<Vec<IpAddr>> {
    let publisher = Publisher::open(&asking.folders.public());
    let Some(generation) = publisher.current().context("looking for a generation")? else {
        return Ok(Vec::new());
    };
    let Some(database) = generation.database() else {
        return Ok(Vec::new());
    };
    let limits = ReaderLimits {
        memory_mib: 128,
        threads: 1,
    };
    let connection = open_read_only(&database, limits)?;
    let params = Params::from([
        (
            "as_of".to_owned(),
            Value::Day(generation.manifest.values.as_of),
        ),
        ("most".to_owned(), Value::Int(MOST_ADDRESSES)),
    ]);
    let table = run(&connection, asking.query, &params)?;
    let texts = table.rows.iter().filter_map(|row| match row.first() {
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    });
    Ok(texts.collect())
}

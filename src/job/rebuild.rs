//! Everything derived made anew from the archive and the ledger.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};

use super::load::{Loaded, load};
use super::publish::Extent;
use super::retention;
use super::rule_outages::note_failing;
use super::run::{Progress, Run, beside, finish, keep, publish_store};
use crate::archive::Archive;
use crate::ledger::Ledger;
use crate::publish::{Generation, Publisher};
use crate::store::working::{Store, remove};

/// What a rebuild did.
#[derive(Debug)]
pub struct Rebuilt {
    /// Counts.
    pub loaded: Loaded,
    /// The new generation.
    pub generation: Option<Generation>,
    /// What it changed, against the generation that was published before; `None` where there was none.
    pub changes: Option<Changes>,
}

/// Before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Documents by outcome.
    pub outcomes: BTreeMap<String, [i64; 2]>,
    /// Rows by table.
    pub tables: BTreeMap<String, [i64; 2]>,
    /// Ids of reports that were there and are not any more.
    pub vanished: Vec<String>,
    /// Ids of reports that were not there before.
    pub appeared: Vec<String>,
}

/// Loads the whole archive into a new database beside the working one, puts it in its place and publishes.
pub fn rebuild(run: &Run, progress: &mut dyn FnMut(Progress)) -> Result<Rebuilt> {
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
    keep(&ledger, run)?;
    let run = &retention::kept(run, &ledger)?;
    let scratch = beside(&run.store, &run.folders.work().join("rebuild.duckdb"));
    remove(&scratch.path)?;
    let mut store = Store::open(scratch)?;
    let loaded = load(&archive, &mut store, archive.position(), progress)?;
    note_failing(run, &ledger, &mut store)?;
    let changes = changes(run, &store)?;
    let closed = store.close()?;
    remove(&run.store.path)?;
    fs::rename(&closed.path, &run.store.path).context("replacing the working database")?;
    finish(run, &ledger, &loaded)?;
    let generation = publish_store(
        run,
        &ledger,
        Store::open(run.store.clone())?,
        Extent::Everything,
    )?;
    Ok(Rebuilt {
        loaded,
        generation,
        changes,
    })
}

fn changes(run: &Run, store: &Store) -> Result<Option<Changes>> {
    let current = Publisher::open(&run.folders.public())
        .current()
        .unwrap_or(None);
    let Some(published) = current.and_then(|generation| generation.database()) else {
        return Ok(None);
    };
    let compared = store.attach(&published).and_then(|()| {
        let [vanished, appeared] = store.changed_reports()?;
        Ok(Changes {
            outcomes: store.outcomes()?,
            tables: store.counts()?,
            vanished,
            appeared,
        })
    });
    match compared {
        Ok(changes) => {
            store.detach()?;
            Ok(Some(changes))
        }
        Err(error) => {
            // One of another version may have other tables; that is no reason not to rebuild.
            tracing::warn!("the published database cannot be compared: {error:#}");
            store.detach().ok();
            Ok(None)
        }
    }
}

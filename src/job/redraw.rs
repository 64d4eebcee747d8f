//! A generation without new input: the same archive, drawn by the present program and configuration.

use anyhow::{Context, Result};

use super::publish::Extent;
use super::retention;
use super::run::{Done, Progress, Run, advance, keep, load_all, open_store, publish_store};
use crate::archive::Archive;
use crate::ledger::Ledger;
use crate::publish::Generation;

/// Publishes what people did with alerts; the day for which things are judged stays.
pub fn refresh(run: &Run) -> Result<Option<Generation>> {
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
    if archive.position() == 0 {
        return Ok(None);
    }
    keep(&ledger, run)?;
    let run = &retention::kept(run, &ledger)?;
    let (mut store, extent) = open_store(run, &archive)?;
    load_all(run, &archive, &mut store, &mut |_| {})?;
    publish_store(run, &ledger, store, extent)
}

/// Publishes what the archive holds. A working database of other code or configuration is loaded anew first.
pub fn redraw(run: &Run, extent: Extent, progress: &mut dyn FnMut(Progress)) -> Result<Done> {
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
    advance(&ledger, run)?;
    let run = &retention::kept(run, &ledger)?;
    let (mut store, opened) = open_store(run, &archive)?;
    let loaded = load_all(run, &archive, &mut store, progress)?;
    let extent = if opened == Extent::Everything {
        opened
    } else {
        extent
    };
    let generation = publish_store(run, &ledger, store, extent)?;
    Ok(Done {
        loaded,
        generation,
        unread: None,
    })
}

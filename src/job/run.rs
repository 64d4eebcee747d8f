//! A run over files: collect, load, publish. Each step goes on from what is durable, so a run that was killed is
//! finished by the next one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result};

use super::collect::{Paths, Source, collect};
use super::folders::Folders;
use super::load::{Loaded, load};
use super::publish::{Draw, Extent, Publication, publish};
use super::retention;
use super::rule_outages::note_failing;
use super::stopwatch::Stopwatch;
use crate::archive::Archive;
use crate::ledger::{Entry, Event, Ledger, RunResult, View};
use crate::model::day::Day;
use crate::model::hex::hex;
use crate::publish::{Generation, Publisher, Values};
use crate::store::addresses::{Learnt, Shown};
use crate::store::decide::DocumentRow;
use crate::store::mail_endings::WouldBe;
use crate::store::settings::StoreConfig;
use crate::store::working::{Store, remove};

/// What a run needs to know. The caller holds the run lock.
#[derive(Clone)]
pub struct Run<'a> {
    /// `ingest`, `rebuild`, …
    pub kind: &'a str,
    /// Names it for those who ask how it goes.
    pub ticket: Ticket,
    /// The data folder.
    pub folders: &'a Folders,
    /// Settings of the store; its path is that of the working database.
    pub store: StoreConfig,
    /// The day for which things are judged, as asked for.
    pub as_of: Option<Day>,
    /// The present UTC day.
    pub today: Day,
    /// Start, seconds since 1970 UTC.
    pub started_utc_secs: i64,
    /// Times the steps.
    pub watch: &'a Stopwatch<'a>,
    /// Draws the pages.
    pub draw: Draw<'a>,
}

/// What a run is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticket {
    /// Unique; empty where nobody will ask.
    pub id: String,
    /// What it was asked with.
    pub parameters: BTreeMap<String, String>,
}

/// What a run tells while it goes on.
pub enum Progress<'a> {
    /// Items that are in the archive so far.
    Archived(u64),
    /// Documents whose rows are durable.
    Loaded(&'a [DocumentRow]),
    /// The same, of items that an earlier run has told of.
    LoadedAgain(&'a [DocumentRow]),
}

/// What a run did.
#[derive(Debug)]
pub struct Done {
    /// Counts.
    pub loaded: Loaded,
    /// The new generation; `None` when there was nothing new.
    pub generation: Option<Generation>,
    /// Why not all of the input could be read.
    pub unread: Option<anyhow::Error>,
}

/// `as_of` would go back.
#[derive(Debug, thiserror::Error)]
#[error("things were judged for {current} already: --as-of {asked} would go back")]
pub struct AsOfGoesBack {
    /// What was asked for.
    pub asked: Day,
    /// What the ledger says.
    pub current: Day,
}

/// Reads the paths and does all that follows, up to the new generation.
pub fn ingest(run: &Run, paths: &[OsString], progress: &mut dyn FnMut(Progress)) -> Result<Done> {
    let limits = &run.store.limits;
    take_in(run, &mut Paths { paths, limits }, progress)
}

/// Takes in what a source has and does all that follows, up to the new generation.
pub(super) fn take_in(
    run: &Run,
    source: &mut dyn Source,
    progress: &mut dyn FnMut(Progress),
) -> Result<Done> {
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let mut archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
    advance(&ledger, run)?;
    let run = &retention::advance(run, &ledger, &archive)?;
    let (opened, collected, unread) = collect_all(run, source, &ledger, &mut archive, progress)?;
    let Opened {
        mut store,
        extent,
        mut loaded,
    } = opened;
    loaded.add(&collected);
    loaded.add(&load_all(run, &archive, &mut store, progress)?);
    run.watch.add("durable_ms", run.watch.elapsed_ms() as f64);
    source.loaded(&store)?;
    finish(run, &ledger, &loaded)?;
    let generation = publish_store(run, &ledger, store, extent)?;
    Ok(Done {
        loaded,
        generation,
        unread,
    })
}

/// Takes in what a source has, without noting or publishing it: says what each document became.
pub(super) fn take_in_only(
    run: &Run,
    source: &mut dyn Source,
    mut archive: Archive,
) -> Result<(Done, Vec<WouldBe>)> {
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let before = archive.position();
    let (opened, loaded, unread) = collect_all(run, source, &ledger, &mut archive, &mut |_| {})?;
    let became = opened.store.became(before)?;
    opened.store.close()?;
    let done = Done {
        loaded,
        generation: None,
        unread,
    };
    Ok((done, became))
}

/// The store as a run finds it.
struct Opened {
    store: Store,
    extent: Extent,
    /// What earlier runs had left to load.
    loaded: Loaded,
}

impl AsMut<Store> for Opened {
    fn as_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

/// Loads what an earlier run archived and did not load. A store that is made anew holds what earlier runs have told of:
/// that is not counted once more.
fn catch_up(
    run: &Run,
    ledger: &Ledger,
    archive: &Archive,
    store: &mut Store,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    let has_run = entries
        .iter()
        .any(|entry| matches!(entry.event, Event::RunFinished(_)));
    if !has_run || store.position()? > 0 {
        return load_all(run, archive, store, progress);
    }
    load_all(run, archive, store, &mut |step| {
        progress(match step {
            Progress::Loaded(documents) => Progress::LoadedAgain(documents),
            other => other,
        });
    })?;
    Ok(Loaded::default())
}

/// Collects, and loads what it collects beside it. The figure of loading is what it takes after the last item is
/// archived.
fn collect_all(
    run: &Run,
    source: &mut dyn Source,
    ledger: &Ledger,
    archive: &mut Archive,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Opened, Loaded, Option<anyhow::Error>)> {
    let open = |archive: &Archive, progress: &mut dyn FnMut(Progress)| {
        let (mut store, extent) = open_store(run, archive)?;
        let loaded = catch_up(run, ledger, archive, &mut store, progress)?;
        Ok(Opened {
            store,
            extent,
            loaded,
        })
    };
    let began_ms = run.watch.elapsed_ms();
    let mut archived_ms = began_ms;
    let mut note = |step: Progress| {
        if let Progress::Archived(_) = step {
            archived_ms = run.watch.elapsed_ms();
        }
        progress(step);
    };
    let received_utc_secs = run.started_utc_secs;
    let (opened, loaded, collected) = collect(
        source,
        received_utc_secs,
        &run.store,
        archive,
        open,
        &mut note,
    )?;
    let ended_ms = run.watch.elapsed_ms();
    run.watch.add("collect_ms", (archived_ms - began_ms) as f64);
    run.watch.add("load_ms", (ended_ms - archived_ms) as f64);
    Ok((opened, loaded, collected.err()))
}

/// The working database, emptied where it was made from another archive: one that was restored from a backup may end
/// before it, and new items would take numbers that it believes to have loaded.
pub(super) fn open_store(run: &Run, archive: &Archive) -> Result<(Store, Extent)> {
    let store = Store::open(run.store.clone())?;
    let Some((item_no, had)) = store.last_item()? else {
        return Ok((store, Extent::Changed));
    };
    let has = archive.sha256(item_no).context("reading the archive")?;
    if has.is_some_and(|sha256| hex(&sha256) == had) {
        return Ok((store, Extent::Changed));
    }
    tracing::warn!("the working database was made from another archive: rebuilding");
    Ok((store.empty()?, Extent::Everything))
}

/// Loads what is archived and not loaded yet.
pub(super) fn load_all(
    run: &Run,
    archive: &Archive,
    store: &mut Store,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded> {
    run.watch.time("load_ms", || {
        load(archive, store, archive.position(), progress)
    })
}

/// Moves the day for which things are judged on to what was asked for, else to today.
pub fn advance(ledger: &Ledger, run: &Run) -> Result<Day> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    let current = as_of(&entries);
    match (run.as_of, current) {
        (Some(asked), Some(current)) if asked < current => {
            Err(AsOfGoesBack { asked, current }.into())
        }
        (None, Some(current)) if run.today <= current => Ok(current),
        (asked, current) => {
            let next = asked.unwrap_or(run.today);
            if current != Some(next) {
                let event = Event::AsOfAdvanced { as_of: next };
                ledger
                    .append(run.started_utc_secs, &[event])
                    .context("writing the ledger")?;
            }
            Ok(next)
        }
    }
}

/// Keeps the day for which things are judged, for what is made again; moves it only where it is asked for, or where
/// there is none yet.
pub fn keep(ledger: &Ledger, run: &Run) -> Result<Day> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    match as_of(&entries) {
        Some(current) if run.as_of.is_none() => Ok(current),
        _ => advance(ledger, run),
    }
}

/// The day for which the ledger says things are judged.
pub fn as_of(entries: &[Entry]) -> Option<Day> {
    entries.iter().rev().find_map(|entry| match entry.event {
        Event::AsOfAdvanced { as_of } => Some(as_of),
        _ => None,
    })
}

/// Notes the run in the ledger; one that read nothing is not worth a line.
pub fn finish(run: &Run, ledger: &Ledger, loaded: &Loaded) -> Result<()> {
    if loaded.items == 0 {
        return Ok(());
    }
    let result = RunResult {
        kind: run.kind.to_owned(),
        started_utc_secs: run.started_utc_secs,
        duration_ms: run.watch.elapsed_ms(),
        items: loaded.items,
        outcomes: loaded.outcomes,
        id: run.ticket.id.clone(),
        parameters: run.ticket.parameters.clone(),
    };
    let at_utc_secs = run.started_utc_secs + (result.duration_ms / 1000) as i64;
    ledger
        .append(at_utc_secs, &[Event::RunFinished(result)])
        .context("writing the ledger")
}

/// Publishes the store of a run, with what the ledger knows of hosts by then.
pub fn publish_store(
    run: &Run,
    ledger: &Ledger,
    store: Store,
    extent: Extent,
) -> Result<Option<Generation>> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    let run = &retention::of(run, &entries);
    let Known {
        mut store,
        extent,
        shown,
    } = known(run, store, extent)?;
    note_failing(run, ledger, &mut store)?;
    let (entries, ledger_offset) = ledger.read(None).context("reading the ledger")?;
    let values = Values {
        archive_position: store.position()?,
        ledger_offset,
        as_of: as_of(&entries).unwrap_or(run.today),
        alert_seq: View::fold(&entries).last_alert_seq,
        expired_before: run.store.retention.as_ref().map(|had| had.expired_before),
        hosts_hash: run.store.elsewhere.host_names.hash(),
        config_hash: run.store.effective_hash(),
        code_hash: run.store.code_hash.clone(),
    };
    let publisher = Publisher::open(&run.folders.public());
    let now_utc_secs = run.started_utc_secs + (run.watch.elapsed_ms() / 1000) as i64;
    let publication = Publication {
        publisher: &publisher,
        entries: &entries,
        values,
        draw: run.draw,
        now_utc_secs,
        extent,
        shown,
        watch: run.watch,
    };
    publish(store, publication)
}

/// A store that goes by all names of hosts.
struct Known {
    store: Store,
    extent: Extent,
    shown: Shown,
}

/// Takes the names of hosts into effect. Where so many records go by them that it is better, all are loaded anew, which
/// gives the same.
fn known(run: &Run, mut store: Store, extent: Extent) -> Result<Known> {
    let learning = || store.learn(&run.store.elsewhere.host_names);
    let learnt = run.watch.time("names_ms", learning)?;
    if let Learnt::Shown(shown) = learnt {
        return Ok(Known {
            store,
            extent,
            shown,
        });
    }
    tracing::info!("names of hosts tell of the senders of many records: all are loaded anew");
    let position = store.position()?;
    let archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
    let path = store.config().path.clone();
    drop(store);
    remove(&path)?;
    let mut store = Store::open(beside(&run.store, &path))?;
    run.watch.time("load_ms", || {
        load(&archive, &mut store, position, &mut |_| {})
    })?;
    Ok(Known {
        store,
        extent: Extent::Everything,
        shown: Shown::default(),
    })
}

/// Settings for a database beside the working one.
pub(super) fn beside(store: &StoreConfig, path: &Path) -> StoreConfig {
    StoreConfig {
        path: path.to_path_buf(),
        ..store.clone()
    }
}

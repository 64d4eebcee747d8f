//! Working database -> the next generation: changed days of the lake, pages, the copied database, one flip.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, anyhow};

use super::judge::judge;
use super::question::Asking;
use super::stopwatch::Stopwatch;
use super::threads::spawn;
use crate::alert::Rules;
use crate::ledger::{Entry, View};
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::publish::{DATABASE, Generation, Publisher, Staging, Values};
use crate::store::Connection;
use crate::store::addresses::Shown;
use crate::store::lake::{LakeDay, paths};
use crate::store::working::{ClosedStore, Store};

/// What pages are drawn from and into.
pub struct Drawing<'a> {
    /// The working database, to be read only.
    pub connection: &'a Connection,
    /// Takes the files; has those of the base, if there is one.
    pub staging: &'a mut Staging,
    /// The day for which things are judged.
    pub as_of: Day,
    /// What the base was drawn of, by the same code and configuration; `None`: there is none, or by others.
    pub drawn: Option<Drawn>,
    /// What is known of addresses otherwise than the base shows.
    pub shown: &'a Shown,
}

/// What pages were drawn of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// Items up to this one.
    pub item_no: ItemNo,
    /// The day for which things were judged.
    pub as_of: Day,
    /// The ledger's last line that shapes alerts.
    pub alert_seq: u64,
}

/// What makes alerts and pages of tables.
#[derive(Clone, Copy)]
pub struct Draw<'a> {
    /// What is judged.
    pub rules: &'a Rules,
    /// Draws the pages.
    pub pages: &'a dyn Fn(Drawing) -> Result<()>,
}

/// How much of a generation is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What changed since the last generation; nothing is published where nothing did.
    Changed,
    /// Everything, and it is published in any case.
    Everything,
}

/// A publication.
pub struct Publication<'a> {
    /// Where to.
    pub publisher: &'a Publisher,
    /// The ledger as far as the generation folds it.
    pub entries: &'a [Entry],
    /// What the generation is a function of.
    pub values: Values,
    /// Judges, and draws the pages.
    pub draw: Draw<'a>,
    /// Decides what old generations may go, seconds since 1970 UTC.
    pub now_utc_secs: i64,
    /// How much is made anew.
    pub extent: Extent,
    /// What is new of addresses, and in no report.
    pub shown: Shown,
    /// Times the steps.
    pub watch: &'a Stopwatch<'a>,
}

/// Publishes the store and closes it. `None`: there is nothing new.
pub fn publish(mut store: Store, publication: Publication) -> Result<Option<Generation>> {
    let current = publication.publisher.current().unwrap_or_else(|error| {
        tracing::warn!("the published generation cannot be read, everything is made anew: {error}");
        None
    });
    let drawn = current
        .as_ref()
        .and_then(|generation| drawn(generation, &publication));
    if publication.extent == Extent::Changed
        && current
            .as_ref()
            .is_some_and(|base| is_up_to_date(base, &publication))
    {
        store.close()?;
        return Ok(None);
    }
    store.write_runs(publication.entries)?;
    let (view, as_of) = (View::fold(publication.entries), publication.values.as_of);
    let watch = publication.watch;
    watch.time("judge_ms", || {
        let rules = publication.draw.rules;
        judge(&mut store, rules, &view, as_of, Asking::AsNoted)
    })?;
    // What is made anew repairs also what became of the published files: nothing is taken from them.
    let base = current
        .as_ref()
        .filter(|_| publication.extent == Extent::Changed);
    let mut staging = publication
        .publisher
        .stage(base)
        .context("beginning a generation")?;
    write_files(&store, &publication, &mut staging, drawn)?;
    let closed = watch.time("close_ms", || store.close())?;
    let bytes = watch.time("copy_ms", || copy_database(&closed, &mut staging))?;
    watch.add("copy_bytes", bytes as f64);
    let flipped = watch.time("flip_ms", || {
        staging.publish(publication.values, publication.now_utc_secs)
    });
    flipped.context("publishing").map(Some)
}

/// Lake and pages.
fn write_files(
    store: &Store,
    publication: &Publication,
    staging: &mut Staging,
    drawn: Option<Drawn>,
) -> Result<()> {
    let watch = publication.watch;
    let drawn_to = drawn.map(|drawn| drawn.item_no);
    let days = changed_days(store, staging, drawn_to, &publication.shown.days)?;
    store.make_room(days.iter().map(LakeDay::row_bytes).max().unwrap_or(0))?;
    let aside = if has_large(store, &days) || !store.has_small_log()? {
        // Where it finds the memory full, DuckDB gives the whole database up.
        store.checkpoint()?;
        None
    } else {
        Some(store.another_connection()?)
    };
    thread::scope(|scope| {
        // Compressing what was loaded is the work of one core; where it fails, closing does it.
        if let Some(aside) = aside {
            spawn(scope, "checkpoint", move || {
                aside.execute_batch("checkpoint")
            })?;
        }
        watch.time("lake_ms", || write_lake(store, staging, &days))?;
        let drawing = Drawing {
            connection: store.connection(),
            staging,
            as_of: publication.values.as_of,
            drawn,
            shown: &publication.shown,
        };
        watch
            .time("draw_ms", || (publication.draw.pages)(drawing))
            .context("drawing the pages")
    })
}

fn has_large(store: &Store, days: &[LakeDay]) -> bool {
    let memory_limit_bytes = store.config().memory_limit_bytes;
    days.iter().any(|day| day.is_large(memory_limit_bytes))
}

fn is_up_to_date(base: &Generation, publication: &Publication) -> bool {
    let ledger_offset = base.manifest.values.ledger_offset;
    base.manifest.values
        == Values {
            ledger_offset,
            ..publication.values.clone()
        }
}

/// What the base was drawn of, where this program and configuration would draw the same.
fn drawn(base: &Generation, publication: &Publication) -> Option<Drawn> {
    let (had, has) = (&base.manifest.values, &publication.values);
    let same = had.code_hash == has.code_hash
        && had.expired_before == has.expired_before
        && had.config_hash == has.config_hash
        && (had.hosts_hash == has.hosts_hash || had.hosts_hash == publication.shown.before)
        && had.archive_position <= has.archive_position;
    (same && publication.extent == Extent::Changed).then_some(Drawn {
        item_no: had.archive_position,
        as_of: had.as_of,
        alert_seq: had.alert_seq,
    })
}

/// The days with new items, or with records that are classified otherwise; takes the others over.
fn changed_days(
    store: &Store,
    staging: &mut Staging,
    drawn_to: Option<ItemNo>,
    reclassified: &BTreeSet<Day>,
) -> Result<Vec<LakeDay>> {
    let mut changed = Vec::new();
    for (day, last_item) in store.lake_days()? {
        let is_same =
            drawn_to.is_some_and(|item_no| last_item <= item_no) && !reclassified.contains(&day);
        if !(is_same && keep(staging, day)?) {
            changed.push(day);
        }
    }
    store.lake_extents(&changed)
}

/// Writes days of the lake.
fn write_lake(store: &Store, staging: &mut Staging, changed: &[LakeDay]) -> Result<()> {
    for path in changed.iter().flat_map(LakeDay::paths) {
        let file = staging.folder().join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
    }
    write_days(store, staging, changed)?;
    for path in changed.iter().flat_map(LakeDay::paths) {
        staging
            .adopt(&path)
            .with_context(|| format!("taking over {path}"))?;
    }
    Ok(())
}

fn keep(staging: &mut Staging, day: Day) -> Result<bool> {
    let paths = paths(day);
    let are_there = paths.iter().all(|path| staging.is_in_base(path));
    if are_there {
        for path in paths {
            staging
                .keep(&path)
                .with_context(|| format!("linking {path}"))?;
        }
    }
    Ok(are_there)
}

/// A day is one small COPY, which is the work of one thread: days are written side by side.
fn write_days(store: &Store, staging: &Staging, days: &[LakeDay]) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    let folder = staging.folder();
    let memory_limit_bytes = store.config().memory_limit_bytes;
    let work = |connection: &Connection| {
        while let Some(day) = days.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = day.write(connection, folder, memory_limit_bytes) {
                failed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .get_or_insert(error);
                return;
            }
        }
    };
    let threads = if has_large(store, days) {
        1
    } else {
        store.config().threads
    };
    let others = threads.clamp(1, days.len().max(1)) - 1;
    let connections: Vec<Connection> = (0..others)
        .map(|_| store.another_connection())
        .collect::<Result<_>>()?;
    thread::scope(|scope| {
        for connection in connections {
            spawn(scope, "lake", move || work(&connection))?;
        }
        work(store.connection());
        anyhow::Ok(())
    })?;
    let failed = failed.into_inner();
    match failed.map_err(|_| anyhow!("writing the lake stopped short"))? {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn copy_database(closed: &ClosedStore, staging: &mut Staging) -> Result<u64> {
    let copy = staging.folder().join(DATABASE);
    fs::copy(&closed.path, &copy).with_context(|| format!("copying {}", closed.path.display()))?;
    staging.adopt_database().context("taking over the database")
}

//! What is done once a day, beside the runs: the retention is carried through to the archive, and its small segments are
//! joined.

use anyhow::{Context, Result};

use super::publish::Extent;
use super::retention::{advance, stays_gone};
use super::run::{Progress, Run, keep, load_all, open_store, publish_store};
use crate::archive::{Archive, Rewritten};
use crate::ledger::{Entry, Event, Ledger, View};
use crate::model::day::Day;
use crate::model::outcome::Refusal;
use crate::model::retention::Retention;
use crate::publish::{Generation, Publisher};

/// How long the archive keeps its bytes after a cut-off came into force.
const SETTLED_SECS: i64 = 86_400;

/// What maintenance did.
#[derive(Debug, Default)]
pub struct Maintained {
    /// Reports of an earlier day are gone; `None` where none are.
    pub expired_before: Option<Day>,
    /// Published because the cut-off had moved on.
    pub generation: Option<Generation>,
    /// What was let go of in the archive; `None` where it was done before, or has to wait.
    pub pruned: Option<Rewritten>,
    /// What was joined in the archive.
    pub compacted: Rewritten,
}

/// Moves the retention on, publishes without what is gone, lets the archive go of its bytes, and joins small segments of
/// closed months. Each step goes on from what is durable: after a crash, the next call does the rest. Nothing is read
/// where there is nothing to do, but the names and footers of the archive. The caller holds the run lock.
pub fn maintain(run: &Run, progress: &mut dyn FnMut(Progress)) -> Result<Maintained> {
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let mut archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
    let as_of = keep(&ledger, run)?;
    let run = &advance(run, &ledger, &archive)?;
    let expired_before = run.store.retention.as_ref().map(|had| had.expired_before);
    let mut done = Maintained {
        expired_before,
        ..Maintained::default()
    };
    if let Some(cut_off) = expired_before {
        if wanted_on(run, as_of).is_none_or(|wanted| wanted < cut_off) {
            tracing::info!("retention: {}", stays_gone(cut_off));
        }
        done.generation = publish_without(run, &ledger, &archive, cut_off, progress)?;
        done.pruned = prune(run, &ledger, &mut archive, cut_off)?;
    }
    done.compacted = archive
        .compact(run.started_utc_secs)
        .context("joining segments of the archive")?;
    let Rewritten {
        segments_before,
        segments_after,
        ..
    } = done.compacted;
    if segments_before > 0 {
        tracing::info!(
            "archive: {segments_before} segments of closed months became {segments_after}"
        );
    }
    Ok(done)
}

/// Where the configuration would have the cut-off on a day.
fn wanted_on(run: &Run, day: Day) -> Option<Day> {
    let months = run.store.retention_months?;
    Retention::cut_off(day, months)
}

/// Publishes where what is published holds reports that are gone.
fn publish_without(
    run: &Run,
    ledger: &Ledger,
    archive: &Archive,
    cut_off: Day,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Generation>> {
    if archive.position() == 0 || published_cut_off(run) == Some(cut_off) {
        return Ok(None);
    }
    let (mut store, extent) = open_store(run, archive)?;
    load_all(run, archive, &mut store, progress)?;
    publish_store(run, ledger, store, extent)
}

fn published_cut_off(run: &Run) -> Option<Day> {
    let current = Publisher::open(&run.folders.public()).current();
    current.ok().flatten()?.manifest.values.expired_before
}

/// Lets the archive go of the bytes of what is gone, once for each cut-off, and only when what is published stands on
/// them no more. There is no way back: a clock that was wrong for a while must not get as far.
fn prune(
    run: &Run,
    ledger: &Ledger,
    archive: &mut Archive,
    cut_off: Day,
) -> Result<Option<Rewritten>> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    let is_done = View::fold(&entries).pruned_before >= Some(cut_off);
    if is_done || published_cut_off(run) != Some(cut_off) {
        return Ok(None);
    }
    if wanted_on(run, run.today).is_none_or(|wanted| wanted < cut_off) {
        tracing::warn!(
            "retention: today, {}, retention.months does not ask for the cut-off {cut_off}; the archive keeps its bytes",
            run.today
        );
        return Ok(None);
    }
    if !is_settled(&entries, cut_off, run.started_utc_secs) {
        tracing::info!(
            "retention: the cut-off {cut_off} is new; the archive keeps its bytes for a day"
        );
        return Ok(None);
    }
    let (store, opened) = open_store(run, archive)?;
    if opened == Extent::Everything || store.position()? != archive.position() {
        // Items that are not loaded may need bytes of others.
        return Ok(None);
    }
    let items = store.prunable_items()?;
    drop(store);
    let pruned = archive
        .prune(run.started_utc_secs, &items, Refusal::EXPIRED)
        .context("pruning the archive")?;
    let event = Event::ArchivePruned {
        expired_before: cut_off,
        items: pruned.pruned_items,
        bytes: pruned.pruned_bytes,
    };
    ledger
        .append(run.started_utc_secs, &[event])
        .context("writing the ledger")?;
    tracing::info!(
        "retention: the archive let go of {} items with {} bytes",
        pruned.pruned_items,
        pruned.pruned_bytes
    );
    Ok(Some(pruned))
}

/// Whether the ledger has had a cut-off for long enough. One that was noted in time to come was noted by another clock.
fn is_settled(entries: &[Entry], cut_off: Day, now_utc_secs: i64) -> bool {
    let since = entries.iter().rev().find_map(|entry| match entry.event {
        Event::RetentionAdvanced { expired_before, .. } if expired_before == cut_off => {
            Some(entry.at_utc_secs)
        }
        _ => None,
    });
    since.is_some_and(|since| now_utc_secs.saturating_sub(since) >= SETTLED_SECS)
}

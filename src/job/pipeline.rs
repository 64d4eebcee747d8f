//! Feeder -> readers -> store: items are read on all cores and committed in batches, in order and in bounded memory.
//!
//! The feeder may hand items out before they are durable in the archive, so that they are read while they are written;
//! what it says about their durability comes behind them on the same way, and nothing is committed before.

use std::iter::Peekable;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{IntoIter, Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Result, anyhow, bail, ensure};

use super::load::Loaded;
use super::run::Progress;
use super::threads::spawn;
use super::units::{AHEAD_MESSAGES, AHEAD_UNITS, Given, Message, Unit, read_units};
use crate::model::item::ItemNo;
use crate::store::batch::Batch;
use crate::store::working::Store;

/// Rows after which the first batch is committed: a small one, so that the readers go on beside its commit, and little
/// is left to commit when they are done.
const FIRST_BATCH_ROWS: usize = 25_000;
/// Rows after which later batches are committed at most. Each is larger than the one before by a quarter, because a
/// batch costs a look at the keys of all reports.
const BATCH_ROWS: usize = 100_000;

/// What the feeder tells the consumer, in order.
enum Fed {
    /// Items that are being read.
    Unit(Receiver<Message>),
    /// All items so far are durable in the archive.
    Durable(Durable),
}

/// What became of items in the archive.
#[derive(Default)]
pub(super) struct Durable {
    /// Those of them whose bytes an earlier item keeps, where that was not known when they were handed out.
    pub(super) known: Vec<ItemNo>,
    /// Items that this run has archived so far, where it archives.
    pub(super) archived: Option<u64>,
}

/// The feeder's end: where it puts items.
pub(super) struct Feed<'a> {
    /// The last item whose rows are committed.
    pub(super) loaded: &'a AtomicU64,
    /// Rows that were read since the last word about durability.
    rows: &'a AtomicUsize,
    unit_no: i64,
    to_readers: SyncSender<Unit>,
    to_consumer: SyncSender<Fed>,
}

impl Feed<'_> {
    /// Hands out the next items; `false` when nobody listens any more.
    pub(super) fn give(&mut self, items: Vec<Given>) -> bool {
        let (out, receiver) = sync_channel(AHEAD_MESSAGES);
        let unit = Unit {
            unit_no: self.unit_no,
            items,
            out,
        };
        self.unit_no += 1;
        self.to_consumer.send(Fed::Unit(receiver)).is_ok() && self.to_readers.send(unit).is_ok()
    }

    /// Whether what is not durable yet makes a large batch: a few small items may hold a million records.
    pub(super) fn is_full(&self) -> bool {
        self.rows.load(Ordering::Relaxed) >= BATCH_ROWS
    }

    /// All items so far are durable; `false` when nobody listens any more.
    pub(super) fn durable(&mut self, durable: Durable) -> bool {
        self.rows.store(0, Ordering::Relaxed);
        self.to_consumer.send(Fed::Durable(durable)).is_ok()
    }
}

/// Loads what `feed` gives: the items behind the position of the store. `progress` is told of every document once its
/// batch is committed. The second answer is the feeder's; what it had made durable before it failed may be left to
/// load.
pub(super) fn run(
    store: &mut Store,
    feed: impl FnOnce(Feed) -> Result<()> + Send,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Loaded, Result<()>)> {
    let threads = store.config().threads.max(1);
    let limits = store.config().limits.clone();
    let loaded = AtomicU64::new(store.position()?);
    let rows = AtomicUsize::new(0);
    // The feeder learns early how much it has handed out.
    let (to_readers, units) = sync_channel(1);
    let (to_consumer, fed) = sync_channel(AHEAD_UNITS);
    // The readers' alone: when the last one is gone, the feeder does not wait for them.
    let units = Arc::new(Mutex::new(units));
    let feeder = Feed {
        loaded: &loaded,
        rows: &rows,
        unit_no: 0,
        to_readers,
        to_consumer,
    };
    thread::scope(|scope| {
        let feeder = spawn(scope, "feed", move || feed(feeder))?;
        for _ in 0..threads {
            let (units, limits, rows) = (Arc::clone(&units), &limits, &rows);
            spawn(scope, "read", move || read_units(&units, limits, rows))?;
        }
        drop(units);
        let done = consume(store, fed, &loaded, progress);
        let fed = feeder
            .join()
            .map_err(|_| anyhow!("handing out the items stopped short"))?;
        Ok((done?, fed))
    })
}

fn consume(
    store: &mut Store,
    fed: Receiver<Fed>,
    loaded: &AtomicU64,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded> {
    let mut done = Loaded::default();
    let mut fed = fed.into_iter().peekable();
    let mut batch_rows = FIRST_BATCH_ROWS;
    let mut last = loaded.load(Ordering::Acquire);
    while fed.peek().is_some() {
        let mut batch = store.begin()?;
        if !fill(&mut batch, &mut fed, batch_rows, &mut last, progress)? {
            // The feeder failed, and says why. What it archived nevertheless is loaded by the next load.
            break;
        }
        batch_rows = (batch_rows * 5 / 4).min(BATCH_ROWS);
        let documents = batch.commit()?;
        let before = loaded.swap(last, Ordering::Release);
        done.note(last - before, &documents);
        progress(Progress::Loaded(&documents));
    }
    Ok(done)
}

/// Fills a batch with items that are durable; `false` where the last ones are not.
fn fill(
    batch: &mut Batch,
    fed: &mut Peekable<IntoIter<Fed>>,
    rows: usize,
    last: &mut ItemNo,
    progress: &mut dyn FnMut(Progress),
) -> Result<bool> {
    let mut is_durable = false;
    for next in fed {
        match next {
            Fed::Unit(unit) => take_unit(batch, unit, last)?,
            Fed::Durable(durable) => {
                batch.mark_known(&durable.known);
                if let Some(items) = durable.archived {
                    progress(Progress::Archived(items));
                }
                is_durable = true;
                if batch.rows() >= rows {
                    break;
                }
                continue;
            }
        }
        is_durable = false;
    }
    Ok(is_durable)
}

fn take_unit(batch: &mut Batch, unit: Receiver<Message>, last: &mut ItemNo) -> Result<()> {
    for message in unit {
        match message {
            Message::Records(records) => batch.stage(records)?,
            Message::Failed(error) => bail!("building rows: {error}"),
            Message::Items(records, items) => {
                if let Some(records) = records {
                    batch.stage(records)?;
                }
                for (item, documents) in items {
                    // A reader that died left a gap; the position must not pass it.
                    ensure!(item.item_no == *last + 1, "item {} was not read", *last + 1);
                    *last = item.item_no;
                    batch.add(item, documents);
                }
            }
        }
    }
    Ok(())
}

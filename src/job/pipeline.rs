//! Feeder -> readers -> stager -> store: items are read on all cores and committed in batches, in order and in bounded
//! memory; one batch is staged while the one before is committed.
//!
//! The feeder may hand items out before they are durable in the archive, so that they are read while they are written;
//! what it says about their durability comes behind them on the same way, and nothing is committed before.

use std::iter::Peekable;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{IntoIter, Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Result, anyhow, bail, ensure};

use super::ahead::{Ahead, Taker};
use super::known::Known;
use super::load::Loaded;
use super::run::Progress;
use super::threads::spawn;
use super::units::{AHEAD_MESSAGES, AHEAD_UNITS, Given, Message, Unit, read_units};
use crate::model::item::ItemNo;
use crate::store::Connection;
use crate::store::settings::StoreConfig;
use crate::store::stage::{Stage, Staged, Staging};
use crate::store::working::Store;

/// Rows after which a batch is committed where the store has nothing else to do: little is left to commit when all is
/// read. Not fewer, because a batch costs a look at the keys of all reports.
const IDLE_BATCH_ROWS: usize = 10_000;
/// Rows after which a batch waits for the store.
const BATCH_ROWS: usize = 60_000;

/// One is filled while the other is committed.
const STAGES: usize = 2;

/// What the feeder tells the stager, in order.
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

/// What the stager tells the store's thread, in order.
enum Ready {
    /// Items that this run has archived so far.
    Archived(u64),
    /// A batch, where it is staged, and its last item.
    Batch(Stage, Staged, ItemNo),
}

/// The feeder's end: where it puts items.
pub(super) struct Feed<'a> {
    /// The last item whose rows are committed.
    loaded: &'a AtomicU64,
    ahead: &'a Ahead,
    unit_no: i64,
    /// Tells that the store is open.
    opened: Receiver<Connection>,
    to_readers: SyncSender<Unit>,
    to_stager: SyncSender<Fed>,
}

impl<'a> Feed<'a> {
    /// Waits for the store, and asks it from now on what bytes it knows; `None` where it cannot be opened.
    pub(super) fn known(&self) -> Option<Known<'a>> {
        let connection = self.opened.recv().ok()?;
        Some(Known::new(connection, self.loaded))
    }

    /// Hands out the next items; `false` when nobody listens any more.
    pub(super) fn give(&mut self, items: Vec<Given>) -> bool {
        let (out, receiver) = sync_channel(AHEAD_MESSAGES);
        let unit = Unit {
            unit_no: self.unit_no,
            items,
            out,
        };
        self.unit_no += 1;
        self.to_stager.send(Fed::Unit(receiver)).is_ok() && self.to_readers.send(unit).is_ok()
    }

    /// Whether what is not durable yet makes a large batch: a few small items may hold a million records.
    pub(super) fn is_full(&self) -> bool {
        self.ahead.rows_to_be_durable() >= BATCH_ROWS
    }

    /// All items so far are durable; `false` when nobody listens any more.
    pub(super) fn durable(&mut self, durable: Durable) -> bool {
        self.ahead.durable();
        self.to_stager.send(Fed::Durable(durable)).is_ok()
    }
}

/// Loads what `feed` gives: the items behind the position of the store. The first of them are handed out and read
/// while `open` opens the store. `progress` is told of every document once its batch is committed. The last answer is
/// the feeder's; what it had made durable before it failed may be left to load.
pub(super) fn run<S: AsMut<Store>>(
    config: &StoreConfig,
    feed: impl FnOnce(Feed) -> Result<()> + Send,
    open: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<S>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(S, Loaded, Result<()>)> {
    let (loaded, ahead) = (AtomicU64::new(0), Ahead::default());
    // The feeder learns early how much it has handed out.
    let (to_readers, units) = sync_channel(1);
    let (to_stager, fed) = sync_channel(AHEAD_UNITS);
    let (to_feeder, opened) = channel();
    // The readers' alone: when the last one is gone, the feeder does not wait for them.
    let units = Arc::new(Mutex::new(units));
    let feeder = Feed {
        loaded: &loaded,
        ahead: &ahead,
        unit_no: 0,
        opened,
        to_readers,
        to_stager,
    };
    let (to_stages, stages) = channel();
    // The stages are few, and so are the batches in it.
    let (to_store, ready) = channel();
    thread::scope(|scope| {
        // Where a thread cannot be started, nobody waits for the stager.
        let taker = Taker(&ahead);
        let feeder = spawn(scope, "feed", move || feed(feeder))?;
        for _ in 0..config.threads.max(1) {
            let (units, ahead) = (Arc::clone(&units), &ahead);
            spawn(scope, "read", move || read_units(&units, config, ahead))?;
        }
        drop(units);
        let position = &loaded;
        let stager = spawn(scope, "stage", move || {
            stage_all(fed, &taker, &stages, &to_store, position)
        })?;
        let done = open(progress).and_then(|mut opened| {
            let store = opened.as_mut();
            loaded.store(store.position()?, Ordering::Release);
            let _ = to_feeder.send(store.another_connection()?);
            for _ in 0..STAGES {
                let _ = to_stages.send(store.stage()?);
            }
            let done = commit_all(store, ready, &to_stages, &loaded, progress)?;
            Ok((opened, done))
        });
        // Whoever still waits for the store, or for another batch, waits no more.
        drop((to_feeder, to_stages));
        let staged = stager
            .join()
            .map_err(|_| anyhow!("staging the rows stopped short"))?;
        let fed = feeder
            .join()
            .map_err(|_| anyhow!("handing out the items stopped short"))?;
        let (opened, done) = done?;
        staged?;
        Ok((opened, done, fed))
    })
}

/// Commits batches as they come, and gives their stages back.
fn commit_all(
    store: &mut Store,
    ready: Receiver<Ready>,
    stages: &Sender<Stage>,
    loaded: &AtomicU64,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded> {
    let mut done = Loaded::default();
    for next in ready {
        let (stage, staged, last) = match next {
            Ready::Archived(items) => {
                progress(Progress::Archived(items));
                continue;
            }
            Ready::Batch(stage, staged, last) => (stage, staged, last),
        };
        let documents = store.commit(&stage, staged)?;
        let before = loaded.swap(last, Ordering::Release);
        // A stager that has ended needs no stage.
        let _ = stages.send(stage);
        done.note(last - before, &documents);
        progress(Progress::Loaded(&documents));
    }
    Ok(done)
}

/// Stages batches until there are no items any more, or nobody listens.
fn stage_all(
    fed: Receiver<Fed>,
    taker: &Taker,
    stages: &Receiver<Stage>,
    to_store: &Sender<Ready>,
    loaded: &AtomicU64,
) -> Result<()> {
    let mut fed = fed.into_iter().peekable();
    let (mut spare, mut last) = (None, None);
    while fed.peek().is_some() {
        let Some(stage) = spare.take().or_else(|| stages.recv().ok()) else {
            return Ok(());
        };
        // Known since there are stages.
        let last = last.get_or_insert_with(|| loaded.load(Ordering::Acquire));
        let mut batch = stage.begin()?;
        // The store has given the other stage back.
        let mut is_idle = || {
            spare = spare.take().or_else(|| stages.try_recv().ok());
            spare.is_some()
        };
        let is_enough = &mut |rows| rows >= BATCH_ROWS || (rows >= IDLE_BATCH_ROWS && is_idle());
        if !fill(&mut batch, &mut fed, taker, is_enough, last, to_store)? {
            // The feeder or the store failed, and says why. What is archived nevertheless is loaded by the next load.
            return Ok(());
        }
        let staged = batch.end()?;
        let ready = Ready::Batch(stage, staged, *last);
        if to_store.send(ready).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Fills a batch with items that are durable, until it has enough rows; `false` where the last ones are not, or nobody
/// listens.
fn fill(
    batch: &mut Staging,
    fed: &mut Peekable<IntoIter<Fed>>,
    taker: &Taker,
    is_enough: &mut dyn FnMut(usize) -> bool,
    last: &mut ItemNo,
    to_store: &Sender<Ready>,
) -> Result<bool> {
    let mut is_durable = false;
    for next in fed {
        match next {
            Fed::Unit(unit) => take_unit(batch, unit, taker, last)?,
            Fed::Durable(durable) => {
                batch.mark_known(&durable.known);
                if let Some(items) = durable.archived
                    && to_store.send(Ready::Archived(items)).is_err()
                {
                    return Ok(false);
                }
                is_durable = true;
                if is_enough(batch.rows()) {
                    break;
                }
                continue;
            }
        }
        is_durable = false;
    }
    Ok(is_durable)
}

fn take_unit(
    batch: &mut Staging,
    unit: Receiver<Message>,
    taker: &Taker,
    last: &mut ItemNo,
) -> Result<()> {
    for message in unit {
        taker.take(message.weight());
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

//! Archive -> rows: items behind the position, read on all cores, committed in batches.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::threads::spawn;
use super::units::{AHEAD_MESSAGES, AHEAD_UNITS, Bytes, Message, Unit, read_units};
use crate::archive::{Archive, Content, Item};
use crate::model::item::ItemNo;
use crate::model::outcome::Outcome;
use crate::store::Connection;
use crate::store::batch::Batch;
use crate::store::decide::DocumentRow;
use crate::store::holders::kept;
use crate::store::working::Store;

/// Bytes that are read from the archive at a time.
const READ_BYTES: usize = 4 << 20;
/// Items of a unit.
const UNIT_ITEMS: usize = 64;
/// Bytes of a unit, unless one item is larger.
const UNIT_BYTES: usize = 256 << 10;
/// Rows after which the first batch is committed: a small one, so that the readers go on beside its commit.
const FIRST_BATCH_ROWS: usize = 25_000;
/// Rows after which later batches are committed at most. Each doubles the one before, because a batch costs a look
/// at the keys of all reports.
const BATCH_ROWS: usize = 100_000;

/// What a load did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Items.
    pub items: u64,
    /// Documents by outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 8],
}

impl Loaded {
    /// Documents that ended so.
    pub fn count(&self, outcome: Outcome) -> u64 {
        Outcome::ALL
            .iter()
            .zip(self.outcomes)
            .find(|(one, _)| **one == outcome)
            .map_or(0, |(_, count)| count)
    }

    /// Adds what another load did.
    pub fn add(&mut self, other: &Self) {
        self.items += other.items;
        for (sum, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *sum += more;
        }
    }

    fn note(&mut self, documents: &[DocumentRow]) {
        for document in documents {
            if let Some(index) = Outcome::ALL
                .iter()
                .position(|outcome| *outcome == document.outcome)
            {
                self.outcomes[index] += 1;
            }
        }
    }
}

/// Loads the items of the archive above the position of the store, up to and including `last`. `committed` is told of
/// every document once its batch is durable.
pub fn load(
    archive: &Archive,
    store: &mut Store,
    last: ItemNo,
    committed: &mut dyn FnMut(&[DocumentRow]),
) -> Result<Loaded> {
    let position = store.position()?;
    if position >= last {
        return Ok(Loaded::default());
    }
    let threads = store.config().threads.max(1);
    let limits = store.config().limits.clone();
    let reading = Reading {
        archive,
        position,
        last,
        connection: store.another_connection()?,
    };
    let durable = AtomicU64::new(position);
    let (to_readers, units) = sync_channel(threads);
    let (to_consumer, receivers) = sync_channel(AHEAD_UNITS);
    let units = Mutex::new(units);
    thread::scope(|scope| {
        let durable = &durable;
        let feeder = spawn(scope, "feed", move || {
            reading.feed(durable, &to_readers, &to_consumer)
        })?;
        for _ in 0..threads {
            spawn(scope, "read", || read_units(&units, &limits))?;
        }
        let loaded = consume(store, receivers, position, durable, committed);
        let fed = feeder
            .join()
            .map_err(|_| anyhow!("reading the archive stopped short"))?;
        fed.and(loaded)
    })
}

fn consume(
    store: &mut Store,
    receivers: Receiver<Receiver<Message>>,
    position: ItemNo,
    durable: &AtomicU64,
    committed: &mut dyn FnMut(&[DocumentRow]),
) -> Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut receivers = receivers.into_iter().peekable();
    let mut batch_rows = FIRST_BATCH_ROWS;
    let mut last = position;
    while receivers.peek().is_some() {
        let mut batch = store.begin()?;
        while batch.rows() < batch_rows
            && let Some(unit) = receivers.next()
        {
            take_unit(&mut batch, unit, &mut loaded, &mut last)?;
        }
        batch_rows = (batch_rows * 2).min(BATCH_ROWS);
        let documents = batch.commit()?;
        durable.store(last, Ordering::Release);
        loaded.note(&documents);
        committed(&documents);
    }
    Ok(loaded)
}

fn take_unit(
    batch: &mut Batch,
    unit: Receiver<Message>,
    loaded: &mut Loaded,
    last: &mut ItemNo,
) -> Result<()> {
    for message in unit {
        match message {
            Message::Records(records) => batch.stage(records)?,
            Message::Failed(error) => bail!("building rows: {error}"),
            Message::Items(items) => {
                for (item, documents) in items {
                    // A reader that died left a gap; the position must not pass it.
                    ensure!(item.item_no == *last + 1, "item {} was not read", *last + 1);
                    *last = item.item_no;
                    loaded.items += 1;
                    batch.add(item, documents);
                }
            }
        }
    }
    Ok(())
}

struct Reading<'a> {
    archive: &'a Archive,
    position: ItemNo,
    last: ItemNo,
    connection: Connection,
}

impl Reading<'_> {
    /// Cuts the archive into units and hands them out. Ends early, without an error, when nobody listens.
    fn feed(
        &self,
        durable: &AtomicU64,
        to_readers: &SyncSender<Unit>,
        to_consumer: &SyncSender<Receiver<Message>>,
    ) -> Result<()> {
        let mut unit_no = 0;
        let mut recent = HashMap::new();
        for items in self
            .archive
            .read(self.position, READ_BYTES)
            .context("reading the archive")?
        {
            let mut items = items.context("reading the archive")?;
            items.retain(|(item_no, _)| *item_no <= self.last);
            let mut with_bytes = self
                .resolve(items, durable, &mut recent)?
                .into_iter()
                .peekable();
            while with_bytes.peek().is_some() {
                let (out, receiver) = sync_channel(AHEAD_MESSAGES);
                let unit = Unit {
                    unit_no,
                    items: cut(&mut with_bytes),
                    out,
                };
                unit_no += 1;
                if to_consumer.send(receiver).is_err() || to_readers.send(unit).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Finds the bytes that items refer to. `recent` holds the kept items that are not in the tables yet.
    fn resolve(
        &self,
        items: Vec<(ItemNo, Item)>,
        durable: &AtomicU64,
        recent: &mut HashMap<[u8; 32], ItemNo>,
    ) -> Result<Vec<(ItemNo, Item, Bytes)>> {
        let in_tables = durable.load(Ordering::Acquire);
        recent.retain(|_, item_no| *item_no > in_tables);
        let is_known = |item: &Item| item.content == Content::Known;
        let wanted: Vec<_> = items
            .iter()
            .filter(|(_, item)| is_known(item))
            .map(|(_, item)| item.sha256)
            .collect();
        let earlier = kept(&self.connection, &wanted)?;
        let mut resolved = Vec::with_capacity(items.len());
        for (item_no, item) in items {
            let bytes = match &item.content {
                Content::Kept(_) => {
                    recent.entry(item.sha256).or_insert(item_no);
                    Bytes::Own
                }
                Content::Dropped { .. } => Bytes::Dropped,
                Content::Known => match earlier
                    .get(&item.sha256)
                    .or_else(|| recent.get(&item.sha256))
                {
                    None => Bytes::Missing,
                    Some(&first) => self
                        .archive
                        .content(first)
                        .context("reading the archive")?
                        .map_or(Bytes::Missing, Bytes::Earlier),
                },
            };
            resolved.push((item_no, item, bytes));
        }
        Ok(resolved)
    }
}

fn cut(items: &mut impl Iterator<Item = (ItemNo, Item, Bytes)>) -> Vec<(ItemNo, Item, Bytes)> {
    let mut unit = Vec::new();
    let mut bytes = 0;
    while unit.len() < UNIT_ITEMS && bytes < UNIT_BYTES {
        let Some((item_no, item, own)) = items.next() else {
            break;
        };
        bytes += match (&item.content, &own) {
            (Content::Kept(kept), _) | (_, Bytes::Earlier(kept)) => kept.len(),
            _ => 0,
        };
        unit.push((item_no, item, own));
    }
    unit
}

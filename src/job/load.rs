//! Archive -> rows: items behind the position.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::known::Known;
use super::pipeline::{self, Durable, Feed};
use super::run::Progress;
use super::units::{Bytes, Given, cut};
use crate::archive::{Archive, Content, Item};
use crate::model::item::ItemNo;
use crate::model::outcome::{Outcome, Refusal};
use crate::store::decide::DocumentRow;
use crate::store::working::Store;

/// Bytes that are read from the archive at a time.
const READ_BYTES: usize = 4 << 20;

/// What a load did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Items.
    pub items: u64,
    /// Documents by outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 8],
}

/// The counts in the form that scripts read: `accepted N, duplicate N, …`. What expired is gone, and not told of.
impl fmt::Display for Loaded {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Outcome::ALL
            .iter()
            .zip(self.outcomes)
            .filter(|(outcome, _)| **outcome != Outcome::Expired);
        let counts: Vec<String> = shown
            .map(|(outcome, count)| format!("{} {count}", outcome.as_str()))
            .collect();
        to.write_str(&counts.join(", "))
    }
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

    /// Notes items with their documents.
    pub(super) fn note(&mut self, items: u64, documents: &[DocumentRow]) {
        self.items += items;
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

/// Loads the items of the archive above the position of the store, up to and including `last`.
pub fn load(
    archive: &Archive,
    store: &mut Store,
    last: ItemNo,
    progress: &mut dyn FnMut(Progress),
) -> Result<Loaded> {
    let position = store.position()?;
    if position >= last {
        return Ok(Loaded::default());
    }
    let config = store.config().clone();
    let feeder = move |feed: Feed| match feed.known() {
        Some(known) => Reading { archive, known }.feed(position, last, feed),
        None => Ok(()),
    };
    let (_, loaded, fed) = pipeline::run(&config, feeder, |_| Ok(store), progress)?;
    fed.map(|()| loaded)
}

struct Reading<'a> {
    archive: &'a Archive,
    known: Known<'a>,
}

impl Reading<'_> {
    /// Cuts the archive into units and hands them out. Ends early, without an error, when nobody listens.
    fn feed(&mut self, position: ItemNo, last: ItemNo, mut feed: Feed) -> Result<()> {
        for items in self
            .archive
            .read(position, READ_BYTES)
            .context("reading the archive")?
        {
            let mut items = items.context("reading the archive")?;
            items.retain(|(item_no, _)| *item_no <= last);
            let mut given = self.resolve(items)?.into_iter().peekable();
            while given.peek().is_some() {
                if !feed.give(cut(&mut given)) || !feed.durable(Durable::default()) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Finds the bytes that items refer to.
    fn resolve(&mut self, items: Vec<(ItemNo, Item)>) -> Result<Vec<Given>> {
        let wanted: Vec<_> = items
            .iter()
            .filter(|(_, item)| item.content == Content::Known)
            .map(|(_, item)| item.sha256)
            .collect();
        let in_tables = self.known.in_tables(&wanted)?;
        let mut resolved = Vec::with_capacity(items.len());
        let mut gone = Vec::new();
        for (item_no, item) in items {
            let bytes = match &item.content {
                Content::Kept(_) => {
                    self.known.recent.entry(item.sha256).or_insert(item_no);
                    Bytes::Own
                }
                Content::Dropped { code, bytes } => {
                    if code == Refusal::EXPIRED {
                        self.known.pruned.insert(item.sha256, (item_no, *bytes));
                    }
                    Bytes::Dropped
                }
                Content::Known => {
                    let keeper = in_tables
                        .get(&item.sha256)
                        .or_else(|| self.known.recent.get(&item.sha256));
                    let earlier = keeper.map(|first| self.archive.content(*first)).transpose();
                    let earlier = earlier.context("reading the archive")?.flatten();
                    if earlier.is_none() {
                        gone.push((resolved.len(), item.sha256));
                    }
                    earlier.map_or(Bytes::Missing, |kept| Bytes::Earlier(Arc::new(kept)))
                }
            };
            resolved.push((item_no, item, bytes));
        }
        let hashes: Vec<_> = gone.iter().map(|(_, hash)| *hash).collect();
        let expired = self.known.expired(&hashes)?;
        for (index, hash) in gone {
            if let Some(size) = expired.get(&hash) {
                resolved[index].2 = Bytes::Expired(*size);
            }
        }
        Ok(resolved)
    }
}

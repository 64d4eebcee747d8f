//! Items -> durable Parquet segments, append-only; iterates from a position. The only user of `parquet`.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use crate::model::item::{ItemKind, ItemNo, MailHeader, Provenance};

/// What the archive keeps of an item's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The bytes.
    Kept(Vec<u8>),
    /// The same bytes are kept with an earlier item.
    Known,
    /// Not kept: nothing in it looks like a report, or it is over the limit. The code says which
    /// (`not-a-report`, `limit-item-bytes`, …); the size is known.
    Dropped {
        /// Code of the refusal.
        code: String,
        /// Size of what was not kept.
        bytes: u64,
    },
}

/// An item on its way into the archive, and out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// SHA-256 of the bytes as fetched (of nothing where they were never read).
    pub sha256: [u8; 32],
    /// Mail or file.
    pub kind: ItemKind,
    /// The bytes.
    pub content: Content,
    /// Where it came from.
    pub provenance: Provenance,
    /// Envelope facts, for a mail.
    pub header: MailHeader,
    /// When it was read, seconds since 1970 UTC.
    pub received_utc_secs: i64,
}

/// The folder of segments.
pub struct Archive {}

impl Archive {
    /// Opens (and creates) the folder; ignores leftovers of a crash.
    pub fn open(_folder: &Path) -> io::Result<Self> {
        todo!()
    }

    /// The highest durable item, 0 when empty.
    pub fn position(&self) -> ItemNo {
        todo!()
    }

    /// Appends items as one durable segment; returns the number of the first.
    pub fn append(&mut self, _items: &[Item]) -> io::Result<ItemNo> {
        todo!()
    }

    /// Hashes of the kept items above `after`, with the first item of each.
    pub fn kept_after(&self, _after: ItemNo) -> io::Result<HashMap<[u8; 32], ItemNo>> {
        todo!()
    }

    /// Items above `after` in order, in batches of at most `batch_bytes` (or one item).
    pub fn read(&self, _after: ItemNo, _batch_bytes: usize) -> io::Result<Box<dyn Iterator<Item = io::Result<Vec<(ItemNo, Item)>>> + Send + '_>> {
        todo!()
    }

    /// The bytes of one item that is [`Content::Kept`].
    pub fn content(&self, _item_no: ItemNo) -> io::Result<Option<Vec<u8>>> {
        todo!()
    }
}

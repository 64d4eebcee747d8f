//! Items -> durable Parquet segments, append-only; iterates from a position. Small segments of closed months are joined.
//! The only user of `parquet`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use self::mails::{DroppedMail, FetchedMail};
use self::read::{Batches, CachedGroup};
pub use self::rewrite::Rewritten;
use self::segments::Segment;
use crate::durable;
use crate::model::item::{ItemKind, ItemNo, MailHeader, Provenance};

mod columns;
mod compact;
mod decode;
mod encode;
mod mails;
mod prune;
mod read;
mod rewrite;
mod segments;
mod write;

#[cfg(test)]
mod tests;

/// What the archive keeps of an item's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The bytes; shared by who archives and who reads them.
    Kept(Arc<Vec<u8>>),
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

impl Content {
    /// The bytes.
    pub fn kept(bytes: Vec<u8>) -> Self {
        Self::Kept(Arc::new(bytes))
    }
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

/// Items in order, each with its number.
pub type Batch = Vec<(ItemNo, Item)>;

/// The folder of segments.
pub struct Archive {
    folder: PathBuf,
    segments: Vec<Segment>,
    cached: Mutex<Option<CachedGroup>>,
}

impl Archive {
    /// Opens (and creates) the folder by listing it; ignores leftovers of a crash. A gap in the items is an error.
    pub fn open(folder: &Path) -> io::Result<Self> {
        durable::create_folder(folder)?;
        let segments = segments::list(folder)?.segments;
        Ok(Self {
            folder: folder.to_owned(),
            segments,
            cached: Mutex::new(None),
        })
    }

    /// Opens the folder to read; where there is none, the archive is empty, and stays away.
    pub fn look_at(folder: &Path) -> io::Result<Self> {
        if folder.exists() {
            return Self::open(folder);
        }
        Ok(Self {
            folder: folder.to_owned(),
            segments: Vec::new(),
            cached: Mutex::new(None),
        })
    }

    /// The highest durable item, 0 when empty.
    pub fn position(&self) -> ItemNo {
        self.segments.last().map_or(0, |segment| segment.last)
    }

    /// Appends items as one durable segment; returns the number of the first. Without items nothing is written.
    ///
    /// Appends exclude each other by a lock on the folder and number on from what others appended, but who wants to
    /// know the number beforehand must hold the run lock.
    pub fn append(&mut self, items: &[Item]) -> io::Result<ItemNo> {
        if items.is_empty() {
            return Ok(self.position() + 1);
        }
        let _lock = lock(&self.folder)?;
        let listing = segments::list(&self.folder)?;
        self.segments = listing.segments;
        remove_unfinished(&listing.unfinished)?;
        let segment = write::segment(&self.folder, self.position() + 1, items)?;
        let first = segment.first;
        self.segments.push(segment);
        Ok(first)
    }

    /// Items above `after` in order, in batches of at most `batch_bytes` (or one item). After an error it ends.
    pub fn read(
        &self,
        after: ItemNo,
        batch_bytes: usize,
    ) -> io::Result<Box<dyn Iterator<Item = io::Result<Batch>> + Send + '_>> {
        Ok(Box::new(Batches::new(
            self.above(after).to_vec(),
            after,
            batch_bytes,
        )))
    }

    /// The bytes of one item that is [`Content::Kept`]; items asked for in order are decoded once.
    pub fn content(&self, item_no: ItemNo) -> io::Result<Option<Vec<u8>>> {
        let segment = match self.above(item_no.saturating_sub(1)).first() {
            Some(segment) if item_no > 0 => segment,
            _ => {
                let message = format!(
                    "archive: there is no item {item_no}; the last one is {}",
                    self.position()
                );
                return Err(io::Error::new(io::ErrorKind::NotFound, message));
            }
        };
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let group = match cached.take() {
            Some(group) if group.holds(item_no) => group,
            before => CachedGroup::load(before, segment, item_no)?,
        };
        cached.insert(group).get(item_no)
    }

    /// The hash of one item; `None` where there is no such item. Reads the hashes of its row group alone.
    pub fn sha256(&self, item_no: ItemNo) -> io::Result<Option<[u8; 32]>> {
        match self.above(item_no.saturating_sub(1)).first() {
            Some(segment) if item_no > 0 => read::sha256(segment, item_no).map(Some),
            _ => Ok(None),
        }
    }

    fn above(&self, after: ItemNo) -> &[Segment] {
        &self.segments[self
            .segments
            .partition_point(|segment| segment.last <= after)..]
    }
}

/// Excludes appends and compactions from each other; held until dropped.
fn lock(folder: &Path) -> io::Result<File> {
    let locked = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    locked.map_err(|error| durable::named(folder, "locking archive", &error))
}

/// Deletes what nobody goes on writing.
fn remove_unfinished(leftovers: &[PathBuf]) -> io::Result<()> {
    for leftover in leftovers {
        fs::remove_file(leftover).map_err(|error| durable::named(leftover, "removing", &error))?;
    }
    Ok(())
}

//! Neighbouring segments -> one segment with the same items, in bounded memory: written, read back and compared before
//! the old ones go.

use std::fs;
use std::io;
use std::path::Path;

use super::read::Batches;
use super::segments::{self, Segment};
use super::write::{Fill, Growing};
use super::{Archive, Item};
use crate::durable;
use crate::model::item::ItemNo;

/// Bytes of items that are compared at once.
const COMPARED_BYTES: usize = 4 << 20;

/// What the rewriting of segments did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Segments that went.
    pub segments_before: usize,
    /// Segments that came in their place.
    pub segments_after: usize,
    /// Size of those that went.
    pub bytes_before: u64,
    /// Size of those that came.
    pub bytes_after: u64,
    /// Items whose bytes went.
    pub pruned_items: u64,
    /// How many bytes of items went, before compression.
    pub pruned_bytes: u64,
}

/// What becomes of an item on the way.
pub type Change<'a> = &'a dyn Fn(ItemNo, Item) -> Item;

/// Writes the items of neighbouring segments as one, each as `change` gives it, and deletes the old ones. The caller
/// holds the lock on the folder.
pub fn rewrite(folder: &Path, old: &[Segment], change: Change) -> io::Result<Segment> {
    let (Some(first), Some(last)) = (old.first(), old.last()) else {
        let message = "archive: there is nothing to rewrite";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    };
    let mut growing = Growing::begin(folder, first.first, last.last)?;
    let mut fill = Fill::default();
    let mut group = Vec::new();
    for item in changed(old, change) {
        let (_, item) = item?;
        if !fill.takes(&item) {
            growing.write(&group)?;
            group.clear();
        }
        group.push(item);
    }
    growing.write(&group)?;
    drop(group);
    let written = growing.end()?;
    compare(old, &written.unpublished(), change)?;
    let new = written.publish()?;
    let gone: Vec<&Segment> = old.iter().filter(|one| one.path != new.path).collect();
    remove(folder, &gone)?;
    Ok(new)
}

/// Nothing goes before what takes its place was read back whole.
fn compare(old: &[Segment], new: &Segment, change: Change) -> io::Result<()> {
    let mut had = changed(old, change);
    let mut has = changed(std::slice::from_ref(new), &|_, item| item);
    loop {
        match (had.next().transpose()?, has.next().transpose()?) {
            (None, None) => return Ok(()),
            (had, has) if had == has => {}
            (had, has) => {
                let item_no = had.or(has).map_or(0, |(item_no, _)| item_no);
                let message = format!(
                    "archive: item {item_no} was not written as it was read: the old segments stay"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
    }
}

/// The items of segments, one by one.
fn changed<'a>(
    segments: &[Segment],
    change: Change<'a>,
) -> impl Iterator<Item = io::Result<(ItemNo, Item)>> + use<'a> {
    let after = segments.first().map_or(0, |segment| segment.first - 1);
    Batches::new(segments.to_vec(), after, COMPARED_BYTES).flat_map(move |batch| {
        let (items, error) = match batch {
            Ok(items) => (items, None),
            Err(error) => (Vec::new(), Some(Err(error))),
        };
        let items = items.into_iter();
        items
            .map(move |(item_no, item)| Ok((item_no, change(item_no, item))))
            .chain(error)
    })
}

/// Deletes segments whose items are all in another one.
pub fn remove(folder: &Path, segments: &[&Segment]) -> io::Result<()> {
    for Segment { path, .. } in segments {
        fs::remove_file(path).map_err(|error| durable::named(path, "removing", &error))?;
    }
    if segments.is_empty() {
        return Ok(());
    }
    durable::sync_folder(folder)
}

impl Archive {
    /// Puts one segment in the place of neighbours; returns what that did to the files.
    pub(super) fn replace(&mut self, old: &[Segment], change: Change) -> io::Result<Rewritten> {
        let bytes_before = sizes(old)?.into_iter().sum();
        let new = rewrite(&self.folder, old, change)?;
        // The bytes that were read last may be among those that went.
        self.cached = None.into();
        self.segments = segments::list(&self.folder)?.segments;
        Ok(Rewritten {
            segments_before: old.len(),
            segments_after: 1,
            bytes_before,
            bytes_after: sizes(std::slice::from_ref(&new))?.into_iter().sum(),
            ..Rewritten::default()
        })
    }
}

/// Sizes of the files.
pub fn sizes(segments: &[Segment]) -> io::Result<Vec<u64>> {
    let size = |Segment { path, .. }: &Segment| {
        let metadata = fs::metadata(path);
        metadata
            .map(|metadata| metadata.len())
            .map_err(|error| durable::named(path, "looking at", &error))
    };
    segments.iter().map(size).collect()
}

impl Rewritten {
    /// Adds what another rewriting did.
    pub fn add(&mut self, other: &Self) {
        self.segments_before += other.segments_before;
        self.segments_after += other.segments_after;
        self.bytes_before += other.bytes_before;
        self.bytes_after += other.bytes_after;
        self.pruned_items += other.pruned_items;
        self.pruned_bytes += other.pruned_bytes;
    }
}

//! Names of segments, and which of them make up the archive. A directory listing is enough: no file is opened here.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::model::item::ItemNo;

/// What stands behind an unfinished segment's name; such a file is a leftover once nobody appends.
pub const TEMP_SUFFIX: &str = ".tmp";

/// How often the folder is listed before a gap is one.
const LISTINGS: u32 = 8;

/// The way out of a lost or damaged segment.
pub const WAY_OUT: &str = "restore it from a backup; without one, move it and every later segment out of the folder and \
                           collect again (the position in each mailbox is read from the archive)";

/// The segment that holds an item at the moment; `None` where there is none.
pub fn holding(folder: &Path, item_no: ItemNo) -> io::Result<Option<Segment>> {
    let segments = list(folder)?.segments;
    let holds = |segment: &Segment| (segment.first..=segment.last).contains(&item_no);
    Ok(segments.into_iter().find(holds))
}

/// One file of the archive and the items that its name promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Where it is.
    pub path: PathBuf,
    /// Number of its first item.
    pub first: ItemNo,
    /// Number of its last item, at least `first`.
    pub last: ItemNo,
}

/// What a listing of the folder shows.
#[derive(Debug, Default)]
pub struct Listing {
    /// The segments that hold items 1 to the position, each item once, in order.
    pub segments: Vec<Segment>,
    /// Unfinished segments of an append or a compaction that did not end, or is going on.
    pub unfinished: Vec<PathBuf>,
    /// Segments whose items are all in another one: what a compaction that did not end left.
    pub covered: Vec<Segment>,
}

/// `items-000000000001-000000010000.parquet`: the names sort as the items do.
pub fn file_name(first: ItemNo, last: ItemNo) -> String {
    format!("items-{first:012}-{last:012}.parquet")
}

/// Lists `folder`. A range inside another is what a crash during compaction leaves, and is ignored; a missing or
/// half-overlapping range is an error.
pub fn list(folder: &Path) -> io::Result<Listing> {
    // A listing that goes on while segments are joined may show neither the old ones nor the new one; one that begins
    // after it shows the new one, unless the next ones are joined meanwhile.
    for _ in 1..LISTINGS {
        match list_once(folder) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            listed => return listed,
        }
    }
    list_once(folder)
}

fn list_once(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut found = Vec::new();
    let listed = |error| durable::named(folder, "listing archive", &error);
    for entry in fs::read_dir(folder).map_err(listed)? {
        let path = entry.map_err(listed)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.ends_with(".parquet") {
            let (first, last) = parse(name).ok_or_else(|| stray(&path))?;
            found.push(Segment { path, first, last });
        } else if name.starts_with("items-") && name.ends_with(TEMP_SUFFIX) {
            listing.unfinished.push(path);
        }
    }
    contiguous(found, &mut listing)?;
    Ok(listing)
}

fn parse(name: &str) -> Option<(ItemNo, ItemNo)> {
    let (first, last) = name
        .strip_prefix("items-")?
        .strip_suffix(".parquet")?
        .split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first >= 1 && first <= last && file_name(first, last) == name).then_some((first, last))
}

fn contiguous(mut found: Vec<Segment>, listing: &mut Listing) -> io::Result<()> {
    found.sort_by(|a, b| a.first.cmp(&b.first).then(b.last.cmp(&a.last)));
    for segment in found {
        let position = listing.segments.last().map_or(0, |before| before.last);
        if segment.last <= position {
            listing.covered.push(segment);
        } else if segment.first == position + 1 {
            listing.segments.push(segment);
        } else {
            return Err(broken(position, &segment));
        }
    }
    Ok(())
}

fn broken(position: ItemNo, segment: &Segment) -> io::Error {
    let path = segment.path.display();
    let message = if segment.first > position + 1 {
        let (from, to) = (position + 1, segment.first - 1);
        format!(
            "archive: items {from} to {to}, which come before {path}, are missing: a segment is lost; {WAY_OUT}"
        )
    } else {
        format!(
            "archive: {path} begins inside the segment that ends with item {position} and ends behind it: {WAY_OUT}"
        )
    };
    io::Error::new(io::ErrorKind::InvalidData, message)
}

fn stray(path: &Path) -> io::Error {
    let message = format!(
        "archive: {} is not named like a segment: move it out of the folder",
        path.display()
    );
    io::Error::new(io::ErrorKind::InvalidData, message)
}

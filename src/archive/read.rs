//! Segments -> items, one row group in memory at a time.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::vec;

use duckdb::arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use super::decode::Contents;
use super::segments::{Segment, WAY_OUT};
use super::{Item, columns, decode, segments};
use crate::model::item::ItemNo;

/// A segment whose footer was read.
pub struct OpenSegment {
    segment: Segment,
    file: File,
    metadata: ArrowReaderMetadata,
    /// First item of each row group, and one behind the last.
    bounds: Vec<ItemNo>,
}

impl OpenSegment {
    /// Reads the footer and checks that the segment holds what its name promises.
    pub fn open(segment: &Segment) -> io::Result<Self> {
        let wrap = |error: &dyn std::fmt::Display| damaged(segment, error);
        let file = File::open(&segment.path)
            .map_err(|error| io::Error::new(error.kind(), wrap(&error)))?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|error| wrap(&error))?;
        let mut bounds = vec![segment.first];
        let mut next = segment.first;
        for group in metadata.metadata().row_groups() {
            next = next.saturating_add(u64::try_from(group.num_rows()).unwrap_or(0));
            bounds.push(next);
        }
        if next != segment.last + 1 {
            return Err(wrap(&format!(
                "it ends with item {}",
                next.saturating_sub(1)
            )));
        }
        Ok(Self {
            segment: segment.clone(),
            file,
            metadata,
            bounds,
        })
    }

    /// Opens the segment of an item: the one that was listed, or the one that a compaction has made of it since.
    pub fn holding(segment: &Segment, item_no: ItemNo) -> io::Result<Self> {
        let gone = match Self::open(segment) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => error,
            opened => return opened,
        };
        let folder = segment.path.parent().unwrap_or(Path::new("."));
        match segments::holding(folder, item_no)? {
            Some(other) if other != *segment => Self::open(&other),
            _ => Err(gone),
        }
    }

    /// When the last of its items was read, seconds since 1970 UTC; by the footer, else by that column alone.
    pub fn last_received_secs(&self) -> io::Result<i64> {
        let mut last_us = i64::MIN;
        for group in 0..self.bounds.len() - 1 {
            let of_group = match self.last_received_in_footer_us(group) {
                None => self.last_received_in_rows_us(group)?,
                told => told,
            };
            last_us = last_us.max(of_group.unwrap_or(i64::MAX));
        }
        Ok(last_us.div_euclid(1_000_000))
    }

    /// The footers of earlier versions do not tell it.
    pub(super) fn last_received_in_footer_us(&self, group: usize) -> Option<i64> {
        let columns = self.metadata.metadata().row_group(group).columns();
        let is_received =
            |column: &&ColumnChunkMetaData| column.column_path().string() == columns::RECEIVED;
        match columns.iter().find(is_received)?.statistics()? {
            Statistics::Int64(told) => told.max_opt().copied(),
            _ => None,
        }
    }

    pub(super) fn last_received_in_rows_us(&self, group: usize) -> io::Result<Option<i64>> {
        decode::last_received_us(&self.group(group, &[columns::RECEIVED])?)
            .map_err(|error| self.damaged(&error))
    }

    /// Number and size of the items for which `is_meant` holds and whose bytes are in it; reads neither these nor
    /// anything else that is long.
    pub fn kept(&self, is_meant: impl Fn(ItemNo) -> bool) -> io::Result<(u64, u64)> {
        let (mut items, mut bytes) = (0, 0);
        for (group, first) in (0..self.bounds.len() - 1).zip(&self.bounds) {
            let sizes = decode::kept_sizes(&self.group(group, &[columns::STORED, columns::BYTES])?)
                .map_err(|error| self.damaged(&error))?;
            for (_, size) in (*first..)
                .zip(sizes)
                .filter(|(item_no, _)| is_meant(*item_no))
            {
                items += u64::from(size.is_some());
                bytes += size.unwrap_or(0);
            }
        }
        Ok((items, bytes))
    }

    fn group_of(&self, item_no: ItemNo) -> usize {
        self.bounds
            .partition_point(|first| *first <= item_no)
            .saturating_sub(1)
    }

    /// Number of row groups.
    pub fn groups(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The first item of a row group.
    pub fn first_of(&self, group: usize) -> ItemNo {
        self.bounds[group]
    }

    /// One row group, the named columns (all when none is named).
    pub fn group(&self, group: usize, names: &[&str]) -> io::Result<RecordBatch> {
        let rows = self.bounds[group + 1] - self.bounds[group];
        let read = || {
            let mask = if names.is_empty() {
                ProjectionMask::all()
            } else {
                ProjectionMask::columns(self.metadata.parquet_schema(), names.iter().copied())
            };
            let mut batches = ParquetRecordBatchReaderBuilder::new_with_metadata(
                self.file.try_clone()?,
                self.metadata.clone(),
            )
            .with_row_groups(vec![group])
            .with_projection(mask)
            .with_batch_size(usize::try_from(rows)?)
            .build()?;
            Ok(batches.next().transpose()?)
        };
        match guarded(read) {
            Ok(Some(batch)) if batch.num_rows() as u64 == rows => Ok(batch),
            Ok(_) => Err(self.damaged(&format!("row group {group} does not hold its {rows} rows"))),
            Err(error) => Err(self.damaged(&error)),
        }
    }

    fn items(&self, group: usize) -> io::Result<Vec<(ItemNo, Item)>> {
        let items =
            decode::from_batch(&self.group(group, &[])?).map_err(|error| self.damaged(&error))?;
        match items
            .iter()
            .zip(self.bounds[group]..)
            .find(|((found, _), expected)| found != expected)
        {
            Some(((found, _), expected)) => {
                Err(self.damaged(&format!("item {found} stands in the place of {expected}")))
            }
            None => Ok(items),
        }
    }

    /// An error that names the segment.
    pub fn damaged(&self, error: &dyn std::fmt::Display) -> io::Error {
        damaged(&self.segment, error)
    }
}

/// The Parquet reader panics at some damages of a file. One rotten segment must be an error like any other.
fn guarded<T>(read: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<T, Box<dyn Error>> {
    panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("its structure is damaged".into()))
}

fn damaged(segment: &Segment, error: &dyn std::fmt::Display) -> io::Error {
    let path = segment.path.display();
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("archive: {path} cannot be read ({error}): {WAY_OUT}"),
    )
}

/// The hash of an item of `segment`.
pub fn sha256(segment: &Segment, item_no: ItemNo) -> io::Result<[u8; 32]> {
    let open = OpenSegment::holding(segment, item_no)?;
    let group = open.group_of(item_no);
    let batch = open.group(group, &[columns::SHA256])?;
    let row = usize::try_from(item_no - open.bounds[group]).unwrap_or(usize::MAX);
    decode::hash_at(&batch, row).map_err(|error| open.damaged(&error))
}

/// The contents of the row group that was asked for last: items asked for in order are decoded once.
pub struct CachedGroup {
    open: OpenSegment,
    first: ItemNo,
    contents: Contents,
}

impl CachedGroup {
    /// Decodes the row group of `item_no`, which is in `segment`; `before` is used where it is of the same segment.
    pub fn load(before: Option<Self>, segment: &Segment, item_no: ItemNo) -> io::Result<Self> {
        let open = match before {
            Some(cached) if cached.open.segment == *segment => cached.open,
            _ => OpenSegment::holding(segment, item_no)?,
        };
        let group = open.group_of(item_no);
        let batch = open.group(group, &[columns::SHA256, columns::CONTENT])?;
        let contents = Contents::of(&batch).map_err(|error| open.damaged(&error))?;
        Ok(Self {
            first: open.bounds[group],
            open,
            contents,
        })
    }

    /// Whether an item is in this row group.
    pub fn holds(&self, item_no: ItemNo) -> bool {
        item_no
            .checked_sub(self.first)
            .is_some_and(|row| row < self.contents.len() as u64)
    }

    /// The bytes of an item of this row group, `None` where they were not kept.
    pub fn get(&self, item_no: ItemNo) -> io::Result<Option<Vec<u8>>> {
        let row = usize::try_from(item_no.saturating_sub(self.first)).unwrap_or(usize::MAX);
        if row >= self.contents.len() {
            return Ok(None);
        }
        self.contents
            .get(row)
            .map_err(|error| self.open.damaged(&format!("item {item_no}: {error}")))
    }
}

/// Iterates over the items above a position.
pub struct Batches {
    segments: vec::IntoIter<Segment>,
    /// The next item, and the last one.
    next: ItemNo,
    last: ItemNo,
    batch_bytes: usize,
    /// The segment that is being read, and its next row group.
    current: Option<(OpenSegment, usize)>,
    pending: VecDeque<(ItemNo, Item)>,
    /// Met while a batch already had items; comes after them.
    failure: Option<io::Error>,
}

impl Batches {
    /// Items of `segments` above `after`.
    pub fn new(segments: Vec<Segment>, after: ItemNo, batch_bytes: usize) -> Self {
        Self {
            next: after.saturating_add(1),
            last: segments.last().map_or(0, |segment| segment.last),
            segments: segments.into_iter(),
            batch_bytes,
            current: None,
            pending: VecDeque::new(),
            failure: None,
        }
    }

    fn batch(&mut self) -> io::Result<Vec<(ItemNo, Item)>> {
        let mut batch = Vec::new();
        let mut weight_bytes = 0_usize;
        loop {
            let Some((item_no, item)) = self.pending.pop_front() else {
                match self.load_group() {
                    Ok(true) => continue,
                    Err(error) if batch.is_empty() => return Err(error),
                    ended => self.failure = ended.err(),
                }
                return Ok(batch);
            };
            weight_bytes = weight_bytes.saturating_add(columns::weight_bytes(&item));
            if weight_bytes > self.batch_bytes && !batch.is_empty() {
                self.pending.push_front((item_no, item));
                return Ok(batch);
            }
            batch.push((item_no, item));
        }
    }

    /// Fills `pending`; `false` at the end of the archive.
    fn load_group(&mut self) -> io::Result<bool> {
        let (open, group) = match self.current.take() {
            Some(current) => current,
            None => {
                let next = self.next;
                // Those before it are in one that a compaction has made meanwhile.
                let Some(segment) = self.segments.find(|segment| segment.last >= next) else {
                    return Ok(false);
                };
                let open = OpenSegment::holding(&segment, next.max(segment.first))?;
                let group = open.group_of(next.max(segment.first));
                (open, group)
            }
        };
        let wanted = self.next..=self.last;
        self.pending.extend(
            open.items(group)?
                .into_iter()
                .filter(|(item_no, _)| wanted.contains(item_no)),
        );
        self.next = self.next.max(open.bounds[group + 1]);
        if group + 2 < open.bounds.len() {
            self.current = Some((open, group + 1));
        }
        Ok(true)
    }
}

impl Iterator for Batches {
    type Item = io::Result<Vec<(ItemNo, Item)>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.failure.take().map_or_else(|| self.batch(), Err) {
            Ok(batch) if batch.is_empty() => None,
            Ok(batch) => Some(Ok(batch)),
            Err(error) => {
                // What follows an unreadable segment must not look like the end of the archive, nor go on behind it.
                self.segments = Vec::new().into_iter();
                self.current = None;
                self.pending.clear();
                Some(Err(error))
            }
        }
    }
}

//! Items -> one durable segment: temp, fsync, rename, fsync of the folder. A row group is in memory at a time.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::segments::{self, Segment, TEMP_SUFFIX};
use super::{Item, columns, encode};
use crate::durable;
use crate::model::item::ItemNo;

/// A row group is decoded as a whole: this bounds the memory of reading back.
const ROW_GROUP_BYTES: usize = 8 << 20;
/// Rows of a row group when items are small.
const ROW_GROUP_ROWS: usize = 65_536;
/// Items that become columns at a time, on their way into a row group: few, so that their memory serves the next ones.
const BATCH_ITEMS: usize = 64;
/// A column of a row group must stay under 2 GiB; no limit of the product comes near.
const MAX_ITEM_BYTES: usize = 1 << 30;

/// Writes `items`, numbered from `first`, as one segment of `folder`; durable on return.
pub fn segment(folder: &Path, first: ItemNo, items: &[Item]) -> io::Result<Segment> {
    let is_too_large = |(_, item): &(ItemNo, &Item)| columns::weight_bytes(item) > MAX_ITEM_BYTES;
    if let Some((item_no, item)) = (first..).zip(items).find(is_too_large) {
        // Standard input has no name.
        let name = item.provenance.file_name();
        let of_file = name.map_or_else(String::new, |name| format!(" ({name:?})"));
        let message = format!("item {item_no}{of_file} is larger than {MAX_ITEM_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let last = first + (items.len() as u64 - 1);
    let mut growing = Growing::begin(folder, first, last)?;
    for group in row_groups(items) {
        growing.write(group)?;
    }
    growing.end()?.publish()
}

/// A segment that is being written, a row group at a time. Dropped before its end, it leaves no trace.
pub struct Growing {
    writer: ArrowWriter<File>,
    item_no: ItemNo,
    written: Written,
}

/// A segment that is durable under another name, which no reader takes for one.
pub struct Written {
    /// The segment that it will be.
    segment: Segment,
    temp: PathBuf,
    is_published: bool,
}

impl Growing {
    /// Begins a segment of `folder` for the items `first` to `last`.
    pub fn begin(folder: &Path, first: ItemNo, last: ItemNo) -> io::Result<Self> {
        let name = segments::file_name(first, last);
        let temp = folder.join(format!("{name}{TEMP_SUFFIX}"));
        let path = folder.join(name);
        let written = Written {
            segment: Segment { path, first, last },
            temp,
            is_published: false,
        };
        let begun = File::create(&written.temp).and_then(|file| {
            // The columns say by themselves what they are; the Arrow schema would cost a small segment a kilobyte.
            let options = ArrowWriterOptions::new()
                .with_properties(properties().map_err(io::Error::other)?)
                .with_skip_arrow_metadata(true);
            ArrowWriter::try_new_with_options(file, columns::schema(), options)
                .map_err(io::Error::other)
        });
        Ok(Self {
            writer: begun.map_err(|error| written.named(&error))?,
            item_no: first,
            written,
        })
    }

    /// Writes the next items as one row group.
    pub fn write(&mut self, items: &[Item]) -> io::Result<()> {
        let written = items
            .chunks(BATCH_ITEMS)
            .try_for_each(|part| self.encode(part))
            .and_then(|()| self.writer.flush());
        written.map_err(|error| self.written.named(&io::Error::other(error)))
    }

    fn encode(&mut self, items: &[Item]) -> Result<(), ParquetError> {
        let batch = encode::to_batch(self.item_no, items)?;
        self.item_no += items.len() as u64;
        self.writer.write(&batch)
    }

    /// Makes what was written durable.
    pub fn end(self) -> io::Result<Written> {
        let file = self.writer.into_inner().map_err(io::Error::other);
        file.and_then(|file| file.sync_all())
            .map_err(|error| self.written.named(&error))?;
        Ok(self.written)
    }
}

impl Written {
    /// The segment, to be read before it is one.
    pub fn unpublished(&self) -> Segment {
        Segment {
            path: self.temp.clone(),
            ..self.segment
        }
    }

    /// Gives the segment its name, in the place of one that has it; durable on return.
    pub fn publish(mut self) -> io::Result<Segment> {
        let Segment { path, .. } = &self.segment;
        fs::rename(&self.temp, path).map_err(|error| self.named(&error))?;
        self.is_published = true;
        durable::sync_folder(path.parent().unwrap_or(Path::new(".")))?;
        Ok(self.segment.clone())
    }

    fn named(&self, error: &io::Error) -> io::Error {
        durable::named(&self.segment.path, "writing archive segment", error)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        if !self.is_published {
            // What could not be written may not be removable either; the next append tries again.
            let _ = fs::remove_file(&self.temp);
        }
    }
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_created_by(concat!("dmarc-sentinel ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from(columns::ITEM_NO), EnabledStatistics::Chunk)
        .set_column_statistics_enabled(
            ColumnPath::from(columns::RECEIVED),
            EnabledStatistics::Chunk,
        )
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None);
    for name in columns::WITHOUT_DICTIONARY {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    Ok(properties.build())
}

/// How much of a row group is filled.
#[derive(Default)]
pub struct Fill {
    items: usize,
    weight_bytes: usize,
}

impl Fill {
    /// Whether the next item fits into the same row group, one item in any case; if not, it begins another.
    pub fn takes(&mut self, item: &Item) -> bool {
        let weight_bytes = columns::weight_bytes(item);
        self.items += 1;
        self.weight_bytes = self.weight_bytes.saturating_add(weight_bytes);
        let fits = self.items == 1
            || (self.items <= ROW_GROUP_ROWS && self.weight_bytes <= ROW_GROUP_BYTES);
        if !fits {
            *self = Self {
                items: 1,
                weight_bytes,
            };
        }
        fits
    }
}

/// Cuts `items` so that each part stays within the bounds of a row group, or is one item.
fn row_groups(items: &[Item]) -> impl Iterator<Item = &[Item]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut fill = Fill::default();
        let count = rest.iter().take_while(|item| fill.takes(item)).count();
        let (group, after) = rest.split_at(count);
        rest = after;
        (!group.is_empty()).then_some(group)
    })
}

//! Items -> one durable segment: temp, fsync, rename, fsync of the folder.

use std::fs::{self, File};
use std::io;
use std::path::Path;

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
    let name = segments::file_name(first, last);
    let temp = folder.join(format!("{name}{TEMP_SUFFIX}"));
    let path = folder.join(name);
    let written = write(&temp, first, items).and_then(|()| fs::rename(&temp, &path));
    if let Err(error) = written {
        // What could not be written may not be removable either; the next append tries again.
        let _ = fs::remove_file(&temp);
        return Err(durable::named(&path, "writing archive segment", &error));
    }
    durable::sync_folder(folder)?;
    Ok(Segment { path, first, last })
}

fn write(temp: &Path, first: ItemNo, items: &[Item]) -> io::Result<()> {
    let file = File::create(temp)?;
    encode(file, first, items)
        .map_err(io::Error::other)?
        .sync_all()
}

fn encode(file: File, first: ItemNo, items: &[Item]) -> Result<File, ParquetError> {
    // The columns say by themselves what they are; the Arrow schema would cost a small segment a kilobyte.
    let options = ArrowWriterOptions::new()
        .with_properties(properties()?)
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(file, columns::schema(), options)?;
    let mut item_no = first;
    for group in row_groups(items) {
        writer.write(&encode::to_batch(item_no, group)?)?;
        writer.flush()?;
        item_no += group.len() as u64;
    }
    writer.into_inner()
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_created_by(concat!("dmarc-sentinel ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled(ColumnPath::from(columns::ITEM_NO), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None);
    for name in columns::WITHOUT_DICTIONARY {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
    }
    Ok(properties.build())
}

/// Cuts `items` so that each part stays within the bounds of a row group, or is one item.
fn row_groups(items: &[Item]) -> impl Iterator<Item = &[Item]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut weight_bytes = 0;
        let fits = |item: &&Item| {
            weight_bytes += columns::weight_bytes(item);
            weight_bytes <= ROW_GROUP_BYTES
        };
        let count = rest
            .iter()
            .take(ROW_GROUP_ROWS)
            .take_while(fits)
            .count()
            .max(1)
            .min(rest.len());
        let (group, after) = rest.split_at(count);
        rest = after;
        (!group.is_empty()).then_some(group)
    })
}

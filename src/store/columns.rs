//! Arrow columns from slices of rows, so that a table is written as a list of its columns.
//!
//! Batches hold at most [`CHUNK_ROWS`] rows: the appender copies the children of nested columns once for every chunk
//! of a batch, so that larger batches would cost the square of their length.

use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Int32Array, Int64Array, ListArray,
    StringArray, StructArray, TimestampMicrosecondArray,
};
use duckdb::arrow::buffer::OffsetBuffer;
use duckdb::arrow::datatypes::{Field, Fields, Schema};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;

use crate::model::day::{Day, MAX_UTC_SECS};
use crate::model::outcome::Oddity;

/// Rows of one batch: DuckDB's vector size.
pub const CHUNK_ROWS: usize = 2048;

/// Columns in table order.
#[derive(Default)]
pub struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn push(&mut self, name: &str, array: ArrayRef) {
        self.fields
            .push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
    }

    /// VARCHAR.
    pub fn text<'a>(&mut self, name: &str, values: impl Iterator<Item = Option<&'a str>>) {
        self.push(name, Arc::new(values.collect::<StringArray>()));
    }

    /// VARCHAR made on the way.
    pub fn owned_text(&mut self, name: &str, values: impl Iterator<Item = Option<String>>) {
        self.push(name, Arc::new(values.collect::<StringArray>()));
    }

    /// BIGINT.
    pub fn bigint(&mut self, name: &str, values: impl Iterator<Item = Option<i64>>) {
        self.push(name, Arc::new(values.collect::<Int64Array>()));
    }

    /// INTEGER.
    pub fn integer(&mut self, name: &str, values: impl Iterator<Item = Option<i32>>) {
        self.push(name, Arc::new(values.collect::<Int32Array>()));
    }

    /// BOOLEAN.
    pub fn boolean(&mut self, name: &str, values: impl Iterator<Item = Option<bool>>) {
        self.push(name, Arc::new(values.collect::<BooleanArray>()));
    }

    /// BLOB.
    pub fn blob(&mut self, name: &str, values: impl Iterator<Item = Option<[u8; 16]>>) {
        self.push(name, Arc::new(values.collect::<BinaryArray>()));
    }

    /// TIMESTAMP of seconds since 1970 UTC.
    pub fn timestamp(&mut self, name: &str, values: impl Iterator<Item = Option<i64>>) {
        let micros = values.map(|secs| secs.map(|secs| clamp_secs(secs) * 1_000_000));
        self.push(
            name,
            Arc::new(micros.collect::<TimestampMicrosecondArray>()),
        );
    }

    /// DATE.
    pub fn day(&mut self, name: &str, values: impl Iterator<Item = Day>) {
        self.push(
            name,
            Arc::new(
                values
                    .map(|day| Some(day.to_epoch_days()))
                    .collect::<Date32Array>(),
            ),
        );
    }

    /// DATE; `None` is NULL.
    pub fn optional_day(&mut self, name: &str, values: impl Iterator<Item = Option<Day>>) {
        let days = values.map(|day| day.map(|day| day.to_epoch_days()));
        self.push(name, Arc::new(days.collect::<Date32Array>()));
    }

    /// `VARCHAR[]`; `None` is NULL.
    pub fn texts<'a>(&mut self, name: &str, values: impl Iterator<Item = Option<&'a [String]>>) {
        let rows: Vec<Option<&[String]>> = values.collect();
        let items: StringArray = rows
            .iter()
            .flat_map(|row| row.unwrap_or_default())
            .map(|text| Some(text.as_str()))
            .collect();
        let nulls = rows.iter().map(Option::is_some).collect();
        self.list(
            name,
            rows.iter().map(|row| row.map_or(0, <[String]>::len)),
            Arc::new(items),
            Some(nulls),
        );
    }

    /// `BIGINT[]`.
    pub fn bigints<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a [u64]> + Clone) {
        let items: Int64Array = (values.clone().flatten())
            .map(|count| Some(bigint(*count)))
            .collect();
        self.list(name, values.map(<[u64]>::len), Arc::new(items), None);
    }

    /// `STRUCT(…)[]`: the lengths of the lists and the columns of their elements, flattened.
    pub fn structs(&mut self, name: &str, lengths: impl Iterator<Item = usize>, elements: Columns) {
        let element = StructArray::new(Fields::from(elements.fields), elements.arrays, None);
        self.list(name, lengths, Arc::new(element), None);
    }

    /// `STRUCT(code, detail)[]`.
    pub fn oddities<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a [Oddity]> + Clone) {
        let mut elements = Columns::default();
        elements.text(
            "code",
            values.clone().flatten().map(|oddity| Some(oddity.code)),
        );
        elements.text(
            "detail",
            values
                .clone()
                .flatten()
                .map(|oddity| Some(oddity.detail.as_str())),
        );
        self.structs(name, values.map(<[Oddity]>::len), elements);
    }

    fn list(
        &mut self,
        name: &str,
        lengths: impl Iterator<Item = usize>,
        items: ArrayRef,
        present: Option<Vec<bool>>,
    ) {
        let field = Arc::new(Field::new("item", items.data_type().clone(), true));
        let nulls = present.map(Into::into);
        self.push(
            name,
            Arc::new(ListArray::new(
                field,
                OffsetBuffer::from_lengths(lengths),
                items,
                nulls,
            )),
        );
    }

    /// The batch.
    pub fn finish(self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
    }
}

/// Seconds that every output format can write: years 0 to 9999.
pub fn clamp_secs(utc_secs: i64) -> i64 {
    utc_secs.clamp(-62_167_219_200, MAX_UTC_SECS)
}

/// A count as BIGINT; what is larger stands as the largest.
pub fn bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

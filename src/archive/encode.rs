//! Items -> the columns of a row group.

use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondArray,
};
use duckdb::arrow::error::ArrowError;

use super::columns;
use super::{Content, Item};
use crate::model::hex::hex;
use crate::model::item::{ItemNo, MailHeader, Provenance};

/// The latest instant that a column of microseconds can hold, in seconds.
const MAX_SECS: i64 = i64::MAX / 1_000_000;

/// The rows of `items`, numbered from `first`.
pub fn to_batch(first: ItemNo, items: &[Item]) -> Result<RecordBatch, ArrowError> {
    let from = |field: fn(&Provenance) -> Option<&str>| {
        texts(items.iter().map(|item| field(&item.provenance)))
    };
    let header = |field: fn(&MailHeader) -> Option<&str>| {
        texts(items.iter().map(|item| field(&item.header)))
    };
    let file_names: Vec<Option<String>> = items
        .iter()
        .map(|item| item.provenance.file_name())
        .collect();
    let columns: Vec<ArrayRef> = vec![
        integers(
            items
                .iter()
                .enumerate()
                .map(|(row, _)| Some(signed(first.saturating_add(row as u64)))),
        ),
        texts(
            items
                .iter()
                .map(|item| hex(&item.sha256))
                .collect::<Vec<_>>()
                .iter()
                .map(|hex| Some(hex.as_str())),
        ),
        texts(items.iter().map(|item| Some(item.kind.as_str()))),
        texts(items.iter().map(|item| Some(stored(&item.content)))),
        texts(items.iter().map(|item| dropped_code(&item.content))),
        contents(items),
        integers(items.iter().map(|item| bytes(&item.content))),
        from(|p| Some(&p.source)),
        from(|p| p.inbox.as_deref()),
        from(|p| p.folder.as_deref()),
        integers(
            items
                .iter()
                .map(|item| item.provenance.uidvalidity.map(i64::from)),
        ),
        integers(items.iter().map(|item| item.provenance.uid.map(i64::from))),
        from(|p| p.account.as_deref()),
        flags(items.iter().map(|item| item.provenance.is_chosen)),
        header(|h| h.message_id.as_deref()),
        header(|h| h.mail_from.as_deref()),
        header(|h| h.subject.as_deref()),
        instants(items.iter().map(|item| item.header.date_utc_secs)),
        header(|h| h.headers.as_deref()),
        from(|p| p.path.as_deref()),
        from(|p| p.member.as_deref()),
        texts(file_names.iter().map(Option::as_deref)),
        instants(items.iter().map(|item| Some(item.received_utc_secs))),
    ];
    RecordBatch::try_new(columns::schema(), columns)
}

fn stored(content: &Content) -> &'static str {
    match content {
        Content::Kept(_) => columns::KEPT,
        Content::Known => "known",
        Content::Dropped { .. } => "dropped",
    }
}

fn dropped_code(content: &Content) -> Option<&str> {
    if let Content::Dropped { code, .. } = content {
        Some(code)
    } else {
        None
    }
}

fn bytes(content: &Content) -> Option<i64> {
    match content {
        Content::Kept(bytes) => Some(signed(bytes.len() as u64)),
        Content::Known => None,
        Content::Dropped { bytes, .. } => Some(signed(*bytes)),
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut column = StringBuilder::new();
    values.for_each(|value| column.append_option(value));
    Arc::new(column.finish())
}

fn integers(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let mut column = Int64Builder::new();
    values.for_each(|value| column.append_option(value));
    Arc::new(column.finish())
}

fn flags(values: impl Iterator<Item = bool>) -> ArrayRef {
    let mut column = BooleanBuilder::new();
    values.for_each(|value| column.append_option(value.then_some(true)));
    Arc::new(column.finish())
}

fn instants(secs: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let micros = secs.map(|secs| secs.map(|secs| secs.clamp(-MAX_SECS, MAX_SECS) * 1_000_000));
    Arc::new(micros.collect::<TimestampMicrosecondArray>())
}

fn contents(items: &[Item]) -> ArrayRef {
    let total_bytes = items.iter().map(columns::weight_bytes).sum();
    let mut column = BinaryBuilder::with_capacity(items.len(), total_bytes);
    for item in items {
        column.append_option(if let Content::Kept(bytes) = &item.content {
            Some(bytes.as_slice())
        } else {
            None
        });
    }
    Arc::new(column.finish())
}

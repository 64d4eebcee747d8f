//! The columns of a segment. Their names are a contract: anyone may read a segment with any Parquet reader.

use std::sync::Arc;

use duckdb::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{Content, Item};

/// Column of the item's number.
pub const ITEM_NO: &str = "item_no";
/// Column of the hash, 64 hex digits.
pub const SHA256: &str = "sha256";
/// Column that says what was kept of the bytes: `kept`, `known` or `dropped`.
pub const STORED: &str = "stored";
/// What [`STORED`] says of an item whose bytes are in [`CONTENT`].
pub const KEPT: &str = "kept";
/// Column of the bytes.
pub const CONTENT: &str = "content";
/// Column of the size, whether the bytes are kept or not.
pub const BYTES: &str = "bytes";
/// Column of the account that an inbox was; segments of earlier versions lack it.
pub const ACCOUNT: &str = "account";
/// Column that is true for a message that was chosen by its day, and null for others; segments of earlier versions lack
/// it.
pub const IS_CHOSEN: &str = "is_chosen";
/// Column of the instant at which the item was read.
pub const RECEIVED: &str = "received_utc";

/// Columns whose values are all different or large: a dictionary of them is work for nothing.
pub const WITHOUT_DICTIONARY: [&str; 8] = [
    ITEM_NO,
    SHA256,
    CONTENT,
    "uid",
    "message_id",
    "headers",
    "member",
    "file_name",
];

/// The columns in their order.
pub fn schema() -> SchemaRef {
    let utc = || DataType::Timestamp(TimeUnit::Microsecond, None);
    Arc::new(Schema::new(vec![
        Field::new(ITEM_NO, DataType::Int64, false),
        Field::new(SHA256, DataType::Utf8, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new(STORED, DataType::Utf8, false),
        Field::new("dropped_code", DataType::Utf8, true),
        Field::new(CONTENT, DataType::Binary, true),
        Field::new(BYTES, DataType::Int64, true),
        Field::new("source", DataType::Utf8, false),
        Field::new("inbox", DataType::Utf8, true),
        Field::new("folder", DataType::Utf8, true),
        Field::new("uidvalidity", DataType::Int64, true),
        Field::new("uid", DataType::Int64, true),
        Field::new(ACCOUNT, DataType::Utf8, true),
        Field::new(IS_CHOSEN, DataType::Boolean, true),
        Field::new("message_id", DataType::Utf8, true),
        Field::new("mail_from", DataType::Utf8, true),
        Field::new("subject", DataType::Utf8, true),
        Field::new("mail_date_utc", utc(), true),
        Field::new("headers", DataType::Utf8, true),
        Field::new("path", DataType::Utf8, true),
        Field::new("member", DataType::Utf8, true),
        Field::new("file_name", DataType::Utf8, true),
        Field::new(RECEIVED, utc(), false),
    ]))
}

/// Bytes that an item takes in memory: what bounds a row group and a batch.
pub fn weight_bytes(item: &Item) -> usize {
    let text = |field: &Option<String>| field.as_ref().map_or(0, String::len);
    let content = if let Content::Kept(bytes) = &item.content {
        bytes.len()
    } else {
        0
    };
    let (from, header) = (&item.provenance, &item.header);
    content
        + [
            &from.inbox,
            &from.folder,
            &from.account,
            &from.path,
            &from.member,
        ]
        .into_iter()
        .map(text)
        .sum::<usize>()
        + [
            &header.message_id,
            &header.mail_from,
            &header.subject,
            &header.headers,
        ]
        .into_iter()
        .map(text)
        .sum::<usize>()
}

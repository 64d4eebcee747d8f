//! The columns of a row group -> items.

use duckdb::arrow::array::{
    Array, BinaryArray, BooleanArray, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use sha2::{Digest, Sha256};

use super::columns::{ACCOUNT, BYTES, CONTENT, IS_CHOSEN, ITEM_NO, KEPT, RECEIVED, SHA256, STORED};
use super::{Content, Item};
use crate::model::item::{ItemKind, ItemNo, MailHeader, Provenance};

/// The items of a batch that was written by [`super::encode::to_batch`], or what is wrong with it.
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<(ItemNo, Item)>, String> {
    let columns = Columns::of(batch)?;
    (0..batch.num_rows()).map(|row| columns.item(row)).collect()
}

/// Hashes and bytes of a row group, to be had one by one.
pub struct Contents {
    hashes: StringArray,
    contents: BinaryArray,
}

impl Contents {
    /// Of a batch that holds [`SHA256`] and [`CONTENT`].
    pub fn of(batch: &RecordBatch) -> Result<Self, String> {
        let hashes = typed::<StringArray>(batch, SHA256)?.clone();
        Ok(Self {
            hashes,
            contents: typed::<BinaryArray>(batch, CONTENT)?.clone(),
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.contents.len()
    }

    /// The bytes of a row below [`Contents::len`], checked; `None` where they were not kept.
    pub fn get(&self, row: usize) -> Result<Option<Vec<u8>>, String> {
        let content = present(&self.contents, row, self.contents.value(row));
        content
            .map(|bytes| checked(bytes, &unhex(self.hashes.value(row))?))
            .transpose()
    }
}

/// A copy of the bytes of an item, unless they have changed since they were archived.
fn checked(bytes: &[u8], sha256: &[u8; 32]) -> Result<Vec<u8>, String> {
    if Sha256::digest(bytes).as_slice() == sha256 {
        Ok(bytes.to_vec())
    } else {
        Err("the bytes of an item do not have its hash".to_owned())
    }
}

/// The hash in a row of a batch that holds [`SHA256`].
pub fn hash_at(batch: &RecordBatch, row: usize) -> Result<[u8; 32], String> {
    let hashes = typed::<StringArray>(batch, SHA256)?;
    if row >= hashes.len() {
        return Err(format!("there is no row {row}"));
    }
    unhex(hashes.value(row))
}

/// The latest instant in a batch that holds [`RECEIVED`], microseconds since 1970 UTC.
pub fn last_received_us(batch: &RecordBatch) -> Result<Option<i64>, String> {
    let instants = typed::<TimestampMicrosecondArray>(batch, RECEIVED)?;
    Ok(instants.iter().flatten().max())
}

/// The size of each row of a batch that holds [`STORED`] and [`BYTES`]; `None` where the bytes are not kept.
pub fn kept_sizes(batch: &RecordBatch) -> Result<Vec<Option<u64>>, String> {
    let stored = typed::<StringArray>(batch, STORED)?.iter();
    let sizes = typed::<Int64Array>(batch, BYTES)?.iter();
    let size = |(stored, size): (Option<&str>, Option<i64>)| {
        (stored == Some(KEPT)).then(|| size.map_or(0, i64::unsigned_abs))
    };
    Ok(stored.zip(sizes).map(size).collect())
}

struct Columns<'a> {
    numbers: [&'a Int64Array; 4],
    instants: [&'a TimestampMicrosecondArray; 2],
    texts: [&'a StringArray; 13],
    content: &'a BinaryArray,
    account: Option<&'a StringArray>,
    is_chosen: Option<&'a BooleanArray>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, String> {
        let number = |name| typed::<Int64Array>(batch, name);
        let instant = |name| typed::<TimestampMicrosecondArray>(batch, name);
        let text = |name| typed::<StringArray>(batch, name);
        Ok(Self {
            numbers: [
                number(ITEM_NO)?,
                number(BYTES)?,
                number("uidvalidity")?,
                number("uid")?,
            ],
            instants: [instant("mail_date_utc")?, instant(RECEIVED)?],
            texts: [
                text(SHA256)?,
                text("kind")?,
                text(STORED)?,
                text("dropped_code")?,
                text("source")?,
                text("inbox")?,
                text("folder")?,
                text("path")?,
                text("member")?,
                text("message_id")?,
                text("mail_from")?,
                text("subject")?,
                text("headers")?,
            ],
            content: typed(batch, CONTENT)?,
            account: later(batch, ACCOUNT)?,
            is_chosen: later(batch, IS_CHOSEN)?,
        })
    }

    fn item(&self, row: usize) -> Result<(ItemNo, Item), String> {
        let [item_no, bytes, uidvalidity, uid] = self
            .numbers
            .map(|column| present(column, row, column.value(row)));
        let [date, received] = self
            .instants
            .map(|column| present(column, row, column.value(row).div_euclid(1_000_000)));
        let [sha256, kind, stored, code, texts @ ..] = self
            .texts
            .map(|column| present(column, row, column.value(row)));
        let [
            source,
            inbox,
            folder,
            path,
            member,
            message_id,
            mail_from,
            subject,
            headers,
        ] = texts.map(|text: Option<&str>| text.map(str::to_owned));
        let sha256 = unhex(sha256.ok_or("sha256 is missing")?)?;
        let item = Item {
            sha256,
            kind: match kind {
                Some("mail") => ItemKind::Mail,
                Some("file") => ItemKind::File,
                other => return Err(format!("kind {other:?} is unknown")),
            },
            content: self.content(row, &sha256, stored, code, bytes)?,
            provenance: Provenance {
                source: source.ok_or("source is missing")?,
                inbox,
                folder,
                uidvalidity: small("uidvalidity", uidvalidity)?,
                uid: small("uid", uid)?,
                account: text_at(self.account, row).map(str::to_owned),
                is_chosen: is_set(self.is_chosen, row),
                path,
                member,
            },
            header: MailHeader {
                message_id,
                mail_from,
                subject,
                date_utc_secs: date,
                headers,
            },
            received_utc_secs: received.ok_or("received_utc is missing")?,
        };
        let item_no = item_no
            .and_then(|number| ItemNo::try_from(number).ok())
            .ok_or("item_no is missing")?;
        Ok((item_no, item))
    }

    fn content(
        &self,
        row: usize,
        sha256: &[u8; 32],
        stored: Option<&str>,
        code: Option<&str>,
        bytes: Option<i64>,
    ) -> Result<Content, String> {
        match (stored, code) {
            (Some(KEPT), _) if self.content.is_valid(row) => {
                checked(self.content.value(row), sha256).map(Content::kept)
            }
            (Some("known"), _) => Ok(Content::Known),
            (Some("dropped"), Some(code)) => Ok(Content::Dropped {
                code: code.to_owned(),
                bytes: bytes.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            }),
            _ => Err(format!(
                "stored {stored:?} does not go with the other columns"
            )),
        }
    }
}

/// A column of a batch.
pub fn typed<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T, String> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| format!("column {name} is missing"))?;
    column
        .as_any()
        .downcast_ref()
        .ok_or_else(|| format!("column {name} is of type {}", column.data_type()))
}

/// A column that segments of earlier versions lack.
pub fn later<'a, T: 'static>(batch: &'a RecordBatch, name: &str) -> Result<Option<&'a T>, String> {
    match batch.column_by_name(name) {
        Some(_) => typed(batch, name).map(Some),
        None => Ok(None),
    }
}

/// A text of a column that may be lacking.
pub fn text_at(column: Option<&StringArray>, row: usize) -> Option<&str> {
    let column = column?;
    present(column, row, column.value(row))
}

/// A flag of a column that may be lacking.
pub fn is_set(column: Option<&BooleanArray>, row: usize) -> bool {
    column.is_some_and(|column| column.is_valid(row) && column.value(row))
}

/// A value that is not null.
pub fn present<T>(column: &dyn Array, row: usize, value: T) -> Option<T> {
    column.is_valid(row).then_some(value)
}

fn small(name: &str, number: Option<i64>) -> Result<Option<u32>, String> {
    number
        .map(|n| u32::try_from(n).map_err(|_| format!("{name} {n} is out of range")))
        .transpose()
}

fn unhex(text: &str) -> Result<[u8; 32], String> {
    let bad = || format!("sha256 {text:?} is not 64 hex digits");
    let mut hash = [0; 32];
    if text.len() != 64 {
        return Err(bad());
    }
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = high
            .zip(low)
            .and_then(|(high, low)| u8::try_from(high * 16 + low).ok())
            .ok_or_else(bad)?;
    }
    Ok(hash)
}

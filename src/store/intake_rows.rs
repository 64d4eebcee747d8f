//! Items and documents -> rows.

use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;

use super::batch::ItemRow;
use super::columns::{Columns, bigint};
use super::decide::DocumentRow;
use crate::model::hex::hex;

pub(super) fn items(items: &[ItemRow]) -> Result<RecordBatch, ArrowError> {
    let rows = || items.iter();
    let mut columns = Columns::default();
    columns.bigint("item_no", rows().map(|i| Some(bigint(i.item_no))));
    columns.owned_text("sha256", rows().map(|i| Some(hex(&i.sha256))));
    columns.text("kind", rows().map(|i| Some(i.kind.as_str())));
    columns.text("content", rows().map(|i| Some(i.content)));
    columns.bigint("bytes", rows().map(|i| Some(bigint(i.bytes))));
    columns.text("source", rows().map(|i| Some(i.provenance.source.as_str())));
    columns.text("inbox", rows().map(|i| i.provenance.inbox.as_deref()));
    columns.text("folder", rows().map(|i| i.provenance.folder.as_deref()));
    columns.bigint(
        "uidvalidity",
        rows().map(|i| i.provenance.uidvalidity.map(i64::from)),
    );
    columns.bigint("uid", rows().map(|i| i.provenance.uid.map(i64::from)));
    columns.text("message_id", rows().map(|i| i.header.message_id.as_deref()));
    columns.text("mail_from", rows().map(|i| i.header.mail_from.as_deref()));
    columns.text("subject", rows().map(|i| i.header.subject.as_deref()));
    columns.timestamp("mail_date_utc", rows().map(|i| i.header.date_utc_secs));
    columns.owned_text("file_name", rows().map(|i| i.provenance.file_name()));
    columns.timestamp("received_utc", rows().map(|i| Some(i.received_utc_secs)));
    columns.finish()
}

pub(super) fn documents(documents: &[DocumentRow]) -> Result<RecordBatch, ArrowError> {
    let rows = || documents.iter();
    let mut columns = Columns::default();
    columns.bigint("item_no", rows().map(|d| Some(bigint(d.item_no))));
    columns.text("path", rows().map(|d| Some(d.path.as_str())));
    columns.owned_text(
        "sha256",
        rows().map(|d| d.sha256.map(|sha256| hex(&sha256))),
    );
    columns.text("kind", rows().map(|d| d.kind));
    columns.text("outcome", rows().map(|d| Some(d.outcome.as_str())));
    columns.text("code", rows().map(|d| d.code.as_deref()));
    columns.text("detail", rows().map(|d| d.detail.as_deref()));
    columns.text("report", rows().map(|d| d.report.as_deref()));
    columns.finish()
}

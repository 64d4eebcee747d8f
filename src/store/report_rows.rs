//! Aggregate reports that count -> rows.

use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;

use super::columns::{Columns, bigint};
use super::decide::{Origin, Taken};
use crate::model::aggregate::AggregateHead;
use crate::model::hex::hex;

type Row = Taken<Box<AggregateHead>>;

pub(super) fn reports(reports: &[Row]) -> Result<RecordBatch, ArrowError> {
    let rows = || reports.iter();
    let mut columns = Columns::default();
    columns.text("id", rows().map(|r| Some(r.id.as_str())));
    columns.text("sha256", rows().map(|r| Some(r.sha256.as_str())));
    columns.text("org_name", rows().map(|r| Some(r.report.org_name.as_str())));
    columns.text(
        "org_domain",
        rows().map(|r| Some(r.report.org_domain.as_str())),
    );
    columns.text("org_email", rows().map(|r| r.report.org_email.as_deref()));
    columns.text(
        "extra_contact",
        rows().map(|r| r.report.extra_contact.as_deref()),
    );
    columns.text(
        "report_id",
        rows().map(|r| Some(r.report.report_id.as_str())),
    );
    columns.timestamp("begin_utc", rows().map(|r| Some(r.report.begin_utc_secs)));
    columns.timestamp("end_utc", rows().map(|r| Some(r.report.end_utc_secs)));
    columns.day("day", rows().map(|r| r.day));
    columns.text("domain", rows().map(|r| Some(r.report.domain.as_str())));
    policy(&mut columns, reports);
    columns.text(
        "discovery_method",
        rows().map(|r| r.report.discovery_method.as_deref()),
    );
    columns.text("generator", rows().map(|r| r.report.generator.as_deref()));
    columns.texts("errors", rows().map(|r| Some(r.report.errors.as_slice())));
    columns.text("schema", rows().map(|r| Some(r.report.schema)));
    columns.bigint(
        "record_count",
        rows().map(|r| Some(bigint(r.report.record_count))),
    );
    columns.bigint("messages", rows().map(|r| Some(bigint(r.report.messages))));
    columns.bigint("passed", rows().map(|r| Some(bigint(r.report.passed))));
    columns.owned_text(
        "records_sha256",
        rows().map(|r| Some(hex(&r.report.records_sha256))),
    );
    columns.bigint("text_bytes", rows().map(|r| Some(bigint(text_bytes(r)))));
    columns.bigints(
        "record_text_bytes",
        rows().map(|r| r.report.record_text_bytes.as_slice()),
    );
    columns.oddities("oddities", rows().map(|r| r.report.oddities.as_slice()));
    origin(&mut columns, rows().map(|r| &r.origin));
    columns.finish()
}

fn text_bytes(row: &Row) -> u64 {
    (row.report.text_bytes() + row.origin.text_bytes()) as u64
}

fn policy(columns: &mut Columns, reports: &[Row]) {
    let rows = || reports.iter();
    columns.text("adkim", rows().map(|r| r.report.adkim.as_deref()));
    columns.text("aspf", rows().map(|r| r.report.aspf.as_deref()));
    columns.text("p", rows().map(|r| r.report.p.as_deref()));
    columns.text("sp", rows().map(|r| r.report.sp.as_deref()));
    columns.text("np", rows().map(|r| r.report.np.as_deref()));
    columns.integer("pct", rows().map(|r| r.report.pct));
    columns.text("fo", rows().map(|r| r.report.fo.as_deref()));
    columns.boolean("testing", rows().map(|r| r.report.testing));
}

/// What the classification needs of a report.
pub(super) fn staged(reports: &[Row]) -> Result<RecordBatch, ArrowError> {
    let rows = || reports.iter();
    let mut columns = Columns::default();
    columns.bigint("load_key", rows().map(|r| Some(r.load_key)));
    columns.text("report", rows().map(|r| Some(r.id.as_str())));
    columns.day("day", rows().map(|r| r.day));
    columns.text("domain", rows().map(|r| Some(r.report.domain.as_str())));
    columns.timestamp("begin_utc", rows().map(|r| Some(r.report.begin_utc_secs)));
    columns.timestamp("end_utc", rows().map(|r| Some(r.report.end_utc_secs)));
    columns.text("p", rows().map(|r| r.report.p.as_deref()));
    columns.text("sp", rows().map(|r| r.report.sp.as_deref()));
    columns.integer("pct", rows().map(|r| r.report.pct));
    columns.boolean("testing", rows().map(|r| r.report.testing));
    columns.finish()
}

/// The columns that say where a report came from.
pub(super) fn origin<'a>(columns: &mut Columns, origins: impl Iterator<Item = &'a Origin> + Clone) {
    columns.bigint("item_no", origins.clone().map(|o| Some(bigint(o.item_no))));
    columns.text("inbox", origins.clone().map(|o| o.inbox.as_deref()));
    columns.text("folder", origins.clone().map(|o| o.folder.as_deref()));
    columns.text(
        "message_id",
        origins.clone().map(|o| o.message_id.as_deref()),
    );
    columns.text("mail_from", origins.clone().map(|o| o.mail_from.as_deref()));
    columns.text("file_name", origins.map(|o| o.file_name.as_deref()));
}

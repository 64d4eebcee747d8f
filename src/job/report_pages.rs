//! Which reports get a static page, and what is drawn of them.
//!
//! Nothing can change a report, so a page that the base has is taken over.

use anyhow::{Context as _, Result};

use super::draw::{Page, Pages};
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::publish::Staging;
use crate::query::{Params, Table, Value};
use crate::render::{Rows, report};

/// Records that are read and drawn at a time.
const BATCH_RECORDS: u64 = 2_500;

/// A report that has a static page.
struct Listed {
    id: String,
    day: Day,
    item_no: ItemNo,
    records_shown: u64,
}

/// Reports that are drawn together.
pub(super) struct ReportBatch {
    /// Of the queries that read them.
    params: Params,
}

impl Pages {
    /// Takes over what the base has of the newest reports, and says what remains to be drawn.
    pub(super) fn report_batches(
        &self,
        rows: Rows<'_>,
        staging: &mut Staging,
        drawn_to: Option<ItemNo>,
    ) -> Result<Vec<ReportBatch>> {
        let newest = Value::Int(i64::try_from(self.report_pages).unwrap_or(i64::MAX));
        let params = Params::from([("newest".to_owned(), newest)]);
        let listed = listed(&self.ask("report_page_days", &params, rows)?);
        let (kept, drawn): (Vec<_>, Vec<_>) = listed.into_iter().partition(|report| {
            drawn_to.is_some_and(|item_no| report.item_no <= item_no)
                && paths(&report.id)
                    .iter()
                    .all(|path| staging.is_in_base(path))
        });
        for path in kept.iter().flat_map(|report| paths(&report.id)) {
            staging
                .keep(&path)
                .with_context(|| format!("linking {path}"))?;
        }
        Ok(batches(&drawn))
    }

    /// Draws the reports of a batch.
    pub(super) fn draw_reports(&self, batch: &ReportBatch, rows: Rows<'_>) -> Result<Vec<Page>> {
        let reports = self.ask("newest_reports", &batch.params, rows)?;
        let records = self.ask("newest_report_records", &batch.params, rows)?;
        let mut pages = Vec::new();
        let mut emit = |path: &str, bytes: &[u8]| {
            pages.push((path.to_owned(), bytes.to_vec()));
            Ok(())
        };
        let (skin, catalogue) = (&self.skin, &self.catalogue);
        report::write_reports(skin, catalogue, &reports, &records, rows, &mut emit)?;
        Ok(pages)
    }
}

fn listed(table: &Table) -> Vec<Listed> {
    let rows = table.rows.iter().filter_map(|row| match row.as_slice() {
        [
            Value::Text(id),
            Value::Day(day),
            Value::Int(item_no),
            Value::Int(records_shown),
        ] => Some(Listed {
            id: id.clone(),
            day: *day,
            item_no: item_no.unsigned_abs(),
            records_shown: records_shown.unsigned_abs(),
        }),
        _ => None,
    });
    rows.collect()
}

/// Runs of reports with at most [`BATCH_RECORDS`] records, or one report; one without records counts too.
fn batches(reports: &[Listed]) -> Vec<ReportBatch> {
    let (mut batches, mut from, mut records) = (Vec::new(), 0, 0);
    for (at, report) in reports.iter().enumerate() {
        let more = report.records_shown.max(1);
        if at > from && records + more > BATCH_RECORDS {
            batches.extend(batch(&reports[from..at]));
            (from, records) = (at, 0);
        }
        records += more;
    }
    batches.extend(batch(&reports[from..]));
    batches
}

fn batch(reports: &[Listed]) -> Option<ReportBatch> {
    let since = reports.iter().map(|report| report.day).min()?;
    let ids = reports.iter().map(|report| Value::Text(report.id.clone()));
    let params = Params::from([
        ("ids".to_owned(), Value::List(ids.collect())),
        ("since".to_owned(), Value::Day(since)),
    ]);
    Some(ReportBatch { params })
}

fn paths(id: &str) -> [String; 2] {
    [
        format!("site/reports/{id}.html"),
        format!("site/api/reports/{id}.json"),
    ]
}

//! Which reports get a static page, and what is drawn of them.
//!
//! Nothing can change a report, so a page that the base has is taken over.

use anyhow::{Context as _, Result};

use super::draw::{Page, Pages};
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::publish::Staging;
use crate::query::{Bounds, Params, Query, Table, Value, run_within};
use crate::render::{Rows, report};
use crate::store::Connection;

/// Records that are read and drawn at a time.
const BATCH_RECORDS: u64 = 2_500;

/// Bytes of text that are read and drawn at a time, unless one report has more: a stranger's reports may be thousands
/// of times as wide as usual ones, and several pages' worth waits in memory.
const BATCH_TEXT_BYTES: u64 = 4 << 20;

/// A report that has a static page.
#[derive(Clone)]
struct Listed {
    id: String,
    day: Day,
    item_no: ItemNo,
    records_shown: u64,
    text_bytes: u64,
}

/// Reports that are drawn together.
pub(super) struct ReportBatch(Vec<Listed>);

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
    pub(super) fn draw_reports(
        &self,
        batch: &ReportBatch,
        connection: &Connection,
    ) -> Result<Vec<Page>> {
        let params = params(&batch.0);
        // A report is drawn whatever it holds: its size is bounded where it is read.
        let bounds = Bounds {
            bytes: usize::MAX,
            ..Bounds::default()
        };
        let mut rows =
            |query: &Query, params: &Params| run_within(connection, query, params, bounds);
        let rows: Rows<'_> = &mut rows;
        let reports = self.ask("newest_reports", &params, rows)?;
        let records = self.ask("newest_report_records", &params, rows)?;
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
            Value::Int(text_bytes),
        ] => Some(Listed {
            id: id.clone(),
            day: *day,
            item_no: item_no.unsigned_abs(),
            records_shown: records_shown.unsigned_abs(),
            text_bytes: text_bytes.unsigned_abs(),
        }),
        _ => None,
    });
    rows.collect()
}

/// Runs of reports with at most [`BATCH_RECORDS`] records and [`BATCH_TEXT_BYTES`], or one report; one without records
/// counts too.
fn batches(reports: &[Listed]) -> Vec<ReportBatch> {
    let (mut batches, mut from, mut records, mut text_bytes) = (Vec::new(), 0, 0, 0);
    for (at, report) in reports.iter().enumerate() {
        records += report.records_shown.max(1);
        text_bytes += report.text_bytes;
        if at > from && (records > BATCH_RECORDS || text_bytes > BATCH_TEXT_BYTES) {
            batches.push(ReportBatch(reports[from..at].to_vec()));
            from = at;
            (records, text_bytes) = (report.records_shown.max(1), report.text_bytes);
        }
    }
    if from < reports.len() {
        batches.push(ReportBatch(reports[from..].to_vec()));
    }
    batches
}

/// Of the queries that read them.
fn params(reports: &[Listed]) -> Params {
    let since = reports.iter().map(|report| report.day).min();
    let ids = reports.iter().map(|report| Value::Text(report.id.clone()));
    Params::from([
        ("ids".to_owned(), Value::List(ids.collect())),
        ("since".to_owned(), since.map_or(Value::Null, Value::Day)),
    ])
}

fn paths(id: &str) -> [String; 2] {
    [
        format!("site/reports/{id}.html"),
        format!("site/api/reports/{id}.json"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_holds_so_many_records_and_so_much_text_or_one_report() {
        let wide = BATCH_TEXT_BYTES + 1;
        for (reports, expect) in [
            (vec![], vec![]),
            (vec![(1, 0); 3], vec![3]),
            (vec![(0, 0); 2_501], vec![2_500, 1]),
            (vec![(1_000, 0); 5], vec![2, 2, 1]),
            (
                vec![(1, wide / 2), (1, wide / 2), (1, 1), (1, wide), (1, 0)],
                vec![2, 1, 1, 1],
            ),
        ] {
            let listed: Vec<Listed> = reports
                .iter()
                .map(|&(records_shown, text_bytes)| Listed {
                    id: String::new(),
                    day: Day::default(),
                    item_no: 1,
                    records_shown,
                    text_bytes,
                })
                .collect();
            let lengths: Vec<usize> = batches(&listed).iter().map(|batch| batch.0.len()).collect();
            assert_eq!(lengths, expect);
        }
    }
}

//! Which reports get a static page, and what is drawn of them.
//!
//! Nothing can change a report, so a page that the base has is taken over.

use anyhow::{Context as _, Result};

use super::draw::{Page, Pages};
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::publish::Staging;
use crate::query::{Params, Query, Table, TooManyBytes, Value, run_within};
use crate::render::{Rows, report};
use crate::store::Connection;

/// Records that are read and drawn at a time.
const BATCH_RECORDS: u64 = 2_500;

/// Bytes of an answer about reports that are drawn together. Several pages' worth waits in memory, and a stranger's
/// reports may be thousands of times as wide as usual ones: those are drawn by twos, or each alone.
const BATCH_BYTES: usize = 8 << 20;

/// A report that has a static page.
#[derive(Clone)]
struct Listed {
    id: String,
    day: Day,
    item_no: ItemNo,
    records_shown: u64,
}

/// Reports that are drawn together.
#[derive(Clone)]
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

    /// Draws the reports of a batch, and gives each set of pages to `done`; `false` when nobody takes them.
    pub(super) fn draw_reports(
        &self,
        batch: &ReportBatch,
        connection: &Connection,
        done: &mut dyn FnMut(Vec<Page>) -> bool,
    ) -> Result<bool> {
        let drawn = self.draw_batch(batch, connection);
        let is_too_large = |error: &anyhow::Error| error.is::<TooManyBytes>();
        if batch.0.len() > 1 && drawn.as_ref().is_err_and(is_too_large) {
            let (one, other) = batch.0.split_at(batch.0.len() / 2);
            let mut draw =
                |half: &[Listed]| self.draw_reports(&ReportBatch(half.to_vec()), connection, done);
            return Ok(draw(one)? && draw(other)?);
        }
        Ok(done(drawn?))
    }

    fn draw_batch(&self, batch: &ReportBatch, connection: &Connection) -> Result<Vec<Page>> {
        let max_bytes = if batch.0.len() > 1 {
            BATCH_BYTES
        } else {
            usize::MAX
        };
        let params = params(&batch.0);
        let mut rows =
            |query: &Query, params: &Params| run_within(connection, query, params, max_bytes);
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
            batches.push(ReportBatch(reports[from..at].to_vec()));
            (from, records) = (at, 0);
        }
        records += more;
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
    use crate::query::{Catalogue, empty_database};
    use crate::render::Skin;

    #[test]
    fn reports_that_are_too_large_together_are_drawn_each_alone() {
        let catalogue = Catalogue::load(None).unwrap();
        let connection = empty_database(&catalogue).unwrap();
        connection
            .execute_batch(
                "insert into reports by name select printf('%032x', range) as id, id as sha256, 'Reporter' as org_name,
                    'example.net' as org_domain, id as report_id, timestamp '2024-03-01' as begin_utc,
                    timestamp '2024-03-02' as end_utc, date '2024-03-01' as day, 'example.com' as domain,
                    [repeat('x', 20000000)] as errors, 'rfc7489' as schema, 1 as record_count, 1 as messages,
                    0 as passed, id as records_sha256, [] as oddities, range as item_no from range(5)",
            )
            .unwrap();
        let pages = Pages {
            catalogue,
            skin: Skin::new("").unwrap(),
            report_pages: 5,
        };
        let mut rows =
            |query: &Query, params: &Params| crate::query::run(&connection, query, params);
        let newest = Params::from([("newest".to_owned(), Value::Int(5))]);
        let listed = listed(&pages.ask("report_page_days", &newest, &mut rows).unwrap());
        let mut sets = Vec::new();
        let mut done = |pages: Vec<Page>| {
            sets.push(pages.len());
            true
        };
        let batch = ReportBatch(listed);
        assert!(pages.draw_reports(&batch, &connection, &mut done).unwrap());
        assert_eq!(sets, [2; 5]);
    }
}

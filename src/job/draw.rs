//! Draws the pages of a generation: those whose data changed, the others are taken over.
//!
//! A page of a report is a function of the report alone, a page of a domain one of the domain's reports and the day
//! for which things are judged, unless the user added a panel to it; the few other pages are always drawn.

use anyhow::{Context as _, Result};

use super::publish::Drawing;
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::publish::Staging;
use crate::query::{Catalogue, Params, Query, Table, Value, run};
use crate::render::{DomainDays, Rows, Site, Skin, report, write_assets, write_queries};

/// What pages are made of beside the data.
pub struct Pages {
    /// All queries.
    pub catalogue: Catalogue,
    /// Templates.
    pub skin: Skin,
    /// Newest reports that get a static page.
    pub report_pages: u64,
}

/// Names in `-- panel: page=…` of what is drawn for each domain.
const DOMAIN_PAGES: [&str; 4] = [
    "domain",
    "api/domain_summary",
    "api/domain_reports",
    "api/domain_sources",
];

/// Names in `-- panel: page=…` of what is drawn for each report.
const REPORT_PAGES: [&str; 2] = ["report", "api/report"];

/// A domain and the newest item that brought a report about it.
struct Changed {
    name: String,
    last_item: ItemNo,
}

impl Pages {
    /// Draws into `drawing.staging`.
    pub fn draw(&self, drawing: Drawing) -> Result<()> {
        let Drawing {
            connection,
            staging,
            as_of,
            drawn_to,
            drawn_as_of,
        } = drawing;
        let mut rows = |query: &Query, params: &Params| run(connection, query, params);
        let (domains, changed) = self.domains(&mut rows)?;
        let site = Site {
            skin: &self.skin,
            catalogue: &self.catalogue,
            as_of,
            domains: &domains,
        };
        let pages_to =
            drawn_to.filter(|_| drawn_as_of == Some(as_of) && !self.has_users(&DOMAIN_PAGES));
        for domain in &changed {
            let kept = pages_to.is_some_and(|item_no| domain.last_item <= item_no);
            let paths = domain_paths(&domain.name);
            if kept && paths.iter().all(|path| staging.is_in_base(path)) {
                for path in &paths {
                    staging
                        .keep(path)
                        .with_context(|| format!("linking {path}"))?;
                }
                continue;
            }
            let mut emit = |path: &str, bytes: &[u8]| write(staging, path, bytes);
            site.domain(&domain.name, &mut rows, &mut emit)?;
            site.api_domain(&domain.name, &mut rows, &mut emit)?;
        }
        let reports_to = drawn_to.filter(|_| !self.has_users(&REPORT_PAGES));
        self.reports(&mut rows, staging, reports_to)?;
        let mut emit = |path: &str, bytes: &[u8]| write(staging, path, bytes);
        site.overview(&mut rows, &mut emit)?;
        site.sources(&mut rows, &mut emit)?;
        site.intake(&mut rows, &mut emit)?;
        site.api_domains(&mut rows, &mut emit)?;
        site.api_homepage(&mut rows, &mut emit)?;
        write_queries(&self.catalogue, &mut emit)?;
        write_assets(&self.skin, &mut emit)
    }

    /// Whether a query of the user's own is on one of the pages. It may look at any table, so what is new to the page
    /// cannot be told from the page's reports.
    fn has_users(&self, pages: &[&str]) -> bool {
        let mut panels = pages.iter().flat_map(|page| self.catalogue.panels(page));
        panels.any(|query| query.is_users)
    }

    fn domains(&self, rows: Rows<'_>) -> Result<(Vec<DomainDays>, Vec<Changed>)> {
        let table = self.ask("domain_days", &Params::new(), rows)?;
        let (mut days, mut changed) = (Vec::new(), Vec::new());
        for row in &table.rows {
            if let [
                Value::Text(name),
                Value::Day(last_day),
                Value::Int(last_item),
            ] = row.as_slice()
            {
                days.push(DomainDays {
                    name: name.clone(),
                    last_day: *last_day,
                });
                changed.push(Changed {
                    name: name.clone(),
                    last_item: last_item.unsigned_abs(),
                });
            }
        }
        Ok((days, changed))
    }

    /// The newest reports: a page that the base has is taken over, since nothing can change a report.
    fn reports(
        &self,
        rows: Rows<'_>,
        staging: &mut Staging,
        drawn_to: Option<ItemNo>,
    ) -> Result<()> {
        let newest = Value::Int(i64::try_from(self.report_pages).unwrap_or(i64::MAX));
        let mut params = Params::from([("newest".to_owned(), newest)]);
        let listed = listed_reports(&self.ask("report_page_days", &params, rows)?);
        let is_kept = |report: &ListedReport, staging: &Staging| {
            drawn_to.is_some_and(|item_no| report.item_no <= item_no)
                && report_paths(&report.id)
                    .iter()
                    .all(|path| staging.is_in_base(path))
        };
        let (kept, drawn): (Vec<_>, Vec<_>) = listed
            .into_iter()
            .partition(|report| is_kept(report, staging));
        for path in kept.iter().flat_map(|report| report_paths(&report.id)) {
            staging
                .keep(&path)
                .with_context(|| format!("linking {path}"))?;
        }
        let Some((since, after)) = bounds(&drawn) else {
            return Ok(());
        };
        params.insert("after".to_owned(), after);
        params.insert("since".to_owned(), since);
        for batch in batches(&drawn) {
            let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
                continue;
            };
            params.insert("first".to_owned(), Value::Text(first.id.clone()));
            params.insert("last".to_owned(), Value::Text(last.id.clone()));
            let mut reports = self.ask("newest_reports", &params, rows)?;
            let records = self.ask("newest_report_records", &params, rows)?;
            // Between two that are drawn there may be one that was taken over.
            reports.rows.retain(|row| {
                matches!(row.first(), Some(Value::Text(id)) if batch.binary_search_by(|report| report.id.cmp(id)).is_ok())
            });
            let mut emit = |path: &str, bytes: &[u8]| write(staging, path, bytes);
            report::write_reports(
                &self.skin,
                &self.catalogue,
                &reports,
                &records,
                rows,
                &mut emit,
            )?;
        }
        Ok(())
    }

    fn ask(&self, name: &str, params: &Params, rows: Rows<'_>) -> Result<Table> {
        let query = self
            .catalogue
            .queries
            .get(name)
            .with_context(|| format!("there is no query {name}"))?;
        rows(query, params)
    }
}

fn write(staging: &mut Staging, path: &str, bytes: &[u8]) -> Result<()> {
    staging
        .write(path, bytes)
        .with_context(|| format!("writing {path}"))
}

fn domain_paths(name: &str) -> [String; 4] {
    [
        format!("site/domains/{name}.html"),
        format!("site/api/domains/{name}/summary.json"),
        format!("site/api/domains/{name}/reports.json"),
        format!("site/api/domains/{name}/sources.json"),
    ]
}

fn report_paths(id: &str) -> [String; 2] {
    [
        format!("site/reports/{id}.html"),
        format!("site/api/reports/{id}.json"),
    ]
}

/// A report that has a static page.
struct ListedReport {
    id: String,
    day: Day,
    item_no: ItemNo,
    records_shown: u64,
}

fn listed_reports(table: &Table) -> Vec<ListedReport> {
    let rows = table.rows.iter().filter_map(|row| match row.as_slice() {
        [
            Value::Text(id),
            Value::Day(day),
            Value::Int(item_no),
            Value::Int(records_shown),
        ] => Some(ListedReport {
            id: id.clone(),
            day: *day,
            item_no: item_no.unsigned_abs(),
            records_shown: records_shown.unsigned_abs(),
        }),
        _ => None,
    });
    rows.collect()
}

/// What narrows the search for these reports: their first day, and the last item before all of them.
fn bounds(reports: &[ListedReport]) -> Option<(Value, Value)> {
    let since = reports.iter().map(|report| report.day).min()?;
    let first = reports.iter().map(|report| report.item_no).min()?;
    let after = i64::try_from(first.saturating_sub(1)).unwrap_or(i64::MAX);
    Some((Value::Day(since), Value::Int(after)))
}

/// Records that are in memory at a time.
const BATCH_RECORDS: u64 = 20_000;

/// Runs of reports with at most [`BATCH_RECORDS`] records, or one report.
fn batches(reports: &[ListedReport]) -> Vec<&[ListedReport]> {
    let (mut batches, mut from, mut records) = (Vec::new(), 0, 0);
    for (at, report) in reports.iter().enumerate() {
        if at > from && records + report.records_shown > BATCH_RECORDS {
            batches.push(&reports[from..at]);
            (from, records) = (at, 0);
        }
        records += report.records_shown;
    }
    batches.push(&reports[from..]);
    batches
}

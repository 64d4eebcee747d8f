//! Pages and JSON of single reports, from rows of `reports` and `records`.
//!
//! A thousand of them are made on a first publish, so the body is written directly, and the rows of many reports come
//! in two sorted tables. The server makes the page of an older report with the same functions.

use anyhow::Context as _;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::cell::is_report_id;
use super::json::{JsonValue, to_bytes};
pub use super::report_page::page;
use super::skin::Skin;
use super::{Emit, Rows};
use crate::query::{Catalogue, Panel, Params, Query, Table, Value};

/// Records on a page and in its JSON; the database has all of them.
pub const RECORDS_SHOWN: usize = 1000;

/// One row by column name.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Column names of the table.
    pub columns: &'a [String],
    /// Values, as many as columns.
    pub values: &'a [Value],
}

impl<'a> Row<'a> {
    /// The report's own name: column `id`, or `report` as the panels call it.
    fn id(&self) -> &'a str {
        match self.text("id") {
            "" => self.text("report"),
            id => id,
        }
    }

    pub(super) fn get(&self, name: &str) -> &'a Value {
        let at = self.columns.iter().position(|column| column == name);
        at.and_then(|at| self.values.get(at))
            .unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, name: &str) -> &'a str {
        if let Value::Text(text) = self.get(name) {
            text
        } else {
            ""
        }
    }

    pub(super) fn int(&self, name: &str) -> i64 {
        if let Value::Int(number) = self.get(name) {
            *number
        } else {
            0
        }
    }
}

/// A panel of the user's own about one report, with its answer.
pub type UsersPanel<'a> = (&'a Query, &'a Panel, Table);

/// One report with its records (all, or at least the first [`RECORDS_SHOWN`]), in the order of the report.
#[derive(Clone, Copy)]
pub struct ReportView<'a> {
    /// Its row of `reports`.
    pub head: Row<'a>,
    /// Column names of `records`.
    pub record_columns: &'a [String],
    /// Its rows of `records`.
    pub records: &'a [Vec<Value>],
    /// Answers of the user's own panels, see [`panels`].
    pub panels: &'a [UsersPanel<'a>],
}

/// Panels of the catalogue that the page shows in its own form; every other panel with `page=report` follows below.
const OWN_FORM: [&str; 4] = [
    "report_head",
    "report_records",
    "report_oddities",
    "report_copies",
];

/// The answers of the user's own panels about report `id`. Only `$report` is given: a page that is written once must
/// not depend on the day.
pub fn panels<'a>(
    catalogue: &'a Catalogue,
    id: &str,
    rows: Rows<'_>,
) -> anyhow::Result<Vec<UsersPanel<'a>>> {
    let params = Params::from([("report".to_owned(), Value::Text(id.to_owned()))]);
    let panels = catalogue.panels("report").into_iter();
    let users = panels.filter(|(query, _)| !OWN_FORM.contains(&query.name.as_str()));
    let answers = users.map(|(query, panel)| {
        let table =
            rows(query, &params).with_context(|| format!("running query {}", query.name))?;
        Ok((query, panel, table))
    });
    answers.collect()
}

/// Writes `site/reports/ID.html` and `site/api/reports/ID.json` for each row of `reports`, which is sorted by `id`;
/// `records` is sorted by `report` and `record_no`. `rows` answers the user's own panels only. Returns how many reports
/// were written.
pub fn write_reports(
    skin: &Skin,
    catalogue: &Catalogue,
    reports: &Table,
    records: &Table,
    rows: Rows<'_>,
    emit: Emit<'_>,
) -> anyhow::Result<usize> {
    let key = records.columns.iter().position(|column| column == "report");
    let mut rest = records.rows.as_slice();
    for values in &reports.rows {
        let head = Row {
            columns: &reports.columns,
            values,
        };
        let id = head.id();
        anyhow::ensure!(is_report_id(id), "a row of reports has no usable id");
        rest = &rest[rest.partition_point(|row| text_at(row, key) < id)..];
        let count = rest.partition_point(|row| text_at(row, key) <= id);
        let panels = panels(catalogue, id, rows)?;
        let view = ReportView {
            head,
            record_columns: &records.columns,
            records: &rest[..count],
            panels: &panels,
        };
        emit(
            &format!("site/reports/{id}.html"),
            &page(skin, catalogue, view)?,
        )?;
        emit(&format!("site/api/reports/{id}.json"), &json(view)?)?;
        rest = &rest[count..];
    }
    Ok(reports.rows.len())
}

/// The text in a column of a row; empty where there is none.
fn text_at(row: &[Value], column: Option<usize>) -> &str {
    match column.and_then(|at| row.get(at)) {
        Some(Value::Text(text)) => text,
        _ => "",
    }
}

/// The JSON of one report: its columns, then `records`; the order and number of the columns in `view` do not matter.
pub fn json(view: ReportView<'_>) -> anyhow::Result<Vec<u8>> {
    to_bytes(&JsonReport(view))
}

struct JsonReport<'a>(ReportView<'a>);

/// Columns of `reports` in the JSON of a report after `id`, in this order.
const HEAD_COLUMNS: [&str; 27] = [
    "sha256",
    "domain",
    "org_name",
    "org_domain",
    "org_email",
    "extra_contact",
    "report_id",
    "begin_utc",
    "end_utc",
    "day",
    "p",
    "sp",
    "np",
    "adkim",
    "aspf",
    "pct",
    "fo",
    "testing",
    "discovery_method",
    "generator",
    "schema",
    "errors",
    "oddities",
    "record_count",
    "messages",
    "passed",
    "file_name",
];

/// Columns of `records` in the JSON of a report, in this order.
const RECORD_COLUMNS: [&str; 17] = [
    "record_no",
    "source_ip",
    "sender",
    "carrier",
    "messages",
    "category",
    "fail_cause",
    "disposition",
    "dkim_aligned",
    "spf_aligned",
    "dmarc_pass",
    "header_from",
    "envelope_from",
    "envelope_to",
    "reasons",
    "dkim",
    "spf",
];

impl Serialize for JsonReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", view.head.id())?;
        for name in HEAD_COLUMNS {
            map.serialize_entry(name, &JsonValue(view.head.get(name)))?;
        }
        let columns = view.record_columns;
        let records = view.records.iter().take(RECORDS_SHOWN);
        let rows = records.map(|values| JsonRecord(Row { columns, values }));
        map.serialize_entry("records", &rows.collect::<Vec<_>>())?;
        map.end()
    }
}

struct JsonRecord<'a>(Row<'a>);

impl Serialize for JsonRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            RECORD_COLUMNS
                .iter()
                .map(|name| (name, JsonValue(self.0.get(name)))),
        )
    }
}

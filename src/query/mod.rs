//! `queries/**/*.sql` -> a checked catalogue; runs it read-only; typed rows.
//!
//! Embedded files are overridden by files of the same name under the user's `config/queries/`, new ones are added.
//! The room opens databases read-only, never the working one, and writes nothing.

mod around;
mod catalogue;
mod check;
mod check_rule;
mod embedded;
mod header;
mod lake;
mod limit;
mod lint;
mod reader;
mod rule;
mod run;
mod statement;
mod stream;
mod value;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use around::{AroundError, run_around};
pub use catalogue::{create_tables, empty_database};
pub use embedded::EMBEDDED;
pub use lake::LakeReport;
pub use limit::within;
pub use reader::{ReaderLimits, open_read_only};
pub use rule::{LookBack, RuleHeader, placeholders};
pub use run::{Bounds, each_batch, each_row, list_text, reads_as, run, run_within};
pub use statement::{Kind, one_statement};
pub use stream::{RowSink, StreamError, stream, stream_parquet};

use crate::model::day::Day;

/// One SQL file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// File name without folder and `.sql`.
    pub name: String,
    /// `schema`, `panels`, `alerts` or `examples`.
    pub folder: String,
    /// The sentences of the header, its grain ("One row per (…).") included.
    pub description: String,
    /// Columns that name one row; empty when there is one row at most ("One row.").
    pub grain: Vec<String>,
    /// Declared parameters in order: name without `$`, SQL type.
    pub params: Vec<(String, String)>,
    /// Where and how pages show it, one for each `-- panel:` line.
    pub panels: Vec<Panel>,
    /// What makes it a rule; `None` outside of `alerts`.
    pub rule: Option<RuleHeader>,
    /// Values of parameters that nobody has to give: name and text.
    pub defaults: Vec<(String, String)>,
    /// What a rule says is to be done, in sentences.
    pub advice: Vec<String>,
    /// The whole file.
    pub text: String,
    /// Where the file lies; for those of the program below its sources.
    pub path: String,
    /// Whether it comes from the user's folder.
    pub is_users: bool,
}

/// The `-- panel:` line of a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Panel {
    /// One of [`PAGES`], or `api/…` for the JSON routes.
    pub page: String,
    /// Heading.
    pub title: String,
    /// What stands below the heading instead of the query's description.
    pub about: Option<String>,
    /// How it is drawn.
    pub chart: Chart,
    /// Column of the horizontal axis or of the names.
    pub x: Option<String>,
    /// Columns drawn.
    pub y: Vec<String>,
    /// Columns of the answer that are shown, in this order; empty for all.
    pub columns: Vec<String>,
    /// Rows of the answer that are shown, from the first; `None` for all.
    pub rows: Option<usize>,
    /// Name on the page: that of the query, for its further panels with `-` and their number, which no query is called.
    pub id: String,
    /// Position on the page, low first; ties by name and line.
    pub order: i64,
}

/// Pages and JSON routes that panels can name, each with the parameters it gives to its queries. Every page gives
/// `as_of DATE`, the day for which things are judged: windows end before it.
///
/// A query on the page of a domain takes `$domain` and is asked for each of them, or it takes `$domains`, is asked once
/// for many, and says in its column `domain` which one a row is about. On the page of an alert it takes `$alerts`, and its
/// column `alert` says which one.
pub const PAGES: [(&str, &[&str]); 14] = [
    ("overview", &["as_of"]),
    ("domain", &["as_of", "domain", "domains"]),
    ("senders", &["as_of"]),
    ("sources", &["as_of"]),
    ("intake", &["as_of"]),
    ("report", &["as_of", "report"]),
    ("tls", &["as_of"]),
    ("alert", &["alerts", "as_of"]),
    ("api/homepage", &["as_of"]),
    ("api/domains", &["as_of"]),
    ("api/domain_summary", &["as_of", "domain", "domains"]),
    ("api/domain_reports", &["as_of", "domain", "domains"]),
    ("api/domain_sources", &["as_of", "domain", "domains"]),
    ("api/report", &["as_of", "report"]),
];

/// Kinds of drawing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Chart {
    /// Stacked columns over days.
    Stacked,
    /// Lines over days.
    Line,
    /// Horizontal bars, one a row.
    Bars,
    /// One row of figures: each column a tile.
    Figures,
    /// A sentence with a mark and its reasons, one a row.
    Verdict,
    /// Just the table.
    #[default]
    Table,
}

/// A value of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BOOLEAN.
    Bool(bool),
    /// Any integer that fits; larger ones are `Text`.
    Int(i64),
    /// DOUBLE or DECIMAL, for percentages at the last step only.
    Double(f64),
    /// VARCHAR, and every type without a variant of its own, as DuckDB's Arrow text.
    Text(String),
    /// DATE.
    Day(Day),
    /// TIMESTAMP, always UTC, in seconds since 1970.
    Timestamp(i64),
    /// LIST.
    List(Vec<Value>),
    /// STRUCT, fields in order.
    Struct(Vec<(Arc<str>, Value)>),
}

/// Rows of one query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Column names in order.
    pub columns: Vec<String>,
    /// Rows; each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
}

/// Named parameters.
pub type Params = BTreeMap<String, Value>;

/// All SQL files, the user's over the embedded ones.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// What can be run by name: `panels`, `alerts` and `examples`.
    pub queries: BTreeMap<String, Query>,
    /// `schema`: one `create table` or `create view` each, by name.
    pub tables: BTreeMap<String, Query>,
}

/// A problem in a file of the user, with its path and line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// One sentence.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// DuckDB's own words; its error repeats them with an empty code below.
fn said(error: duckdb::Error) -> anyhow::Error {
    anyhow::anyhow!(error.to_string())
}

impl Query {
    /// SQL that is in no file, with the parameters that are given to it. The text is not checked.
    pub fn ad_hoc(text: &str, params: Vec<(String, String)>) -> Self {
        Self {
            name: "ad_hoc".to_owned(),
            params,
            text: text.to_owned(),
            is_users: true,
            ..Self::default()
        }
    }
}

impl Panel {
    /// The part of an answer that the panel shows; a column that the answer does not have is left out.
    pub fn shown<'a>(&self, answer: &'a Table) -> Cow<'a, Table> {
        if self.columns.is_empty() && self.rows.is_none_or(|rows| answer.rows.len() <= rows) {
            return Cow::Borrowed(answer);
        }
        let place = |name: &String| answer.columns.iter().position(|column| column == name);
        let places: Vec<usize> = if self.columns.is_empty() {
            (0..answer.columns.len()).collect()
        } else {
            self.columns.iter().filter_map(place).collect()
        };
        let shown = |row: &Vec<Value>| places.iter().map(|&at| row[at].clone()).collect();
        let rows = answer.rows.iter().take(self.rows.unwrap_or(usize::MAX));
        Cow::Owned(Table {
            columns: (places.iter())
                .map(|&at| answer.columns[at].clone())
                .collect(),
            rows: rows.map(shown).collect(),
        })
    }
}

impl Table {
    /// The cell of a row by column name; `Null` where there is no such column or row.
    pub fn get(&self, row: usize, column: &str) -> &Value {
        let index = self.columns.iter().position(|name| name == column);
        index
            .and_then(|i| self.rows.get(row)?.get(i))
            .unwrap_or(&Value::Null)
    }
}

//! `queries/**/*.sql` -> a checked catalogue; runs it read-only; typed rows.
//!
//! Embedded files are overridden by files of the same name under the user's `config/queries/`, new ones are added.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::day::Day;

/// One SQL file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// File name without folder and `.sql`.
    pub name: String,
    /// `schema`, `models`, `panels`, `alerts`.
    pub folder: String,
    /// The sentence of the header.
    pub description: String,
    /// Declared parameters in order: name without `$`, SQL type.
    pub params: Vec<(String, String)>,
    /// Where and how a page shows it.
    pub panel: Option<Panel>,
    /// The whole file.
    pub text: String,
    /// Whether it comes from the user's folder.
    pub is_users: bool,
}

/// The `-- panel:` line of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// `overview`, `domain`, `sources`, `intake`, …
    pub page: String,
    /// Heading.
    pub title: String,
    /// How it is drawn.
    pub chart: Chart,
    /// Column of the horizontal axis or of the names.
    pub x: Option<String>,
    /// Columns drawn.
    pub y: Vec<String>,
    /// Position on the page, low first; ties by name.
    pub order: i64,
}

/// Kinds of drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    /// Stacked columns over days.
    Stacked,
    /// Lines over days.
    Line,
    /// Horizontal bars, one a row.
    Bars,
    /// One row of figures: each column a tile.
    Figures,
    /// Just the table.
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
    /// VARCHAR.
    Text(String),
    /// DATE.
    Day(Day),
    /// TIMESTAMP, always UTC, in seconds since 1970.
    Timestamp(i64),
    /// LIST.
    List(Vec<Value>),
    /// STRUCT, fields in order.
    Struct(Vec<(String, Value)>),
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
pub struct Catalogue {
    /// By name.
    pub queries: BTreeMap<String, Query>,
}

/// A problem in a file of the user, with its path and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Path of the file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// One sentence.
    pub message: String,
}

impl Catalogue {
    /// Embedded files and those of `users_folder` (which may be absent); all problems at once.
    pub fn load(_users_folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        todo!()
    }

    /// The panels of a page in order.
    pub fn panels(&self, _page: &str) -> Vec<&Query> {
        todo!()
    }
}

/// Runs one query of the catalogue; parameters that it does not declare are left out, missing ones are an error.
pub fn run(_connection: &duckdb::Connection, _query: &Query, _params: &Params) -> anyhow::Result<Table> {
    todo!()
}

//! `sentinel query`: one reading statement, or a query of the catalogue by name, over the published database.
//!
//! Reads `public/current/sentinel.duckdb` and nothing else: never the working file, so it neither waits for a run nor
//! blocks one. An interrupt at any moment leaves nothing behind.

mod rows;
mod table;

use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::model::day::Day;
use crate::publish::Publisher;
use crate::query::{
    Catalogue, Kind, Params, Query, ReaderLimits, RowSink, StreamError, Value, one_statement,
    open_read_only, stream, stream_parquet,
};

use rows::{Csv, Json};
use table::{AlignedTable, Plan};

/// Arguments of `sentinel query`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel query 'select domain, sum(messages) as messages from daily group by domain order by domain'
  sentinel query --list
  sentinel query domain_sources --param domain=example.com
  sentinel query 'from records' --format parquet > records.parquet")]
pub struct QueryArgs {
    /// One SQL statement that reads, or the name of a query of the catalogue
    #[arg(value_name = "SQL|NAME", required_unless_present = "list")]
    pub query: Option<String>,
    /// Value of a parameter `$key`; may be repeated
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub params: Vec<(String, String)>,
    /// List the queries of the catalogue
    #[arg(long, conflicts_with = "query")]
    pub list: bool,
    /// How to print; by default a table on a terminal and CSV into a pipe
    #[arg(long, value_enum)]
    pub format: Option<QueryFormat>,
}

/// Output formats of `sentinel query`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueryFormat {
    /// Aligned columns, for eyes
    Table,
    /// RFC 4180; text that a spreadsheet would take for a formula gets a leading '
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object a line
    Ndjson,
    /// Parquet, zstd
    Parquet,
}

/// Where the data and the user's queries are.
#[derive(Debug, Clone, Copy)]
pub struct QueryContext<'a> {
    /// `app.data_dir`.
    pub data_dir: &'a Path,
    /// `config/queries`, if there is one.
    pub users_queries: Option<&'a Path>,
    /// `--as-of`; without it `$as_of` is that of the published generation.
    pub as_of: Option<Day>,
}

/// Runs the command on standard output. Exit code 2: the statement, a name or a parameter is wrong; 3: it failed.
pub fn run(args: &QueryArgs, context: QueryContext<'_>) -> anyhow::Result<ExitCode> {
    let is_terminal = io::stdout().is_terminal();
    let usual = if is_terminal {
        QueryFormat::Table
    } else {
        QueryFormat::Csv
    };
    let format = args.format.unwrap_or(usual);
    if format == QueryFormat::Parquet && is_terminal {
        eprintln!(
            "sentinel query: Parquet is not for a terminal; write it to a file: `… > result.parquet`"
        );
        return Ok(ExitCode::from(2));
    }
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout());
    let answered = answer(args, context, format, &mut out);
    // What came before an error is shown as well.
    match answered.and_then(|()| out.flush().map_err(StreamError::Write)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(StreamError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => {
            // Nobody reads any more: not a failure, and nothing is left to be flushed.
            std::mem::forget(out);
            Ok(ExitCode::SUCCESS)
        }
        Err(StreamError::Question(error)) => {
            eprintln!("sentinel query: {error:#}");
            Ok(ExitCode::from(2))
        }
        Err(error) => Err(error.into()),
    }
}

/// Writes the answer to `out`.
pub fn answer(
    args: &QueryArgs,
    context: QueryContext<'_>,
    format: QueryFormat,
    out: &mut (dyn Write + Send),
) -> Result<(), StreamError> {
    let catalogue = Catalogue::load(context.users_queries).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        StreamError::Question(anyhow::anyhow!(lines.join("\n")))
    })?;
    let Some(text) = args.query.as_deref().filter(|_| !args.list) else {
        return list(&catalogue, format, out);
    };
    let (question, kind) = question(text, args, &catalogue).map_err(StreamError::Question)?;
    let database = published(context.data_dir)?;
    let connection = open_read_only(&database, ReaderLimits::default())?;
    let mut params: Params = (args.params.iter())
        .map(|(name, value)| (name.clone(), Value::Text(value.clone())))
        .collect();
    if question.params.iter().any(|(name, _)| name == "as_of") && !params.contains_key("as_of") {
        let day = match context.as_of {
            Some(day) => Value::Day(day),
            None => {
                let about = "select max(value) as as_of from about where key = 'as_of'";
                let about = Query::ad_hoc(about, Vec::new());
                let named = crate::query::run(&connection, &about, &Params::new())?;
                match named.get(0, "as_of") {
                    Value::Null => published_as_of(context.data_dir)?,
                    day => day.clone(),
                }
            }
        };
        if day != Value::Null {
            params.insert("as_of".to_owned(), day);
        }
    }
    match row_sink(format, kind, out) {
        Ok(mut sink) => stream(&connection, &question, &params, sink.as_mut()),
        Err(out) => stream_parquet(&connection, &question, &params, out),
    }
}

/// The printer of rows, or `out` again where the format is not made of rows.
fn row_sink<'o>(
    format: QueryFormat,
    kind: Kind,
    out: &'o mut (dyn Write + Send),
) -> Result<Box<dyn RowSink + 'o>, &'o mut (dyn Write + Send)> {
    Ok(match (format, kind) {
        (QueryFormat::Parquet, _) => return Err(out),
        (QueryFormat::Table, Kind::Explain) => Box::new(Plan { out }),
        (QueryFormat::Table, Kind::Select) => Box::new(AlignedTable::new(out)),
        (QueryFormat::Json, _) => Box::new(Json::array(out)),
        (QueryFormat::Ndjson, _) => Box::new(Json::lines(out)),
        (QueryFormat::Csv, _) => Box::new(Csv { out }),
    })
}

/// What was asked: a query of the catalogue, or the SQL as a query of its own.
fn question(text: &str, args: &QueryArgs, catalogue: &Catalogue) -> anyhow::Result<(Query, Kind)> {
    let word = text.trim();
    if let Some(query) = catalogue.queries.get(word) {
        let unknown: Vec<&str> = (args.params.iter().map(|(name, _)| name.as_str()))
            .filter(|name| !query.params.iter().any(|(declared, _)| declared == name))
            .collect();
        if !unknown.is_empty() {
            bail!("the query {word} has no parameter ${}", unknown.join(", $"));
        }
        return Ok((query.clone(), Kind::Select));
    }
    if !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        bail!("there is no query called `{word}`; `sentinel query --list` names them");
    }
    let kind = one_statement(text)?;
    let params = args
        .params
        .iter()
        .map(|(name, value)| (name.clone(), guessed(value).1.to_owned()))
        .collect();
    Ok((Query::ad_hoc(text, params), kind))
}

/// A parameter of the command line by its form: a day, a whole number, true or false, or else text.
fn guessed(text: &str) -> (Value, &'static str) {
    if let Ok(day) = text.parse::<Day>() {
        (Value::Day(day), "DATE")
    } else if let Ok(number) = text.parse::<i64>() {
        (Value::Int(number), "BIGINT")
    } else if let Ok(is) = text.parse::<bool>() {
        (Value::Bool(is), "BOOLEAN")
    } else {
        (Value::Text(text.to_owned()), "VARCHAR")
    }
}

/// The published database; resolved, so that the answer comes from one generation.
fn published(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let path = data_dir.join("public/current/sentinel.duckdb");
    match std::fs::canonicalize(&path) {
        Ok(path) => Ok(path),
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "there is no data yet in {}; read report files with `sentinel ingest PATH`, or try `sentinel demo`",
            data_dir.display()
        ),
        Err(error) => Err(error).with_context(|| format!("opening {}", path.display())),
    }
}

/// The day for which the published generation is judged; NULL where there is none.
fn published_as_of(data_dir: &Path) -> anyhow::Result<Value> {
    let current = Publisher::open(&data_dir.join("public")).current();
    let current = current.context("reading the published generation")?;
    Ok(current.map_or(Value::Null, |generation| {
        Value::Day(generation.manifest.values.as_of)
    }))
}

fn list(
    catalogue: &Catalogue,
    format: QueryFormat,
    out: &mut (dyn Write + Send),
) -> Result<(), StreamError> {
    let Ok(mut sink) = row_sink(format, Kind::Select, out) else {
        return Err(StreamError::Question(anyhow::anyhow!(
            "--list is not given as Parquet"
        )));
    };
    let written = (|| {
        sink.begin(&["name", "folder", "page", "params", "description"].map(str::to_owned))?;
        for query in catalogue.queries.values() {
            let params: Vec<String> = query
                .params
                .iter()
                .map(|(name, kind)| format!("${name} {kind}"))
                .collect();
            let page = query.panel.as_ref().map_or("", |panel| &panel.page);
            let cells = [
                &query.name,
                &query.folder,
                page,
                &params.join(", "),
                &query.description,
            ];
            sink.row(&cells.map(|text| Value::Text(text.to_owned())))?;
        }
        sink.end()
    })();
    written.map_err(StreamError::Write)
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("has to be KEY=VALUE")?;
    Ok((key.trim_start_matches('$').to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests;

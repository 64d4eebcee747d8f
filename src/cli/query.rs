//! `sentinel query`: one reading statement, or a query of the catalogue by name, over the published database.
//!
//! Reads the published generation and nothing else: never the working file, so it neither waits for a run nor
//! blocks one. An interrupt at any moment leaves nothing behind.

mod rows;
mod table;

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::config::{Config, nearest};
use crate::model::day::Day;
use crate::publish::{Generation, Publisher};
use crate::query::{
    Catalogue, Kind, Params, Query, ReaderLimits, RowSink, StreamError, Value, one_statement,
    open_read_only, stream, stream_parquet,
};

use super::context::{Global, UsageError, catalogue};
use rows::{Csv, Json};
use table::{AlignedTable, Plan};

/// Arguments of `sentinel query`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel query 'select domain, sum(messages) as messages from daily group by domain order by domain'
  sentinel query --list
  sentinel query domain_sources --param domains=example.com,example.org
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

/// Runs the command on standard output. Without `--as-of`, `$as_of` is that of the published generation.
pub fn run(args: &QueryArgs, global: &Global, config: &Config) -> anyhow::Result<ExitCode> {
    let is_terminal = io::stdout().is_terminal();
    let usual = if is_terminal {
        QueryFormat::Table
    } else {
        QueryFormat::Csv
    };
    let format = args.format.unwrap_or(usual);
    if format == QueryFormat::Parquet && is_terminal {
        bail!(UsageError(
            "Parquet is not for a terminal; write it to a file: `… > result.parquet`".to_owned()
        ));
    }
    let catalogue = catalogue(config)?;
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout());
    let answered = answer(
        args,
        &catalogue,
        &config.app.data_dir,
        global.as_of,
        format,
        &mut out,
    );
    // What came before an error is shown as well.
    match answered.and_then(|()| out.flush().map_err(StreamError::Write)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(StreamError::Question(error)) => Err(UsageError(format!("{error:#}")).into()),
        Err(StreamError::Answer(error)) => Err(error),
        Err(StreamError::Write(error)) => {
            // What could not be written is not tried again.
            drop(out.into_parts());
            Err(anyhow::Error::from(error).context("writing the result"))
        }
    }
}

/// Writes the answer to `out`.
fn answer(
    args: &QueryArgs,
    catalogue: &Catalogue,
    data_dir: &Path,
    as_of: Option<Day>,
    format: QueryFormat,
    out: &mut (dyn Write + Send),
) -> Result<(), StreamError> {
    let Some(text) = args.query.as_deref().filter(|_| !args.list) else {
        return list(catalogue, format, out);
    };
    let (question, kind) = question(text, args, catalogue).map_err(StreamError::Question)?;
    let generation = published(data_dir)?;
    let database = generation
        .database()
        .context("the published generation has no database")?;
    let connection = open_read_only(&database, ReaderLimits::default())?;
    let given = args
        .params
        .iter()
        .map(|(name, value)| (name.clone(), Value::Text(value.clone())));
    let mut params = Params::from([(
        "as_of".to_owned(),
        Value::Day(as_of.unwrap_or(generation.manifest.values.as_of)),
    )]);
    params.extend(given);
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
            let unknown = unknown.join(", $");
            bail!(
                "the query {word} has no parameter ${unknown}; it takes {}",
                declared(query)
            );
        }
        return Ok((query.clone(), Kind::Select));
    }
    if !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        let names = catalogue.queries.keys().map(String::as_str);
        let near = nearest(word, names)
            .map_or_else(String::new, |name| format!(", did you mean `{name}`"));
        bail!("there is no query called `{word}`{near}; `sentinel query --list` names them");
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

/// The published generation; resolved, so that the whole answer comes from one.
pub(super) fn published(data_dir: &Path) -> anyhow::Result<Generation> {
    let public = data_dir.join("public");
    let current = Publisher::open(&public)
        .current()
        .context("finding what is published")?;
    current.with_context(|| {
        let folder = data_dir.display();
        format!("there is no data yet in {folder}; read report files with `sentinel ingest PATH`, or try `sentinel demo`")
    })
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
            let pages: BTreeSet<&str> = query.panels.iter().map(|p| p.page.as_str()).collect();
            let cells = [
                &query.name,
                &query.folder,
                &Vec::from_iter(pages).join(", "),
                &declared(query),
                &query.description,
            ];
            sink.row(&cells.map(|text| Value::Text(text.to_owned())))?;
        }
        sink.end()
    })();
    written.map_err(StreamError::Write)
}

/// `$as_of DATE, $domains VARCHAR[]`.
fn declared(query: &Query) -> String {
    let params = query.params.iter();
    let declared: Vec<String> = params
        .map(|(name, kind)| format!("${name} {kind}"))
        .collect();
    declared.join(", ")
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("has to be KEY=VALUE")?;
    Ok((key.trim_start_matches('$').to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests;

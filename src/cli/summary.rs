//! `sentinel summary`: a period in words for cron: its sources, its totals, and what needs a person.
//!
//! All numbers are those of the queries `summary_totals` and `summary_sources` over the published database.

mod text;

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::clock;
use crate::config::Config;
use crate::model::day::{Day, rfc3339};
use crate::model::domain::{is_host_name, normalise};
use crate::model::hex::hex;
use crate::model::notice::TextNotice;
use crate::query::{Params, ReaderLimits, Table, Value, open_read_only, run as answer};

use super::context::{Global, UsageError, catalogue};
use super::query::published;

/// Arguments of `sentinel summary`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel summary                             the last 7 days
  sentinel summary --days 1 --notify           for cron: tells the channels when something is wrong
  sentinel summary --domain example.com --format json

A problem is an own address (in a network of known_senders) of whose messages, 20 at least, under 95 % pass, or an
external one with 20 failing messages. Exit codes: 0 no problems, 1 problems, 2 usage or configuration, 3 failed")]
pub struct SummaryArgs {
    /// Days before the day for which things are judged
    #[arg(long, default_value_t = 7, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=3_660))]
    pub days: u16,
    /// Only this policy domain
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Send the text to the channels of `notify` when there are problems
    #[arg(long)]
    pub notify: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    pub format: SummaryFormat,
}

/// Output formats of `sentinel summary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SummaryFormat {
    /// Lines for eyes and mails
    Text,
    /// One JSON object
    Json,
}

/// What the queries say of a period.
struct Summary {
    days: u16,
    domain: Option<String>,
    totals: Table,
    sources: Table,
}

/// Prints the summary; the exit code tells whether there are problems.
pub fn run(args: &SummaryArgs, global: &Global, config: &Config) -> anyhow::Result<ExitCode> {
    let summary = summary(args, global, config)?;
    let text = match args.format {
        SummaryFormat::Text => text::of(&summary),
        SummaryFormat::Json => format!("{}\n", object(&summary)),
    };
    io::stdout()
        .write_all(text.as_bytes())
        .context("writing the summary")?;
    if summary.problems() == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    if args.notify {
        tell(config, &notice(&summary, clock::now().timestamp()))?;
    }
    Ok(ExitCode::from(1))
}

fn summary(args: &SummaryArgs, global: &Global, config: &Config) -> anyhow::Result<Summary> {
    let domain = args.domain.as_deref().map(domain).transpose()?;
    let catalogue = catalogue(config)?;
    let generation = published(&config.app.data_dir)?;
    let database = generation
        .database()
        .context("the published generation has no database")?;
    let connection = open_read_only(&database, ReaderLimits::default())?;
    let as_of: Day = global.as_of.unwrap_or(generation.manifest.values.as_of);
    let params = Params::from([
        ("as_of".to_owned(), Value::Day(as_of)),
        ("days".to_owned(), Value::Int(i64::from(args.days))),
        (
            "domain".to_owned(),
            Value::Text(domain.clone().unwrap_or_default()),
        ),
    ]);
    let ask = |name: &str| {
        let query = catalogue.queries.get(name);
        let query = query.with_context(|| format!("there is no query {name}"))?;
        answer(&connection, query, &params)
    };
    Ok(Summary {
        days: args.days,
        totals: ask("summary_totals")?,
        sources: ask("summary_sources")?,
        domain,
    })
}

/// A domain as the tables hold it.
fn domain(text: &str) -> anyhow::Result<String> {
    let name = normalise(text);
    if is_host_name(&name) {
        return Ok(name);
    }
    Err(UsageError(format!("`{text}` is not a domain")).into())
}

impl Summary {
    /// Rows of the sources that are problems.
    fn problem_rows(&self) -> impl Iterator<Item = usize> {
        (0..self.sources.rows.len())
            .filter(|row| matches!(self.sources.get(*row, "problem"), Value::Text(_)))
    }

    /// All problems, those too that are not listed.
    fn problems(&self) -> i64 {
        int(&self.sources, 0, "problems")
    }
}

/// A count; 0 where there is none.
fn int(table: &Table, row: usize, column: &str) -> i64 {
    match table.get(row, column) {
        Value::Int(number) => *number,
        _ => 0,
    }
}

/// The summary as a message. `at_utc_secs` is the present instant.
fn notice(summary: &Summary, at_utc_secs: i64) -> TextNotice {
    let text = text::of(summary);
    let composed = Sha256::digest(format!("summary\n{at_utc_secs}\n{text}"));
    TextNotice {
        key: hex(&composed[..16]),
        at_utc_secs,
        title: text::title(summary),
        text,
    }
}

/// Sends a message to the channels.
fn tell(_config: &Config, _notice: &TextNotice) -> anyhow::Result<()> {
    Err(UsageError("no channel is configured in `notify`: nothing was sent".to_owned()).into())
}

/// The summary as one JSON object: the totals, `sources` and, of these, `problems`.
fn object(summary: &Summary) -> Json {
    let mut object = row_object(&summary.totals, 0);
    object.insert("days".to_owned(), json!(summary.days));
    object.insert("domain".to_owned(), json!(summary.domain));
    object.insert("problem_count".to_owned(), json!(summary.problems()));
    let rows = |rows: &mut dyn Iterator<Item = usize>| -> Json {
        let rows = rows.map(|row| {
            let mut object = row_object(&summary.sources, row);
            object.remove("problems");
            Json::Object(object)
        });
        Json::Array(rows.collect())
    };
    let tops = text::tops(summary);
    object.insert("sources".to_owned(), rows(&mut tops.into_iter()));
    object.insert("problems".to_owned(), rows(&mut summary.problem_rows()));
    Json::Object(object)
}

fn row_object(table: &Table, row: usize) -> Map<String, Json> {
    let columns = table.columns.iter();
    columns
        .map(|name| (name.clone(), json_value(table.get(row, name))))
        .collect()
}

fn json_value(value: &Value) -> Json {
    match value {
        Value::Bool(is) => json!(is),
        Value::Int(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Day(day) => json!(day.to_string()),
        Value::Timestamp(utc_secs) => json!(rfc3339(*utc_secs)),
        Value::List(list) => Json::Array(list.iter().map(json_value).collect()),
        Value::Struct(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| (name.to_string(), json_value(value)))
                .collect(),
        ),
        Value::Null => Json::Null,
    }
}

#[cfg(test)]
mod tests;

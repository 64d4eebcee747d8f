//! A query and its parameters -> typed rows, bounded.

use anyhow::{Context, anyhow, bail, ensure};
use duckdb::arrow::array::{Array, StructArray};
use duckdb::types::{TimeUnit, Value as Sql};
use duckdb::{Connection, Statement, ToSql};

use super::{Params, Query, Table, Value, said, value};
use crate::model::day::Day;

/// Rows that a query may give; more is an error, because a page of that size is a mistake.
const MAX_ROWS: usize = 100_000;

/// What a result may hold; more is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Its rows.
    pub rows: usize,
    /// Its bytes.
    pub bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            rows: MAX_ROWS,
            bytes: 64 << 20,
        }
    }
}

/// Runs one query of the catalogue; parameters that it does not declare are left out, missing ones are an error.
pub fn run(connection: &Connection, query: &Query, params: &Params) -> anyhow::Result<Table> {
    run_within(connection, query, params, Bounds::default())
}

/// As [`run`] with other bounds.
pub fn run_within(
    connection: &Connection,
    query: &Query,
    params: &Params,
    bounds: Bounds,
) -> anyhow::Result<Table> {
    execute(connection, query, params, bounds)
        .with_context(|| format!("running the query {}", query.name))
}

fn execute(
    connection: &Connection,
    query: &Query,
    params: &Params,
    bounds: Bounds,
) -> anyhow::Result<Table> {
    let mut table = Table::default();
    let mut result_bytes = 0;
    table.columns = step(connection, query, params, &mut |batch| {
        result_bytes += batch.get_array_memory_size();
        ensure!(
            table.rows.len() + batch.len() <= bounds.rows,
            "it gives more than {} rows; add a limit",
            bounds.rows
        );
        ensure!(
            result_bytes <= bounds.bytes,
            "it gives more than {} bytes; add a limit",
            bounds.bytes
        );
        table.rows.extend(value::rows(batch)?);
        Ok(())
    })?;
    Ok(table)
}

/// Runs a query and takes its rows as they come, however many there are.
pub fn each_row(
    connection: &Connection,
    query: &Query,
    params: &Params,
    take: &mut dyn FnMut(Vec<Value>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    each_batch(connection, query, params, &mut |batch| {
        value::rows(batch)?.into_iter().try_for_each(&mut *take)
    })
}

/// Gives the rows of an answer batch by batch, as the database has them.
pub fn each_batch(
    connection: &Connection,
    query: &Query,
    params: &Params,
    take: &mut dyn FnMut(&StructArray) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    step(connection, query, params, take)
        .map(drop)
        .with_context(|| format!("running the query {}", query.name))
}

/// Gives each batch of the answer to `take`; returns the names of its columns.
fn step(
    connection: &Connection,
    query: &Query,
    params: &Params,
    take: &mut dyn FnMut(&StructArray) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<String>> {
    let bound = bind(query, params)?;
    // Prepared anew each time: DuckDB 1.5.6 plans a statement for the values that the tables hold at that moment
    // (compressed materialization), and a kept plan gives wrong rows once they hold others.
    let mut statement = connection.prepare(&query.text).map_err(said)?;
    // Executed as a stream, and stepped by hand because the iterator panics where stepping gives an error.
    let named = named(&bound);
    drop(statement.stream_arrow(named.as_slice()).map_err(said)?);
    let columns = column_names(&statement);
    while let Some(batch) = statement.step().map_err(said)? {
        take(&batch)?;
    }
    Ok(columns)
}

pub(super) fn named<'a>(bound: &'a [(&'a str, Sql)]) -> Vec<(&'a str, &'a dyn ToSql)> {
    bound
        .iter()
        .map(|(name, v)| (*name, v as &dyn ToSql))
        .collect()
}

/// Names of the result's columns; the query is run on what the connection holds with a stand-in for each parameter.
pub(super) fn columns_of(connection: &Connection, query: &Query) -> anyhow::Result<Vec<String>> {
    let stand_in = |kind: &str| match kind {
        "DATE" => Value::Day(Day::default()),
        "BIGINT" => Value::Int(0),
        "BOOLEAN" => Value::Bool(false),
        "TIMESTAMP" => Value::Timestamp(0),
        "VARCHAR[]" => Value::List(Vec::new()),
        _ => Value::Text(String::new()),
    };
    let params = query
        .params
        .iter()
        .map(|(name, kind)| (name.clone(), stand_in(kind)))
        .collect();
    let limits = Bounds::default();
    Ok(execute(connection, query, &params, limits)?.columns)
}

fn column_names(statement: &Statement<'_>) -> Vec<String> {
    statement
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

/// The declared parameters with their values as DuckDB takes them; a missing or unreadable one is an error.
pub(super) fn bind<'q>(query: &'q Query, params: &Params) -> anyhow::Result<Vec<(&'q str, Sql)>> {
    let default = |name: &str| {
        let stated = query.defaults.iter().find(|(known, _)| known == name);
        stated.map(|(_, text)| Value::Text(text.clone()))
    };
    let missing: Vec<&str> = (query.params.iter())
        .map(|(name, _)| name.as_str())
        .filter(|name| !params.contains_key(*name) && default(name).is_none())
        .collect();
    if !missing.is_empty() {
        bail!("it needs the parameter ${}", missing.join(", $"));
    }
    (query.params.iter())
        .map(|(name, kind)| {
            let value = (params.get(name).cloned())
                .or_else(|| default(name))
                .unwrap_or(Value::Null);
            let sql = to_sql(&value, kind).ok_or_else(|| anyhow!("${name} has to be a {kind}"))?;
            Ok((name.as_str(), sql))
        })
        .collect()
}

/// Whether a value can be that of a parameter of a type.
pub fn reads_as(value: &Value, kind: &str) -> bool {
    to_sql(value, kind).is_some()
}

/// The value as the declared type; text is read as that type, so that `--param as_of=2026-01-31` works.
pub(super) fn to_sql(value: &Value, kind: &str) -> Option<Sql> {
    Some(match (kind, value) {
        (_, Value::Null) => Sql::Null,
        ("VARCHAR[]", Value::List(items)) => Sql::Text(texts(items)?),
        ("VARCHAR[]", Value::Text(text)) => {
            let items = text
                .split(',')
                .map(|item| Value::Text(item.trim().to_owned()));
            Sql::Text(texts(&items.collect::<Vec<_>>())?)
        }
        ("VARCHAR", Value::Text(text)) => Sql::Text(text.clone()),
        ("VARCHAR", Value::Int(n)) => Sql::Text(n.to_string()),
        ("BIGINT", Value::Int(n)) => Sql::BigInt(*n),
        ("BIGINT", Value::Text(text)) => Sql::BigInt(text.parse().ok()?),
        ("BOOLEAN", Value::Bool(b)) => Sql::Boolean(*b),
        ("BOOLEAN", Value::Text(text)) => Sql::Boolean(text.parse().ok()?),
        ("DATE", Value::Day(day)) => Sql::Date32(value::days_since_1970(*day)),
        ("DATE", Value::Text(text)) => Sql::Date32(value::days_since_1970(text.parse().ok()?)),
        ("TIMESTAMP", Value::Timestamp(secs)) => Sql::Timestamp(TimeUnit::Second, *secs),
        ("TIMESTAMP", Value::Text(text)) => {
            let instant = text.parse::<chrono::DateTime<chrono::Utc>>().ok()?;
            Sql::Timestamp(TimeUnit::Second, instant.timestamp())
        }
        _ => return None,
    })
}

fn texts(items: &[Value]) -> Option<String> {
    let texts = items.iter().map(|item| match item {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    Some(list_text(texts.collect::<Option<Vec<_>>>()?))
}

/// A list as DuckDB reads it. Lists cannot be bound, so the query says `$name::varchar[]`. JSON is something else: what
/// it writes for control characters is not read back.
pub fn list_text<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = texts.into_iter().map(|text| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    format!("[{}]", quoted.collect::<Vec<_>>().join(", "))
}

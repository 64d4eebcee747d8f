//! Finds one report in the lake of a generation: for pages that are made on request.

use std::path::Path;

use anyhow::Context;
use duckdb::{Config, Connection};

use super::{Params, Query, Table, Value, run};

/// Memory of one look-up: the lake is read in small steps, so little will do.
const MEMORY: &str = "256MiB";

/// One report of a lake, with the tables `reports` and `records`.
pub struct LakeReport {
    connection: Connection,
    /// Its row of `reports`.
    pub reports: Table,
    /// Its rows of `records`, the first of them.
    pub records: Table,
}

impl LakeReport {
    /// Looks the report up; `None` where the lake has no such report. `most_records` bounds its records.
    pub fn find(lake: &Path, id: &str, most_records: usize) -> anyhow::Result<Option<Self>> {
        if !lake.join("reports").is_dir() {
            return Ok(None);
        }
        let connection = open(lake)?;
        let params = Params::from([
            ("report".to_owned(), Value::Text(id.to_owned())),
            (
                "most".to_owned(),
                Value::Int(i64::try_from(most_records).unwrap_or(i64::MAX)),
            ),
        ]);
        let ask =
            |text: &str, used: &[(&str, &str)]| run(&connection, &look_up(text, used), &params);
        show(&connection, lake, "*")?;
        let found = ask(
            "select day from reports where id = $report",
            &[("report", "VARCHAR")],
        )?;
        let Some(Value::Day(day)) = found.rows.first().and_then(|row| row.first()) else {
            return Ok(None);
        };
        show(&connection, lake, &day.format("%Y-%m-%d").to_string())?;
        let reports = ask("from reports where id = $report", &[("report", "VARCHAR")])?;
        let records = ask(
            "from records where report = $report order by record_no limit $most",
            &[("report", "VARCHAR"), ("most", "BIGINT")],
        )?;
        // A panel of the user asks what the published tables hold, not this day alone.
        show(&connection, lake, "*")?;
        Ok(Some(Self {
            connection,
            reports,
            records,
        }))
    }

    /// Answers a query over `reports` and `records` of all days.
    pub fn answer(&self, query: &Query, params: &Params) -> anyhow::Result<Table> {
        run(&self.connection, query, params)
    }
}

fn look_up(text: &str, params: &[(&str, &str)]) -> Query {
    Query {
        name: "look-up in the lake".to_owned(),
        params: params
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()))
            .collect(),
        text: text.to_owned(),
        ..Query::default()
    }
}

/// A connection without a database that can read below `lake` and nowhere else.
fn open(lake: &Path) -> anyhow::Result<Connection> {
    let config = Config::default()
        .enable_autoload_extension(false)?
        .max_memory(MEMORY)?
        .threads(2)?;
    let connection = Connection::open_in_memory_with_flags(config).context("starting DuckDB")?;
    let folder = quoted(lake);
    connection
        .execute_batch(&format!(
            "set temp_directory = ''; set allowed_directories = [{folder}]; set enable_external_access = false; \
             set lock_configuration = true"
        ))
        .context("closing DuckDB off from everything but the lake")?;
    Ok(connection)
}

/// Makes `reports` and `records` the files of one day, or of all days for `*`. A view takes no parameters, so the
/// path stands in its text.
fn show(connection: &Connection, lake: &Path, day: &str) -> anyhow::Result<()> {
    for table in ["reports", "records"] {
        let files = quoted(
            &lake
                .join(table)
                .join(format!("day={day}"))
                .join("data.parquet"),
        );
        connection
            .execute_batch(&format!(
                "create or replace view {table} as from read_parquet({files}, hive_partitioning = false)"
            ))
            .with_context(|| format!("opening {table} of the lake"))?;
    }
    Ok(())
}

/// A path as an SQL string.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "''"))
}

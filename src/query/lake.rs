//! Finds one report in the lake of a generation: for pages that are made on request.

use std::path::Path;

use anyhow::Context;
use duckdb::{Config, Connection};

use super::{Params, Query, Table, Value, run};

/// Bounds of one look-up: the lake is read in small steps, so little memory does.
const MEMORY: &str = "256MiB";

const DAY: &str =
    "select day from read_parquet($files, hive_partitioning = false) where id = $report";
const REPORT: &str = "from read_parquet($files, hive_partitioning = false) where id = $report";
const RECORDS: &str = "from read_parquet($files, hive_partitioning = false) where report = $report \
                       order by record_no limit $most";

/// Rows of `reports` (one) and of `records` (the first `most_records`) of a report, or `None` where the lake has no
/// such report.
pub fn report_of_lake(
    lake: &Path,
    id: &str,
    most_records: usize,
) -> anyhow::Result<Option<(Table, Table)>> {
    if !lake.join("reports").is_dir() {
        return Ok(None);
    }
    let connection = open_lake(lake)?;
    let ask = |text: &str, table: &str, day: &str| {
        let files = lake
            .join(table)
            .join(format!("day={day}"))
            .join("data.parquet");
        let params = Params::from([
            (
                "files".to_owned(),
                Value::Text(files.to_string_lossy().into_owned()),
            ),
            ("report".to_owned(), Value::Text(id.to_owned())),
            (
                "most".to_owned(),
                Value::Int(i64::try_from(most_records).unwrap_or(i64::MAX)),
            ),
        ]);
        run(&connection, &look_up(text), &params)
    };
    let found = ask(DAY, "reports", "*")?;
    let Some(Value::Day(day)) = found.rows.first().and_then(|row| row.first()) else {
        return Ok(None);
    };
    let day = day.format("%Y-%m-%d").to_string();
    Ok(Some((
        ask(REPORT, "reports", &day)?,
        ask(RECORDS, "records", &day)?,
    )))
}

fn look_up(text: &str) -> Query {
    let params = [
        ("files", "VARCHAR"),
        ("report", "VARCHAR"),
        ("most", "BIGINT"),
    ];
    let used = params
        .iter()
        .filter(|(name, _)| text.contains(&format!("${name}")));
    Query {
        name: "look-up in the lake".to_owned(),
        folder: String::new(),
        description: String::new(),
        grain: Vec::new(),
        params: used
            .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()))
            .collect(),
        panel: None,
        text: text.to_owned(),
        is_users: false,
    }
}

/// A connection without a database that can read below `lake` and nowhere else.
fn open_lake(lake: &Path) -> anyhow::Result<Connection> {
    let config = Config::default()
        .enable_autoload_extension(false)?
        .max_memory(MEMORY)?
        .threads(2)?;
    let connection = Connection::open_in_memory_with_flags(config).context("starting DuckDB")?;
    let folder = lake.to_string_lossy().replace('\'', "''");
    connection
        .execute_batch(&format!(
            "set temp_directory = ''; set allowed_directories = ['{folder}']; set enable_external_access = false; \
             set lock_configuration = true"
        ))
        .context("closing DuckDB off from everything but the lake")?;
    Ok(connection)
}

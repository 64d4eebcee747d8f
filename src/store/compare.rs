//! Two databases, table by table and row by row.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use duckdb::Connection;

use super::schema::SCHEMA;
use super::working::Store;

/// Rows whose hashes are compared at once: they fit into DuckDB's memory many times.
const ROWS_AT_ONCE: i64 = 250_000;

/// Hash of a row `r`. With its text, because lists that are NULL, empty or hold but NULL have the same hash.
const ROW_HASH: &str = "hash(r, r::varchar)";

/// Table by table and row by row, what differs between a store and another database.
impl Store {
    /// Attaches the database at `path`, read-only, under the name `other`.
    pub fn attach(&self, path: &Path) -> Result<()> {
        let file = path.to_string_lossy().replace('\'', "''");
        // Here nothing of ours runs beside the database.
        let threads = self.config.threads.max(1);
        let attach = format!("set threads = {threads}; attach '{file}' as other (read_only)");
        self.connection
            .execute_batch(&attach)
            .with_context(|| format!("opening {}", path.display()))
    }

    /// Lets go of what [`Store::attach`] attached.
    pub fn detach(&self) -> Result<()> {
        self.connection
            .execute_batch("detach other")
            .context("closing the other database")
    }

    /// What differs from the attached database in schema, comments and rows, a line each. Table `runs` and the time at
    /// which an item was read differ by nature.
    pub fn differences(&self) -> Result<Vec<String>> {
        let mut differences = Vec::new();
        let columns = |name| shape(&self.connection, name);
        let (here, there) = (columns("current_database()")?, columns("'other'")?);
        if here != there {
            let only = |these: &[String], others: &[String]| -> Vec<String> {
                let odd = these.iter().filter(|line| !others.contains(line));
                odd.cloned().collect()
            };
            differences.push(format!(
                "schema or comments differ: published are {:?}, a rebuild gives {:?}",
                only(&there, &here),
                only(&here, &there)
            ));
            return Ok(differences);
        }
        for (table, text) in SCHEMA {
            if table != "runs" && !text.contains("\ncreate view ") {
                differences.extend(self.table_differences(table)?);
            }
        }
        Ok(differences)
    }

    fn table_differences(&self, table: &str) -> Result<Option<String>> {
        let columns = if table == "items" {
            "* exclude (received_utc)"
        } else {
            "*"
        };
        let here = self.main();
        let rows = |from: &str| format!("(select {columns} from {from}{table}) r");
        let (here, there) = (rows(&here), rows("other."));
        let compared = || -> duckdb::Result<Option<[i64; 2]>> {
            if self.fingerprint(&here)? == self.fingerprint(&there)? {
                return Ok(None);
            }
            let count = format!(
                "select greatest((select count(*) from {here}), (select count(*) from {there}))"
            );
            let count: i64 = self.connection.query_row(&count, [], |row| row.get(0))?;
            let slices = count / ROWS_AT_ONCE + 1;
            let more = self.missing(&here, &there, slices)?;
            Ok(Some([more, self.missing(&there, &here, slices)?]))
        };
        let compared = compared().with_context(|| format!("comparing table {table}"))?;
        Ok(compared.map(|[more, less]| {
            format!("table {table}: {less} rows are published that a rebuild does not give, {more} the other way")
        }))
    }

    /// Number, sum and exclusive or of the hashes of rows, whatever their order: a table of any size is read once.
    pub(super) fn fingerprint(&self, rows: &str) -> duckdb::Result<(i64, String, String)> {
        let sql = format!(
            "select count(*), coalesce(sum({ROW_HASH}), 0)::varchar, coalesce(bit_xor({ROW_HASH}), 0)::varchar from {rows}"
        );
        let row = |row: &duckdb::Row| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        self.connection.query_row(&sql, [], row)
    }

    /// Counts the rows that are not among the others, a slice at a time.
    fn missing(&self, rows: &str, others: &str, slices: i64) -> duckdb::Result<i64> {
        let mut missing = 0;
        for slice in 0..slices {
            let hashes = |rows: &str| {
                format!("select {ROW_HASH} as h from {rows} where h % {slices} = {slice}")
            };
            let (rows, others) = (hashes(rows), hashes(others));
            let sql = format!("select count(*) from ({rows} except all {others})");
            missing += self
                .connection
                .query_row(&sql, [], |row| row.get::<_, i64>(0))?;
        }
        Ok(missing)
    }

    /// Rows of each table in the attached database and here; `runs` is filled at publication only.
    pub fn counts(&self) -> Result<BTreeMap<String, [i64; 2]>> {
        let mut counts = BTreeMap::new();
        for (table, text) in SCHEMA {
            if table != "runs" && !text.contains("\ncreate view ") {
                let sql = format!(
                    "select (select count(*) from other.{table}), (select count(*) from {}{table})",
                    self.main()
                );
                let row = self
                    .connection
                    .query_row(&sql, [], |row| Ok([row.get(0)?, row.get(1)?]));
                counts.insert(
                    table.to_owned(),
                    row.with_context(|| format!("counting table {table}"))?,
                );
            }
        }
        Ok(counts)
    }

    /// Documents by outcome in the attached database and here.
    pub fn outcomes(&self) -> Result<BTreeMap<String, [i64; 2]>> {
        let sql = format!(
            "select outcome, count(*) filter (is_before), count(*) filter (not is_before)
            from (select outcome, true as is_before from other.documents
                union all select outcome, false from {}documents)
            group by outcome order by outcome",
            self.main()
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?])))?;
        rows.collect::<duckdb::Result<_>>()
            .context("counting outcomes")
    }

    /// Ids of reports that only the attached database has, and of those that only this one has.
    pub fn changed_reports(&self) -> Result<[Vec<String>; 2]> {
        let here = self.main();
        let only = |from: &str, other: &str| -> Result<Vec<String>> {
            let sql = format!(
                "select id from {from}reports except select id from {other}reports order by id"
            );
            let mut statement = self.connection.prepare(&sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<duckdb::Result<_>>()
                .context("comparing reports")
        };
        Ok([only("other.", &here)?, only(&here, "other.")?])
    }

    fn main(&self) -> String {
        let name: duckdb::Result<String> =
            self.connection
                .query_row("select current_database()", [], |row| row.get(0));
        name.map_or_else(|_| String::new(), |name| format!("\"{name}\"."))
    }
}

/// Columns with type, nullability and comment, comments of tables, and the text of views.
fn shape(connection: &Connection, database: &str) -> Result<Vec<String>> {
    let sql = format!(
        "select concat_ws(' ', table_name, column_name, data_type, is_nullable, comment) from duckdb_columns()
        where database_name = {database} and not internal
        union all
        select concat_ws(' ', table_name, comment) from duckdb_tables() where database_name = {database} and not internal
        union all
        select concat_ws(' ', view_name, comment, sql) from duckdb_views() where database_name = {database} and not internal
        order by 1"
    );
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect::<duckdb::Result<_>>()
        .context("reading the schema")
}

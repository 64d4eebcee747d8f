//! Tables `reports` and `records` as Parquet files, one folder a day, for other engines.
//!
//! DuckDB holds what it sorts in memory, a hundred thousand rows at a time, however wide strangers made them. A day with
//! more than fits is sorted in parts into a temporary table, which may leave the memory, and is written from there: the
//! same rows in the same order, hence the same bytes.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use duckdb::Connection;

use super::working::Store;
use crate::model::aggregate::RUN_RECORDS;
use crate::model::day::{Day, day_of};
use crate::model::item::ItemNo;

/// A day of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeDay {
    /// UTC day of the reports.
    pub day: Day,
    /// What is written of table `reports`.
    pub reports: Extent,
    /// What is written of table `records`.
    pub records: Extent,
}

/// How much a file of the lake holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Its rows.
    pub rows: u64,
    /// Bytes of text in all of them.
    pub text_bytes: u64,
    /// Bytes of text in the widest row; of records, in a row where as many as are read at once are the widest.
    pub row_text_bytes: u64,
}

/// A table of the lake.
struct Table {
    name: &'static str,
    /// Total order of its rows in a file.
    order: &'static str,
    /// Its column with the id of the report.
    report: &'static str,
    /// The position of a row among those of its report, from 0.
    position: &'static str,
    /// Runs of its rows, as a query over table `reports`: of a report the `run`th, with how many rows and how much text.
    runs: &'static str,
}

const REPORTS: Table = Table {
    name: "reports",
    order: "domain, id",
    report: "id",
    position: "0",
    runs: "select domain, id, day, 0 as run, 1 as run_rows, text_bytes as run_bytes from reports",
};

const RECORDS: Table = Table {
    name: "records",
    order: "domain, report, record_no",
    report: "report",
    position: "record_no - 1",
    runs: RECORD_RUNS,
};

const RECORD_RUNS: &str = "
    select domain, id, day, run, least(record_count - run * 2048, 2048) as run_rows, run_bytes
    from (select domain, id, day, record_count, unnest(record_text_bytes) as run_bytes,
        unnest(range(len(record_text_bytes))) as run from reports)";

// What the text above says in digits.
const _: () = assert!(RUN_RECORDS == 2048);

/// Rows of a row group: fewer than DuckDB's 122,880, because each is filled in memory.
const ROW_GROUP_ROWS: u64 = 20_480;

/// Bytes that a row group may take in memory; of wide rows, fewer make one.
const ROW_GROUP_BYTES: u64 = 16 << 20;

/// What a row takes in memory beside its text.
const ROW_BYTES: u64 = 512;

impl LakeDay {
    /// Paths of the day's files.
    pub fn paths(&self) -> [String; 2] {
        paths(self.day)
    }

    /// Bytes of text in its widest row.
    pub fn row_bytes(&self) -> u64 {
        (self.reports.row_text_bytes).max(self.records.row_text_bytes)
    }

    /// Whether it takes so much memory that nothing else should need any at the same time.
    pub fn is_large(&self, memory_limit_bytes: u64) -> bool {
        (self.reports.bytes()).max(self.records.bytes()) > sortable_bytes(memory_limit_bytes)
    }

    /// Writes the day's files below `folder`; their folders must exist. The bytes depend on the rows alone, not on how
    /// much of the memory of DuckDB, `memory_limit_bytes`, the writing may take.
    pub fn write(
        &self,
        connection: &Connection,
        folder: &Path,
        memory_limit_bytes: u64,
    ) -> Result<()> {
        let extents = [(REPORTS, self.reports), (RECORDS, self.records)];
        for ((table, extent), path) in extents.into_iter().zip(self.paths()) {
            let file = folder.join(&path);
            let row_group_rows = extent.row_group_rows();
            let write = || {
                if extent.bytes() <= sortable_bytes(memory_limit_bytes) {
                    let rows = format!(
                        "from {} where day = date '{}' order by {}",
                        table.name, self.day, table.order
                    );
                    return copy(connection, &rows, &file, row_group_rows);
                }
                let parts = Parts {
                    connection,
                    table: &table,
                    day: self.day,
                    part_bytes: memory_limit_bytes / 4,
                };
                parts.sort(extent.rows)?;
                copy(connection, "from lake_rows", &file, row_group_rows)?;
                Ok(connection.execute_batch("drop table lake_rows")?)
            };
            write().with_context(|| format!("writing {path}"))?;
        }
        Ok(())
    }
}

/// Rows of a day on their way into temporary table `lake_rows`, in their order, so many bytes at a time.
struct Parts<'a> {
    connection: &'a Connection,
    table: &'a Table,
    day: Day,
    part_bytes: u64,
}

impl Parts<'_> {
    /// Sorts all of them; as many as the reports say that there are.
    fn sort(&self, rows: u64) -> Result<()> {
        let bytes = self.lay_out()?;
        let mut sorted = 0;
        for part in 0..bytes.div_ceil(self.part_bytes) {
            sorted += self.sort_part(part)?;
        }
        let (name, day) = (self.table.name, self.day);
        ensure!(
            sorted == rows,
            "table {name} has {rows} rows of {day}, and {sorted} of them were sorted"
        );
        Ok(self.connection.execute_batch("drop table lake_runs")?)
    }

    /// Notes where each run of rows begins in temporary table `lake_runs`; returns the bytes of all.
    fn lay_out(&self) -> Result<u64> {
        let Table { name, runs, .. } = self.table;
        let day = self.day;
        self.connection.execute_batch(&format!(
            "create or replace temp table lake_rows as from {name} limit 0;
            create or replace temp table lake_runs as
            select id, run, row_bytes, row_bytes * run_rows as bytes,
                sum(row_bytes * run_rows) over (order by domain, id, run)::bigint - row_bytes * run_rows as bytes_before
            from (
                select domain, id, run, run_rows, {ROW_BYTES} + run_bytes // run_rows as row_bytes
                from ({runs}) where day = date '{day}')"
        ))?;
        let bytes: i64 = self.connection.query_row(
            "select coalesce(max(bytes_before + bytes), 0) from lake_runs",
            [],
            |row| row.get(0),
        )?;
        Ok(bytes.unsigned_abs())
    }

    /// Sorts the rows of one part; returns how many they are.
    fn sort_part(&self, part: u64) -> Result<u64> {
        let (day, part_bytes) = (self.day, self.part_bytes);
        let (from, to) = (part * part_bytes, (part + 1) * part_bytes);
        let runs = format!("bytes_before < {to} and bytes_before + bytes > {from}");
        // The positions are those that the last condition leaves; said for themselves, they spare most of the table.
        let (first, last): (i64, i64) = self.connection.query_row(
            &format!(
                "select coalesce(min(run * {RUN_RECORDS} + greatest({from} - bytes_before, 0) // row_bytes), 0),
                    coalesce(max(run * {RUN_RECORDS} + least({to} - bytes_before, bytes) // row_bytes), 0)
                from lake_runs where {runs}"
            ),
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let Table {
            name,
            order,
            report,
            position,
            ..
        } = self.table;
        let rows = self.connection.execute(
            &format!(
                "insert into lake_rows select t.* from {name} t
                join lake_runs r on t.{report} = r.id and ({position}) // {RUN_RECORDS} = r.run
                where t.day = date '{day}' and {runs} and {position} between {first} and {last}
                    and (bytes_before + ({position}) % {RUN_RECORDS} * row_bytes) // {part_bytes} = {part}
                order by {order}"
            ),
            [],
        )?;
        Ok(rows as u64)
    }
}

impl Extent {
    fn bytes(&self) -> u64 {
        self.text_bytes + self.rows * ROW_BYTES
    }

    fn row_group_rows(&self) -> u64 {
        (ROW_GROUP_BYTES / (ROW_BYTES + self.row_text_bytes)).clamp(1, ROW_GROUP_ROWS)
    }
}

/// What may be sorted at once: a row group waits beside it, and another day may be written at the same time.
fn sortable_bytes(memory_limit_bytes: u64) -> u64 {
    memory_limit_bytes / 8
}

/// COPY takes neither the day nor the file as a parameter; both are ours. Half of a report is hashes: a higher level
/// takes longer and makes no smaller files.
fn copy(connection: &Connection, rows: &str, file: &Path, row_group_rows: u64) -> Result<()> {
    let file = file.to_string_lossy().replace('\'', "''");
    Ok(connection.execute_batch(&format!(
        "copy ({rows}) to '{file}'
        (format parquet, compression zstd, compression_level 1, row_group_size {row_group_rows})"
    ))?)
}

/// Paths of a day's files in a generation.
pub fn paths(day: Day) -> [String; 2] {
    [REPORTS, RECORDS].map(|table| {
        format!(
            "lake/{}/day={}/data.parquet",
            table.name,
            day.format("%Y-%m-%d")
        )
    })
}

impl Store {
    /// All days with reports, in order, each with the highest item that brought one: the files of the day are a function
    /// of the items up to it.
    pub fn lake_days(&self) -> Result<Vec<(Day, ItemNo)>> {
        let sql = "select epoch_ms(day::timestamp) // 86400000, max(item_no) from reports group by day order by day";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let last_item = row.get::<_, i64>(1)?.unsigned_abs();
            Ok((day_of(row.get::<_, i64>(0)? * 86_400), last_item))
        })?;
        rows.collect::<Result<_, _>>()
            .context("listing the days of the lake")
    }

    /// How much there is to write of these days.
    pub fn lake_extents(&self, days: &[Day]) -> Result<Vec<LakeDay>> {
        if days.is_empty() {
            return Ok(Vec::new());
        }
        let days: Vec<String> = days.iter().map(|day| format!("date '{day}'")).collect();
        let sql = format!(
            "select epoch_ms(day::timestamp) // 86400000, count(*), sum(text_bytes)::bigint, max(text_bytes),
                sum(record_count)::bigint, coalesce(sum(list_sum(record_text_bytes)), 0)::bigint,
                coalesce(max(list_max(record_text_bytes) // least(record_count, {RUN_RECORDS})), 0)
            from reports where day in ({}) group by day order by day",
            days.join(", ")
        );
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| {
            let unsigned = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
            let extent = |first| -> duckdb::Result<Extent> {
                Ok(Extent {
                    rows: unsigned(first)?,
                    text_bytes: unsigned(first + 1)?,
                    row_text_bytes: unsigned(first + 2)?,
                })
            };
            Ok(LakeDay {
                day: day_of(row.get::<_, i64>(0)? * 86_400),
                reports: extent(1)?,
                records: extent(4)?,
            })
        })?;
        rows.collect::<Result<_, _>>()
            .context("measuring the days of the lake")
    }
}

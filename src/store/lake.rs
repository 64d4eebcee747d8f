//! Tables `reports` and `records` as Parquet files, one folder a day, for other engines.

use std::path::Path;

use anyhow::{Context, Result};
use duckdb::Connection;

use super::working::Store;
use crate::model::day::Day;
use crate::model::item::ItemNo;

/// A day of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeDay {
    /// UTC day of the reports.
    pub day: Day,
    /// The highest item with a report of the day: the day's files are a function of the items up to it.
    pub last_item: ItemNo,
    /// Records of the day's reports.
    pub records: u64,
}

/// Rows of a row group: fewer than DuckDB's 122,880, because each is filled in memory.
const ROW_GROUP_ROWS: u32 = 20_480;

/// A table of the lake and its order.
const TABLES: [(&str, &str); 2] = [
    ("reports", "domain, id"),
    ("records", "domain, report, record_no"),
];

impl LakeDay {
    /// Paths of the day's files in a generation.
    pub fn paths(&self) -> [String; 2] {
        TABLES.map(|(table, _)| {
            format!(
                "lake/{table}/day={}/data.parquet",
                self.day.format("%Y-%m-%d")
            )
        })
    }

    /// Writes the day's files below `folder`; their folders must exist. The bytes depend on the rows alone.
    pub fn write(&self, connection: &Connection, folder: &Path) -> Result<()> {
        for ((table, order), path) in TABLES.into_iter().zip(self.paths()) {
            let file = folder.join(&path).to_string_lossy().replace('\'', "''");
            let day = self.day.format("%Y-%m-%d");
            // COPY takes neither the day nor the file as a parameter; both are ours. Half of a report is hashes: a higher
            // level takes longer and makes no smaller files.
            let copy = format!(
                "copy (select * from {table} where day = date '{day}' order by {order})
                to '{file}' (format parquet, compression zstd, compression_level 1, row_group_size {ROW_GROUP_ROWS})"
            );
            connection
                .execute_batch(&copy)
                .with_context(|| format!("writing {path}"))?;
        }
        Ok(())
    }
}

impl Store {
    /// All days with reports, in order.
    pub fn lake_days(&self) -> Result<Vec<LakeDay>> {
        let sql = "select epoch_ms(day::timestamp) // 86400000, max(item_no),
                sum(record_count)::bigint
            from reports group by day order by day";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })?;
        let mut days = Vec::new();
        for row in rows {
            let (epoch_days, last_item, records): (i64, i64, i64) =
                row.context("listing the days of the lake")?;
            let day = crate::model::day::day_of(epoch_days * 86_400);
            days.push(LakeDay {
                day,
                last_item: last_item.unsigned_abs(),
                records: records.unsigned_abs(),
            });
        }
        Ok(days)
    }
}

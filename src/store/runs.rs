//! Ledger -> table `runs`, written anew each time.

use anyhow::{Context, Result};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;

use super::batch::append;
use super::columns::{Columns, bigint};
use super::working::Store;
use crate::ledger::{Entry, Event, RunResult};
use crate::model::outcome::Outcome;

/// Column of each outcome, in the order of [`Outcome::ALL`].
const OUTCOMES: [&str; Outcome::ALL.len()] = [
    "accepted",
    "duplicate",
    "conflict",
    "no_traffic",
    "not_a_report",
    "foreign_domain",
    "expired",
    "refused",
];

impl Store {
    /// Fills table `runs` with the runs of the ledger.
    pub fn write_runs(&mut self, entries: &[Entry]) -> Result<()> {
        let runs: Vec<(i64, &RunResult)> = (1..).zip(entries.iter().filter_map(finished)).collect();
        let connection = &self.connection;
        connection
            .execute_batch("begin; delete from runs")
            .context("emptying table runs")?;
        let written = append(connection, "runs", &runs, rows);
        let end = if written.is_ok() {
            "commit"
        } else {
            "rollback"
        };
        connection
            .execute_batch(end)
            .context("writing table runs")?;
        written
    }
}

fn finished(entry: &Entry) -> Option<&RunResult> {
    match &entry.event {
        Event::RunFinished(result) => Some(result),
        _ => None,
    }
}

fn rows(runs: &[(i64, &RunResult)]) -> Result<RecordBatch, ArrowError> {
    let rows = || runs.iter().map(|(_, run)| run);
    let mut columns = Columns::default();
    columns.bigint("run_no", runs.iter().map(|(run_no, _)| Some(*run_no)));
    columns.text("kind", rows().map(|run| Some(run.kind.as_str())));
    columns.timestamp("started_utc", rows().map(|run| Some(run.started_utc_secs)));
    columns.bigint(
        "duration_ms",
        rows().map(|run| Some(bigint(run.duration_ms))),
    );
    columns.bigint("items", rows().map(|run| Some(bigint(run.items))));
    for (index, outcome) in OUTCOMES.into_iter().enumerate() {
        columns.bigint(
            outcome,
            rows().map(|run| run.outcomes.get(index).map(|&count| bigint(count))),
        );
    }
    columns.finish()
}

//! How much memory DuckDB may have: what is configured for usual batches and days, more for larger ones.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use duckdb::Connection;

/// Records that fit into the configured memory at once.
pub const USUAL_RECORDS: u64 = 100_000;

/// What DuckDB needs for each record of a larger report or day: it cannot spill rows that are not committed, nor the
/// row group of a Parquet file that it is filling.
const RECORD_BYTES: u64 = 256;

/// DuckDB's memory limit, by what is staged and what is worked on at the moment.
pub(super) struct Room {
    usual_bytes: u64,
    state: Mutex<State>,
}

struct State {
    /// The limit as it is.
    bytes: u64,
    staged_records: u64,
    worked_records: u64,
}

impl Room {
    pub(super) fn new(usual_bytes: u64) -> Self {
        let state = State {
            bytes: usual_bytes,
            staged_records: 0,
            worked_records: 0,
        };
        Self {
            usual_bytes,
            state: Mutex::new(state),
        }
    }

    /// So many records are staged.
    pub(super) fn stage(&self, connection: &Connection, records: u64) -> Result<()> {
        let mut state = self.state();
        state.staged_records = records;
        self.set(state, connection)
    }

    /// What is staged is next to be worked on. Its room stays until it is.
    pub(super) fn hand_over(&self) {
        let mut state = self.state();
        state.worked_records = state.worked_records.max(state.staged_records);
        state.staged_records = 0;
    }

    /// So many records are worked on.
    pub(super) fn work(&self, connection: &Connection, records: u64) -> Result<()> {
        let mut state = self.state();
        state.worked_records = records;
        self.set(state, connection)
    }

    /// Whether DuckDB may have more memory than configured at the moment.
    pub(super) fn is_more(&self) -> bool {
        self.state().bytes > self.usual_bytes
    }

    fn set(&self, mut state: MutexGuard<State>, connection: &Connection) -> Result<()> {
        let records = state.staged_records.max(state.worked_records);
        let bytes = room_bytes(self.usual_bytes, records);
        if std::mem::replace(&mut state.bytes, bytes) != bytes {
            connection
                .execute_batch(&format!("set memory_limit = '{bytes}B'"))
                .context("setting DuckDB's memory limit")?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn room_bytes(usual_bytes: u64, records: u64) -> u64 {
    if records <= USUAL_RECORDS {
        return usual_bytes;
    }
    // In steps, so that a report that comes in chunks does not set the limit for each.
    let steps = records.div_ceil(USUAL_RECORDS);
    (usual_bytes * 2).max(steps.saturating_mul(USUAL_RECORDS * RECORD_BYTES))
}

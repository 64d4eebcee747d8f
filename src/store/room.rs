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
        if bytes == state.bytes {
            return Ok(());
        }
        match connection.execute_batch(&format!("set memory_limit = '{bytes}B'")) {
            // What the other batch holds at the moment cannot be taken from it. The next look tries again.
            Err(error) if bytes < state.bytes => tracing::debug!("memory stays in use: {error}"),
            set => {
                set.context("setting DuckDB's memory limit")?;
                state.bytes = bytes;
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_that_is_still_in_use_is_taken_back_later() {
        let usual_bytes = 32 << 20;
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&format!(
                "set temp_directory = ''; set memory_limit = '{usual_bytes}B'"
            ))
            .unwrap();
        let room = Room::new(usual_bytes);
        room.work(&connection, 10 * USUAL_RECORDS).unwrap();
        connection
            .execute_batch(
                "begin; create table rows as select hash(range) as value from range(8000000)",
            )
            .unwrap();
        room.work(&connection, 0).unwrap();
        assert!(room.is_more());
        connection.execute_batch("rollback").unwrap();
        room.work(&connection, 0).unwrap();
        assert!(!room.is_more());
    }
}

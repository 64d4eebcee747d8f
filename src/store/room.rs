//! How much memory DuckDB may have: what is configured for usual batches and days, more for larger ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use duckdb::Connection;

/// Records that fit into the configured memory at once.
pub const USUAL_RECORDS: u64 = 100_000;

/// What DuckDB needs for each record of a larger report or day: it cannot spill rows that are not committed, nor the
/// row group of a Parquet file that it is filling.
const RECORD_BYTES: u64 = 256;

/// DuckDB's memory limit, by the records of all batches and of what else is worked on at the moment.
pub(super) struct Room {
    usual_bytes: u64,
    state: Mutex<State>,
    /// Held by who writes to staging tables, and by who must not be disturbed by that.
    alone: Mutex<()>,
}

struct State {
    /// The limit as it is.
    bytes: u64,
    /// Of each batch from its first record to its commit, by the number of its stage.
    batch_records: BTreeMap<usize, u64>,
    worked_records: u64,
}

impl Room {
    pub(super) fn new(usual_bytes: u64) -> Self {
        let state = State {
            bytes: usual_bytes,
            batch_records: BTreeMap::new(),
            worked_records: 0,
        };
        Self {
            usual_bytes,
            state: Mutex::new(state),
            alone: Mutex::new(()),
        }
    }

    /// Until it is dropped, nobody else stages rows or works the log in.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of another stage.
    pub(super) fn enter(&self) -> usize {
        let batches = &mut self.state().batch_records;
        let next = batches.last_key_value().map_or(0, |(last, _)| last + 1);
        batches.insert(next, 0);
        next
    }

    /// A stage is gone, and its batch with it. The next look takes back its room.
    pub(super) fn leave(&self, stage: usize) {
        self.state().batch_records.remove(&stage);
    }

    /// A batch has so many records, none when it is committed.
    pub(super) fn batch(&self, connection: &Connection, stage: usize, records: u64) -> Result<()> {
        let mut state = self.state();
        state.batch_records.insert(stage, records);
        self.set(state, connection)
    }

    /// So many records are worked on, beside batches.
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
        let bytes = room_bytes(self.usual_bytes, &state);
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

/// Batches of the usual size fit beside each other; a larger one needs room beside the other.
fn room_bytes(usual_bytes: u64, state: &State) -> u64 {
    let records = || state.batch_records.values().chain([&state.worked_records]);
    if records().all(|records| *records <= USUAL_RECORDS) {
        return usual_bytes;
    }
    // In steps, so that a report that comes in chunks does not set the limit for each.
    let steps = records().sum::<u64>().div_ceil(USUAL_RECORDS);
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

    #[test]
    fn large_batches_have_room_beside_each_other() {
        let connection = Connection::open_in_memory().unwrap();
        let room = Room::new(128 << 20);
        let (one, other) = (room.enter(), room.enter());
        let bytes = || room.state().bytes;
        for (stage, records, expect) in [
            (one, 1, 128 << 20),
            (other, 1, 128 << 20),
            (one, 10, 11 * USUAL_RECORDS * RECORD_BYTES),
            (other, 10, 20 * USUAL_RECORDS * RECORD_BYTES),
            (one, 0, 256 << 20),
            (other, 0, 128 << 20),
        ] {
            room.batch(&connection, stage, records * USUAL_RECORDS)
                .unwrap();
            assert_eq!(bytes(), expect, "{stage} {records}");
        }
    }
}

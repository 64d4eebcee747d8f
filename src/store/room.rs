//! How much memory DuckDB may have: what is configured for usual batches, more for larger ones.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use duckdb::Connection;

/// Records that fit into the configured memory at once.
const USUAL_RECORDS: u64 = 100_000;

/// What DuckDB needs for each record of a larger report: it cannot spill rows that are not committed.
const RECORD_BYTES: u64 = 256;

/// Rows that DuckDB reads and writes at once, at the least.
const VECTOR_ROWS: u64 = 2_048;

/// How often it holds them while it does: as read, sorted, and on their way out, for each of two threads.
const VECTORS: u64 = 6;

/// DuckDB's memory limit, by the records of all batches at the moment.
pub(super) struct Room {
    usual_bytes: u64,
    state: Mutex<State>,
}

struct State {
    /// The limit as it is.
    bytes: u64,
    /// Of each batch from its first record to its commit, by the number of its stage.
    batch_records: BTreeMap<usize, u64>,
    /// Of the widest row that is read or written at the moment, beside batches.
    row_bytes: u64,
    /// The log is being worked in beside batches.
    is_working_in: bool,
    /// For a statement that the usual memory does not suffice for; 0: there is none.
    statement_bytes: u64,
}

impl Room {
    pub(super) fn new(usual_bytes: u64) -> Self {
        let state = State {
            bytes: usual_bytes,
            batch_records: BTreeMap::new(),
            row_bytes: 0,
            is_working_in: false,
            statement_bytes: 0,
        };
        Self {
            usual_bytes,
            state: Mutex::new(state),
        }
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

    /// Rows of tables with so many bytes of text in the widest of them are read or written, beside batches.
    pub(super) fn rows(&self, connection: &Connection, row_bytes: u64) -> Result<()> {
        let mut state = self.state();
        state.row_bytes = row_bytes;
        self.set(state, connection)
    }

    /// The log is being worked in, or no longer.
    pub(super) fn working_in(&self, connection: &Connection, is_working_in: bool) -> Result<()> {
        let mut state = self.state();
        state.is_working_in = is_working_in;
        self.set(state, connection)
    }

    /// A statement may have so many times the usual memory, or there is none any more.
    pub(super) fn statement(&self, connection: &Connection, times: Option<u64>) -> Result<()> {
        let mut state = self.state();
        state.statement_bytes = times.map_or(0, |times| self.usual_bytes.saturating_mul(times));
        self.set(state, connection)
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

fn room_bytes(usual_bytes: u64, state: &State) -> u64 {
    let working_in_bytes = u64::from(state.is_working_in) * (usual_bytes / 2);
    let bytes = batches_bytes(rows_bytes(usual_bytes, state), state) + working_in_bytes;
    bytes.max(state.statement_bytes)
}

fn rows_bytes(usual_bytes: u64, state: &State) -> u64 {
    let vectors_bytes = state.row_bytes.saturating_mul(VECTOR_ROWS * VECTORS);
    usual_bytes.max(usual_bytes / 2 + vectors_bytes)
}

/// Batches of the usual size fit beside each other; a larger one needs room beside the other.
fn batches_bytes(usual_bytes: u64, state: &State) -> u64 {
    let records = || state.batch_records.values();
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
        let stage = room.enter();
        room.batch(&connection, stage, 10 * USUAL_RECORDS).unwrap();
        connection
            .execute_batch(
                "begin; create table rows as select hash(range) as value from range(8000000)",
            )
            .unwrap();
        room.batch(&connection, stage, 0).unwrap();
        assert!(room.state().bytes > usual_bytes);
        connection.execute_batch("rollback").unwrap();
        room.rows(&connection, 0).unwrap();
        assert_eq!(room.state().bytes, usual_bytes);
    }

    #[test]
    fn wide_rows_have_room_by_the_vector() {
        let connection = Connection::open_in_memory().unwrap();
        let room = Room::new(128 << 20);
        for (row_bytes, expect) in [
            (200, 128 << 20),
            (16 << 10, (64 << 20) + 6 * (32 << 20)),
            (0, 128 << 20),
        ] {
            room.rows(&connection, row_bytes).unwrap();
            assert_eq!(room.state().bytes, expect, "{row_bytes}");
        }
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

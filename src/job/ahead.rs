//! How far the readers may be ahead of the stager: by rows, because a small mail may hold a report of megabytes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Rows that may wait for the stager when another unit is begun, wide ones counted as several.
const AHEAD_ROWS: usize = 60_000;

/// Counts what is read.
#[derive(Default)]
pub(super) struct Ahead {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Read, and not yet taken by the stager.
    rows: usize,
    /// Read since the feeder last said what is durable.
    rows_to_be_durable: usize,
    /// There is no stager any more.
    is_over: bool,
}

impl State {
    fn is_full(&self) -> bool {
        self.rows >= AHEAD_ROWS && !self.is_over
    }
}

/// The stager's end. When it is dropped, nobody waits any more.
pub(super) struct Taker<'a>(pub(super) &'a Ahead);

impl Ahead {
    /// Waits until there is room for more. Who waits must not have begun the unit that comes next: the rows that it
    /// waits for are all of earlier ones, so that the stager comes to them.
    pub(super) fn wait(&self) {
        drop(
            self.changed
                .wait_while(self.state(), |state| state.is_full())
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// So many rows are read.
    pub(super) fn add(&self, rows: usize) {
        let mut state = self.state();
        state.rows += rows;
        state.rows_to_be_durable += rows;
    }

    /// Rows that are read since the last [`Self::durable`].
    pub(super) fn rows_to_be_durable(&self) -> usize {
        self.state().rows_to_be_durable
    }

    /// What is read so far will be durable soon.
    pub(super) fn durable(&self) {
        self.state().rows_to_be_durable = 0;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taker<'_> {
    /// So many rows are taken.
    pub(super) fn take(&self, rows: usize) {
        let mut state = self.0.state();
        state.rows = state.rows.saturating_sub(rows);
        self.0.changed.notify_all();
    }
}

impl Drop for Taker<'_> {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn reading_goes_on_when_enough_is_taken() {
        let ahead = Ahead::default();
        let taker = Taker(&ahead);
        ahead.add(AHEAD_ROWS - 1);
        assert!(!ahead.state().is_full());
        ahead.wait();
        ahead.add(1);
        assert!(ahead.state().is_full());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| ahead.wait());
            taker.take(10);
            waiting.join().unwrap();
        });
        assert!(!ahead.state().is_full());
        assert_eq!(ahead.rows_to_be_durable(), AHEAD_ROWS);
    }

    #[test]
    fn nobody_waits_for_a_stager_that_is_gone() {
        let ahead = Ahead::default();
        ahead.add(2 * AHEAD_ROWS);
        assert!(ahead.state().is_full());
        drop(Taker(&ahead));
        ahead.wait();
        assert!(!ahead.state().is_full());
    }
}

//! What is due, and what was sent: a round over all channels compares the alerts with the ledger, plans, sends, notes.
//!
//! Planned before it is on the wire, noted after it: after a crash between the two the same message goes out once more
//! under the same key. Nothing else is remembered but failures, so a round can be begun at any time, by anybody.

mod compose;
mod due;
mod local;
mod memory;
mod round;

#[cfg(test)]
mod tests;

pub use due::{Due, Situation, Window, due, due_digest};
pub use memory::Memory;
pub use round::{Passed, Round, Wires, pass};

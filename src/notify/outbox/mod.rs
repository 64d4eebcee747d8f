//! What is due, and what was sent: a round over all channels compares the alerts with the ledger, plans, sends, notes.
//!
//! Planned before it is on the wire, noted after it: after a crash between the two the same message goes out once more
//! under the same key. Nothing else is remembered but failures, so a round can be begun at any time, by anybody.
//!
//! What becomes due while a message cannot be sent is planned all the same: however long a channel is broken, it tells
//! of everything when it works again, the first message as it was, one more for what came behind it. An alert that
//! somebody knows of by then, or that is over, is left out. A message that was tried may be with somebody: it keeps its
//! key and is never made one with others. Alerts of a rule that cannot be asked are told of when it can be again.

mod compose;
mod due;
mod local;
mod memory;
mod owed;
mod round;
mod turn;

#[cfg(test)]
mod tests;

pub use due::{Due, Situation, Window, due, due_digest};
pub use memory::Memory;
pub use owed::Find;
pub use round::{Passed, Round, Wires, pass};

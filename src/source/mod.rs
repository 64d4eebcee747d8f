//! Path (later mailbox) -> bytes and provenance. Knows no XML and no DuckDB.

mod folder;
mod mbox;
pub mod path;

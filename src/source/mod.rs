//! Path (later mailbox) -> bytes and provenance. Knows no XML and no DuckDB.

pub mod path;

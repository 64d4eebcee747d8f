//! Path or mailbox -> bytes and provenance. Knows no XML and no DuckDB.

use crate::model::item::{ItemKind, Provenance};
use crate::model::outcome::Refusal;

mod folder;
pub mod imap;
mod mbox;
pub mod path;

/// An item as read, before it is archived.
#[derive(Debug)]
pub struct FoundItem {
    /// Mail or file, by content.
    pub kind: ItemKind,
    /// Where it came from.
    pub provenance: Provenance,
    /// Its bytes, or why they were not read (over the limit, a `../` member, a broken archive); a refused item keeps
    /// its size where that is known.
    pub content: Result<Vec<u8>, (Refusal, u64)>,
    /// The header block of a mail whose bytes were not read, where there is one.
    pub head: Vec<u8>,
}

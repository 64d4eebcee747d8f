//! Part or file bytes -> documents. The only user of `flate2`, `zip` and `tar`. Every read is bounded, what a
//! container declares of itself is not believed.

use std::io::{self, BufRead};

use crate::model::limits::Limits;
use crate::model::outcome::Refusal;

/// One document: the bytes of one report, or of something that turned out not to be one.
pub struct Document {
    /// Where in the item: members joined by `!`; empty when the item itself is the document.
    pub path: String,
    /// SHA-256 of the bytes; its first 32 hex digits are the id of a report.
    pub sha256: [u8; 32],
    /// The bytes.
    pub content: Content,
}

/// Bytes of a document: in memory, or spooled into an unlinked temporary file when larger than 16 MiB.
pub enum Content {
    /// In memory.
    Memory(Vec<u8>),
    /// In an unlinked temporary file.
    Spooled(std::fs::File),
}

impl Document {
    /// The bytes from the beginning; may be called again.
    pub fn open(&self) -> io::Result<Box<dyn BufRead + '_>> {
        todo!()
    }
}

/// What is left of the limits for one item; shared by all its parts.
pub struct Budget {}

impl Budget {
    /// The budget of one item. `entries` is [`Limits::mail_entries`] or [`Limits::file_entries`].
    pub fn new(_limits: &Limits, _entries: u32) -> Self {
        todo!()
    }
}

/// Unpacks `bytes` (gzip, zip, tar, in any nesting up to the limit, or a bare document), by content alone. Calls
/// `found` for every document in order, or with the path and code of what was refused; the others go on.
pub fn unpack(
    _path: &str,
    _bytes: &[u8],
    _budget: &mut Budget,
    _found: &mut dyn FnMut(Result<Document, (String, Refusal)>),
) {
    todo!()
}

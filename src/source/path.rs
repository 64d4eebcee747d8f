//! Files, folders, Maildir, mbox, local archives and standard input -> items.

use std::ffi::OsString;

use crate::model::item::{ItemKind, Provenance};
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;

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
}

/// Walks `paths` in the order given, folders recursively in byte order of names, and hands each item to `found`.
/// Stops when `found` returns `false`. A path that does not exist or cannot be read is an `Err` that names it, after
/// everything before it was handed over. `-` is standard input.
pub fn walk(
    _paths: &[OsString],
    _limits: &Limits,
    _found: &mut dyn FnMut(FoundItem) -> bool,
) -> std::io::Result<()> {
    todo!()
}

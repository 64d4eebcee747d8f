//! Reads one document to its end: small ones into memory, large ones into an unlinked temporary file, hashed on the
//! way, never beyond the limit.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::budget::Budget;
use super::{Content, Document};
use crate::model::outcome::Refusal;

/// Documents up to this size stay in memory.
pub(super) const MEMORY_BYTES: usize = 16 << 20;

/// Bytes read so far, and room for more.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    len: usize,
}

impl Buffer {
    /// Room for `hint` bytes and one more, by which the end is found without growing.
    pub(super) fn new(hint: usize) -> Self {
        Self {
            bytes: vec![0; hint.clamp(4096, MEMORY_BYTES) + 1],
            len: 0,
        }
    }

    /// The bytes so far.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// Reads until `until` bytes are there or the input ends; `true` at the end of the input.
    pub(super) fn fill(&mut self, reader: &mut dyn Read, until: usize) -> io::Result<bool> {
        while self.len < until {
            if self.len == self.bytes.len() {
                let grown = self
                    .len
                    .saturating_mul(2)
                    .clamp(self.len + 1, until.max(self.len + 1));
                self.bytes.resize(grown, 0);
            }
            match reader.read(&mut self.bytes[self.len..]) {
                Ok(0) => return Ok(true),
                Ok(count) => self.len += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// A document that is in memory already.
pub(super) fn in_memory(path: String, bytes: Vec<u8>) -> Document {
    Document {
        path,
        sha256: Sha256::digest(&bytes).into(),
        content: Content::Memory(bytes),
        oddities: Vec::new(),
    }
}

/// Reads the rest of a document that begins with `buffer`.
pub(super) fn document(
    path: &str,
    mut buffer: Buffer,
    reader: &mut dyn Read,
    budget: &Budget,
) -> io::Result<Document> {
    let limit = budget.limits.document_bytes;
    let memory = MEMORY_BYTES.min(usize::try_from(limit).unwrap_or(usize::MAX));
    if buffer.fill(reader, memory + 1)? {
        return Ok(in_memory(path.to_owned(), buffer.into_vec()));
    }
    if buffer.len as u64 > limit {
        return Err(over_limit(budget));
    }
    spooled(path, &buffer.into_vec(), reader, budget)
}

fn spooled(
    path: &str,
    head: &[u8],
    reader: &mut dyn Read,
    budget: &Budget,
) -> io::Result<Document> {
    let limit = budget.limits.document_bytes;
    let mut file = tempfile::tempfile()?;
    let mut hash = Sha256::new();
    hash.update(head);
    file.write_all(head)?;
    let mut written = head.len() as u64;
    let mut slice = vec![0; 64 << 10];
    loop {
        let count = match reader.read(&mut slice) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        written += count as u64;
        if written > limit {
            return Err(over_limit(budget));
        }
        hash.update(&slice[..count]);
        file.write_all(&slice[..count])?;
    }
    Ok(Document {
        path: path.to_owned(),
        sha256: hash.finalize().into(),
        content: Content::Spooled(file),
        oddities: Vec::new(),
    })
}

fn over_limit(budget: &Budget) -> io::Error {
    let message = format!(
        "the document exceeds {} bytes (limits.document_bytes)",
        budget.limits.document_bytes
    );
    budget.fail(Refusal::new("limit-document-bytes", message))
}

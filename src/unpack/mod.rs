//! Part or file bytes -> documents. The only user of `flate2`, `zip` and `tar`. Every read is bounded, what a
//! container declares of itself is not believed.

mod archive;
mod budget;
mod gzip;
mod members;
mod sniff;
mod spool;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek};

use crate::model::outcome::{Oddity, Refusal};

pub use budget::Budget;
pub use members::{Packing, members, packing};
pub use sniff::{Container, container, leading_blank};

use archive::Member;
use gzip::Gzip;
use spool::Buffer;

/// One document: the bytes of one report, or of something that turned out not to be one.
#[derive(Debug)]
pub struct Document {
    /// Where in the item: members joined by `!`; empty when the item itself is the document.
    pub path: String,
    /// SHA-256 of the bytes; its first 32 hex digits are the id of a report.
    pub sha256: [u8; 32],
    /// The bytes.
    pub content: Content,
    /// What unpacking forgave.
    pub oddities: Vec<Oddity>,
}

/// Bytes of a document: in memory, or spooled into an unlinked temporary file when larger than 16 MiB.
#[derive(Debug)]
pub enum Content {
    /// In memory.
    Memory(Vec<u8>),
    /// In an unlinked temporary file.
    Spooled(std::fs::File),
}

impl Document {
    /// The bytes from the beginning; may be called again.
    pub fn open(&self) -> io::Result<Box<dyn BufRead + '_>> {
        match &self.content {
            Content::Memory(bytes) => Ok(Box::new(bytes.as_slice())),
            Content::Spooled(file) => {
                let mut file = file;
                file.rewind()?;
                Ok(Box::new(BufReader::with_capacity(64 << 10, file)))
            }
        }
    }
}

/// Unpacks `bytes` (gzip, zip, tar, in any nesting up to the limit, or a bare document), by content alone. Calls
/// `found` for every document in order, or with the path and code of what was refused; the others go on.
pub fn unpack(path: &str, bytes: &[u8], budget: &mut Budget, found: Found<'_>) {
    // What came after the last document of what was unpacked before.
    budget.take_oddities();
    let mut unpacker = Unpacker {
        budget,
        found,
        stopped: false,
    };
    match container(bytes) {
        None => unpacker.bare(path, bytes),
        Some((kind, skipped)) => unpacker.packed(path, kind, &bytes[skipped..]),
    }
}

/// Receives documents and refusals.
pub type Found<'f> = &'f mut dyn FnMut(Result<Document, (String, Refusal)>);

struct Unpacker<'a> {
    budget: &'a Budget,
    found: Found<'a>,
    /// A bound of the whole item is reached: nothing more is read.
    stopped: bool,
}

impl Unpacker<'_> {
    fn refuse(&mut self, path: &str, refusal: Refusal) {
        self.stopped |= matches!(refusal.code, "limit-total-bytes" | "limit-entries");
        (self.found)(Err((path.to_owned(), refusal)));
    }

    /// The item or part is itself the document.
    fn bare(&mut self, path: &str, bytes: &[u8]) {
        let limit = self.budget.limits.document_bytes;
        if let Err(error) = self.budget.take_bytes(bytes.len() as u64) {
            let refusal = self.budget.refusal(&error, "limit-total-bytes");
            return self.refuse(path, refusal);
        }
        if bytes.len() as u64 > limit {
            let message = format!("the document exceeds {limit} bytes (limits.document_bytes)");
            return self.refuse(path, Refusal::new("limit-document-bytes", message));
        }
        (self.found)(Ok(spool::in_memory(path.to_owned(), bytes.to_vec())));
    }

    /// A container that is in memory.
    fn packed(&mut self, path: &str, kind: Container, bytes: &[u8]) {
        match kind {
            Container::Gzip => {
                let hint = gzip::size_hint(bytes);
                self.inside(path, &mut Gzip::new(bytes, self.budget), hint, 1);
            }
            Container::Zip => self.zip(path, bytes, 1),
            Container::Tar => self.tar(path, &mut { bytes }, 1),
        }
    }

    /// What `reader` gives: a document, or a container that lies in `depth` others.
    fn inside(&mut self, path: &str, reader: &mut dyn Read, hint: usize, depth: u32) {
        if let Err(error) = self.try_inside(path, reader, hint, depth) {
            let refusal = self.budget.refusal(&error, "unpack-failed");
            self.refuse(path, refusal);
        }
    }

    fn try_inside(
        &mut self,
        path: &str,
        reader: &mut dyn Read,
        hint: usize,
        depth: u32,
    ) -> io::Result<()> {
        let mut buffer = Buffer::new(hint);
        buffer.fill(reader, sniff::HEAD_BYTES)?;
        let Some((kind, skipped)) = container(buffer.filled()) else {
            return self.document(path, buffer, reader);
        };
        if depth >= self.budget.limits.nesting {
            let message = format!(
                "more than {} containers inside one another (limits.nesting)",
                depth
            );
            self.refuse(path, Refusal::new("limit-nesting", message));
            return Ok(());
        }
        if kind == Container::Zip {
            return self.zip_inside(path, buffer, skipped, reader, depth + 1);
        }
        let head = buffer.into_vec();
        let mut joined = head[skipped..].chain(BufReader::with_capacity(32 << 10, reader));
        match kind {
            Container::Gzip => self.inside(
                path,
                &mut Gzip::new(joined, self.budget),
                head.len() * 8,
                depth + 1,
            ),
            _ => self.tar(path, &mut joined, depth + 1),
        }
        Ok(())
    }

    /// A zip is read from its end: it must be in memory, within the bounds of one document.
    fn zip_inside(
        &mut self,
        path: &str,
        buffer: Buffer,
        skipped: usize,
        reader: &mut dyn Read,
        depth: u32,
    ) -> io::Result<()> {
        let document = spool::document(path, buffer, reader, self.budget)?;
        if self.budget.was_cut() {
            self.refuse(path, budget::truncated());
            return Ok(());
        }
        match document.content {
            Content::Memory(bytes) => self.zip(path, &bytes[skipped..], depth),
            Content::Spooled(file) => {
                let size = file.metadata()?.len();
                self.zip_members(path, BufReader::new(file), size, depth);
            }
        }
        Ok(())
    }

    /// Reads a document to its end. Data that was cut on its way counts when the document is whole nevertheless.
    fn document(&mut self, path: &str, buffer: Buffer, reader: &mut dyn Read) -> io::Result<()> {
        let mut document = spool::document(path, buffer, reader, self.budget)?;
        let whole = if self.budget.was_cut() {
            self.budget.forgive("gzip-cut");
            matches!(&document.content, Content::Memory(bytes) if sniff::ends_whole(bytes))
        } else {
            true
        };
        document.oddities = self.budget.take_oddities();
        if whole {
            (self.found)(Ok(document));
        } else {
            self.refuse(path, budget::truncated());
        }
        Ok(())
    }

    fn zip(&mut self, path: &str, bytes: &[u8], depth: u32) {
        self.zip_members(path, Cursor::new(bytes), bytes.len() as u64, depth);
    }

    fn zip_members(&mut self, path: &str, reader: impl Read + Seek, size: u64, depth: u32) {
        archive::zip(reader, size, self.budget, &mut |member| {
            self.member(path, member, depth)
        });
    }

    fn tar(&mut self, path: &str, reader: &mut dyn Read, depth: u32) {
        archive::tar(reader, self.budget, &mut |member| {
            self.member(path, member, depth)
        });
    }

    fn member(&mut self, archive_path: &str, member: Member<'_>, depth: u32) -> bool {
        let path = match member.name {
            None => archive_path.to_owned(),
            Some(name) if archive_path.is_empty() => name,
            Some(name) => format!("{archive_path}!{name}"),
        };
        // What was forgiven of the containers around it, or after the last document of the one before.
        self.budget.take_oddities();
        match member.content {
            Ok((reader, hint)) => self.inside(
                &path,
                reader,
                usize::try_from(hint).unwrap_or(usize::MAX),
                depth,
            ),
            Err(refusal) => self.refuse(&path, refusal),
        }
        !self.stopped
    }
}

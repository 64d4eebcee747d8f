//! Files, folders, Maildir, mbox, local archives and standard input -> items.

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::Path;

use super::{FoundItem, folder, mbox};
use crate::mail::is_mail;
use crate::model::item::{ItemKind, Provenance};
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::unpack::{Packing, members, packing};

/// Bytes of a large file that decide what it is.
const HEAD_BYTES: usize = 64 << 10;

/// Walks `paths` in the order given, folders recursively in byte order of names, and hands each item to `found`.
/// Stops when `found` returns `false`. A path that does not exist or cannot be read is an `Err` that names it, after
/// all the others were handed over. `-` is standard input. A file below a folder that cannot be read is a refused item
/// (`read-failed`).
pub fn walk(
    paths: &[OsString],
    limits: &Limits,
    found: &mut dyn FnMut(FoundItem) -> bool,
) -> io::Result<()> {
    let mut failed: Option<io::Error> = None;
    for path in paths {
        match one_path(path, limits, found) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => failed = Some(joined(failed, &named(path, &error))),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Both in one sentence; of the kind of the first.
fn joined(first: Option<io::Error>, next: &io::Error) -> io::Error {
    const SHOWN_BYTES: usize = 1000;
    match first {
        None => io::Error::new(next.kind(), next.to_string()),
        Some(first) if first.to_string().len() > SHOWN_BYTES => first,
        Some(first) => io::Error::new(first.kind(), format!("{first}; {next}")),
    }
}

fn named(path: &OsString, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.to_string_lossy()))
}

/// Whether a path is read as a stream, which may go on for as long as its writer likes.
pub fn is_stream(path: &OsString) -> bool {
    let is_special = |meta: Metadata| !meta.is_file() && !meta.is_dir();
    path == "-" || Path::new(path).metadata().is_ok_and(is_special)
}

fn one_path(
    path: &OsString,
    limits: &Limits,
    found: &mut dyn FnMut(FoundItem) -> bool,
) -> io::Result<bool> {
    if path == "-" {
        return Reader {
            source: "stdin",
            path: "-".to_owned(),
            limits,
            found,
        }
        .stream(io::stdin().lock());
    }
    let mut reader = Reader {
        source: "file",
        path: path.to_string_lossy().into_owned(),
        limits,
        found,
    };
    let path = Path::new(path);
    let meta = path.metadata()?;
    if meta.is_dir() {
        return folder::walk(path, &mut |path, error| {
            reader.path = path.to_string_lossy().into_owned();
            match error.map_or_else(|| reader.file(path), Err) {
                Ok(go_on) => go_on,
                Err(error) => {
                    reader.refused(None, Refusal::new("read-failed", error.to_string()), 0)
                }
            }
        });
    }
    if meta.is_file() {
        reader.file(path)
    } else {
        reader.stream(File::open(path)?)
    }
}

/// Reads one path and hands over its items.
struct Reader<'a> {
    source: &'static str,
    path: String,
    limits: &'a Limits,
    found: &'a mut dyn FnMut(FoundItem) -> bool,
}

impl Reader<'_> {
    fn give(&mut self, member: Option<String>, content: Result<Vec<u8>, (Refusal, u64)>) -> bool {
        let is_mail = content.as_ref().is_ok_and(|bytes| is_mail(bytes));
        let provenance = Provenance {
            source: self.source.to_owned(),
            path: Some(self.path.clone()),
            member,
            ..Provenance::default()
        };
        (self.found)(FoundItem {
            kind: if is_mail {
                ItemKind::Mail
            } else {
                ItemKind::File
            },
            provenance,
            content,
            head: Vec::new(),
        })
    }

    fn refused(&mut self, member: Option<String>, refusal: Refusal, bytes: u64) -> bool {
        self.give(member, Err((refusal, bytes)))
    }

    fn over_limit(&mut self, member: Option<String>, bytes: u64) -> bool {
        let message = format!(
            "{bytes} bytes, more than limits.item_bytes ({}) allows",
            self.limits.item_bytes
        );
        self.refused(member, Refusal::new("limit-item-bytes", message), bytes)
    }

    fn file(&mut self, path: &Path) -> io::Result<bool> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        if size > self.limits.item_bytes {
            return self.large(file, size);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
        file.by_ref()
            .take(self.limits.item_bytes + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > self.limits.item_bytes {
            return self.large(file, bytes.len() as u64);
        }
        self.small(bytes)
    }

    /// Standard input or a pipe: into memory, or into an unlinked file where it is too large for an item.
    fn stream(&mut self, mut input: impl Read) -> io::Result<bool> {
        let mut bytes = Vec::new();
        input
            .by_ref()
            .take(self.limits.item_bytes + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= self.limits.item_bytes {
            return self.small(bytes);
        }
        let mut file = tempfile::tempfile()?;
        let size = io::copy(&mut Cursor::new(bytes).chain(input), &mut file)?;
        self.large(file, size)
    }

    /// A file that fits into memory: an archive of items, an mbox, or an item.
    fn small(&mut self, bytes: Vec<u8>) -> io::Result<bool> {
        if let Some(packing) = packing(&bytes, self.limits) {
            return self.archive(packing, Cursor::new(&bytes), Some(&bytes));
        }
        if mbox::is_mbox(&bytes) && mbox::holds_several(&bytes) {
            return self.mbox(bytes.as_slice());
        }
        Ok(self.give(None, Ok(bytes)))
    }

    /// A file that is too large for an item: only its parts can be items.
    fn large(&mut self, mut file: File, size: u64) -> io::Result<bool> {
        file.rewind()?;
        let mut head = Vec::with_capacity(HEAD_BYTES);
        file.by_ref()
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut head)?;
        file.rewind()?;
        if let Some(packing) = packing(&head, self.limits) {
            return self.archive(packing, file, None);
        }
        if mbox::is_mbox(&head) {
            return self.mbox(BufReader::with_capacity(HEAD_BYTES, file));
        }
        Ok(self.over_limit(None, size))
    }

    fn mbox(&mut self, input: impl io::BufRead) -> io::Result<bool> {
        let limit = self.limits.item_bytes;
        mbox::messages(input, limit, &mut |number, message| {
            let member = Some(format!("message {number}"));
            match message {
                Ok(bytes) => self.give(member, Ok(bytes)),
                Err(size) => self.over_limit(member, size),
            }
        })
    }

    /// Each member is an item. An archive in which none can be read is an item itself (`whole`): its bytes are kept,
    /// and reading them says what is wrong.
    fn archive(
        &mut self,
        packing: Packing,
        source: impl Read + Seek,
        whole: Option<&[u8]>,
    ) -> io::Result<bool> {
        let (mut count, mut broken, mut go_on) = (0_u64, None, true);
        members(packing, source, self.limits, &mut |name, content| {
            match (name, content) {
                (None, Err(refused)) => broken = Some(refused),
                (name, content) => {
                    count += 1;
                    go_on = self.give(name, content);
                }
            }
            go_on
        })?;
        match (whole, broken) {
            (Some(bytes), _) if count == 0 && go_on => Ok(self.give(None, Ok(bytes.to_vec()))),
            (_, Some((refusal, bytes))) if go_on => Ok(self.refused(None, refusal, bytes)),
            (None, None) if count == 0 && go_on => Ok(self.refused(
                None,
                Refusal::new(Refusal::NOT_A_REPORT, "the archive is empty"),
                0,
            )),
            _ => Ok(go_on),
        }
    }
}

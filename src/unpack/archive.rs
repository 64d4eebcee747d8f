//! Walks the members of zip and tar archives. What an archive says of itself is a hint, what it holds is counted.

use std::io::{self, Read, Seek};

use ::zip::ZipReadOptions;
use ::zip::read::{Config, ZipFileEntry};
// The stable `ZipArchive` indexes all entries in memory; Cargo.lock holds the version.
use ::zip::unstable::read::ZipIterable;

use super::budget::Budget;
use super::sniff::{is_unsafe_path, printable};
use crate::model::outcome::Refusal;

/// A member, or (without a name) what is wrong with the archive itself.
pub(super) struct Member<'a> {
    pub(super) name: Option<String>,
    /// The bytes and a hint of their number.
    pub(super) content: Result<(&'a mut dyn Read, u64), Refusal>,
}

impl Member<'_> {
    fn refused(name: Option<String>, refusal: Refusal) -> Self {
        Member {
            name,
            content: Err(refusal),
        }
    }
}

/// Is handed each member; answers whether to go on.
pub(super) type Visit<'v> = &'v mut dyn FnMut(Member<'_>) -> bool;

/// Visits the files of a zip. `size` is the size of the archive, a bound on what its entries declare.
///
/// The central directory is read entry by entry, so a million entries need no memory; their number is held against
/// the budget before the first is read.
pub(super) fn zip(reader: impl Read + Seek, size: u64, budget: &Budget, visit: Visit<'_>) {
    let mut archive = match ZipIterable::try_new(reader, Config::default()) {
        Ok(archive) => archive,
        Err(error) => {
            visit(Member::refused(None, budget.refusal(&error, "zip-corrupt")));
            return;
        }
    };
    if let Err(refusal) = budget.take_entries(archive.len()) {
        visit(Member::refused(None, refusal));
        return;
    }
    let Ok(files) = archive.files() else { return };
    while let Some(entry) = files.next() {
        let go_on = match entry {
            Ok(entry) if entry.is_dir() => true,
            Ok(entry) => zip_member(entry, files.reader_mut(), size, budget, visit),
            Err(error) => visit(Member::refused(None, budget.refusal(&error, "zip-corrupt"))),
        };
        if !go_on {
            return;
        }
    }
}

fn zip_member(
    entry: ZipFileEntry<'_>,
    reader: &mut (impl Read + Seek),
    size: u64,
    budget: &Budget,
    visit: Visit<'_>,
) -> bool {
    let name = printable(entry.name_raw());
    if is_unsafe_path(&String::from_utf8_lossy(entry.name_raw())) {
        return visit(Member::refused(Some(name), unsafe_path("zip-path")));
    }
    if entry.encrypted() {
        let refusal = Refusal::new(
            "zip-encrypted",
            "the member is encrypted; reports never are",
        );
        return visit(Member::refused(Some(name), refusal));
    }
    let (bytes_in, hint) = (entry.compressed_size().min(size), entry.size());
    match entry.with_reader(reader, ZipReadOptions::new()) {
        Ok(file) => {
            let mut metered = Metered {
                inner: file,
                budget,
                bytes_in,
                bytes_out: 0,
            };
            visit(Member {
                name: Some(name),
                content: Ok((&mut metered, hint)),
            })
        }
        Err(error) => visit(Member::refused(
            Some(name),
            budget.refusal(&error, "zip-corrupt"),
        )),
    }
}

/// Visits the files of a tar.
pub(super) fn tar(reader: &mut dyn Read, budget: &Budget, visit: Visit<'_>) {
    let mut archive = ::tar::Archive::new(reader);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => {
            visit(Member::refused(None, budget.refusal(&error, "tar-corrupt")));
            return;
        }
    };
    for entry in entries {
        let member = match entry {
            Ok(entry) => entry,
            Err(error) => {
                visit(Member::refused(None, budget.refusal(&error, "tar-corrupt")));
                return;
            }
        };
        if let Err(refusal) = budget.take_entries(1) {
            visit(Member::refused(None, refusal));
            return;
        }
        if member.header().entry_type().is_file() && !tar_member(member, budget, visit) {
            return;
        }
    }
    if budget.was_cut() {
        visit(Member::refused(None, super::budget::truncated()));
    }
}

fn tar_member(entry: ::tar::Entry<'_, &mut dyn Read>, budget: &Budget, visit: Visit<'_>) -> bool {
    let name = printable(&entry.path_bytes());
    if is_unsafe_path(&String::from_utf8_lossy(&entry.path_bytes())) {
        return visit(Member::refused(Some(name), unsafe_path("tar-path")));
    }
    let hint = entry.size();
    let mut whole = Whole {
        inner: entry,
        budget,
        left: hint,
        is_broken: false,
    };
    let go_on = visit(Member {
        name: Some(name),
        content: Ok((&mut whole, hint)),
    });
    go_on && !whole.is_broken
}

fn unsafe_path(code: &'static str) -> Refusal {
    Refusal::new(
        code,
        "the name of the member leads out of the archive; the member was not read",
    )
}

/// Counts what an entry decompresses to.
struct Metered<'b, R> {
    inner: R,
    budget: &'b Budget,
    bytes_in: u64,
    bytes_out: u64,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self
            .inner
            .read(out)
            .map_err(|error| self.budget.damaged("zip-corrupt", &error))?;
        self.bytes_out += count as u64;
        self.budget.take_bytes(count as u64)?;
        self.budget.check_ratio(self.bytes_in, self.bytes_out)?;
        Ok(count)
    }
}

/// Ends only where the entry does: the tar crate takes a cut archive for a short entry.
struct Whole<'b, R> {
    inner: R,
    budget: &'b Budget,
    left: u64,
    /// What comes after this entry cannot be found.
    is_broken: bool,
}

impl<R: Read> Read for Whole<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out).map_err(|error| {
            self.is_broken = true;
            self.budget.damaged("tar-corrupt", &error)
        })?;
        self.left = self.left.saturating_sub(count as u64);
        if count == 0 && self.left > 0 && !out.is_empty() {
            self.is_broken = true;
            return Err(self
                .budget
                .damaged("tar-corrupt", &"the archive ends inside of the member"));
        }
        Ok(count)
    }
}

//! Walks a folder: one folder's names at a time, in byte order, so that a million files need no more memory than
//! their names.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Device and inode: what a folder is, whatever its name.
type Identity = (u64, u64);

/// A name in a folder, and whether the folder itself says that it is that of a regular file.
type Entry = (OsString, bool);

/// Hands each regular file below `folder` to `found`, recursively, until `found` answers `false`. The answer is that
/// of `found`.
///
/// Links are followed, but never into a folder that is being walked. Hidden names are passed over, hidden Maildirs
/// (subfolders of Maildir++) are not; of a Maildir only `cur`, `new` and its subfolders are read.
pub(super) fn walk(
    folder: &Path,
    found: &mut dyn FnMut(&Path, Option<io::Error>) -> bool,
) -> io::Result<bool> {
    let entries = entries(folder)?;
    walk_entries(folder, entries, &mut Vec::new(), found)
}

fn walk_entries(
    folder: &Path,
    entries: Vec<Entry>,
    above: &mut Vec<Identity>,
    found: &mut dyn FnMut(&Path, Option<io::Error>) -> bool,
) -> io::Result<bool> {
    above.push(identity(&fs::metadata(folder)?));
    let is_maildir = is_maildir(folder);
    for (name, is_file) in entries {
        let path = folder.join(&name);
        let hidden = name.as_bytes().starts_with(b".");
        let is_unread = hidden || is_maildir;
        let go_on = match (!is_file).then(|| fs::metadata(&path)) {
            None => is_unread || found(&path, None),
            Some(Err(_)) if hidden => true,
            Some(Err(error)) => found(&path, Some(error)),
            Some(Ok(meta)) if meta.is_dir() => {
                let unread = (hidden && !self::is_maildir(&path)) || (is_maildir && name == "tmp");
                unread || above.contains(&identity(&meta)) || subfolder(&path, above, found)?
            }
            Some(Ok(meta)) => is_unread || !meta.is_file() || found(&path, None),
        };
        if !go_on {
            return Ok(false);
        }
    }
    above.pop();
    Ok(true)
}

fn subfolder(
    path: &Path,
    above: &mut Vec<Identity>,
    found: &mut dyn FnMut(&Path, Option<io::Error>) -> bool,
) -> io::Result<bool> {
    match entries(path) {
        Ok(entries) => walk_entries(path, entries, above, found),
        Err(error) => Ok(found(path, Some(error))),
    }
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            Ok((entry.file_name(), is_file))
        })
        .collect::<io::Result<Vec<_>>>()?;
    entries.sort_unstable_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    Ok(entries)
}

fn identity(meta: &fs::Metadata) -> Identity {
    (meta.dev(), meta.ino())
}

fn is_maildir(folder: &Path) -> bool {
    let has = |name: &str| -> bool { PathBuf::from(folder).join(name).is_dir() };
    has("cur") && has("new")
}

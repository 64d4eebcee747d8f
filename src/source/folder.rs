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

/// Hands each regular file below `folder` to `found`, recursively, until `found` answers `false`. The answer is that
/// of `found`.
///
/// Links are followed, but never into a folder that is being walked. Hidden names are passed over, hidden Maildirs
/// (subfolders of Maildir++) are not; of a Maildir only `cur`, `new` and its subfolders are read.
pub(super) fn walk(
    folder: &Path,
    found: &mut dyn FnMut(&Path, Option<io::Error>) -> bool,
) -> io::Result<bool> {
    let names = names(folder)?;
    walk_names(folder, names, &mut Vec::new(), found)
}

fn walk_names(
    folder: &Path,
    names: Vec<OsString>,
    above: &mut Vec<Identity>,
    found: &mut dyn FnMut(&Path, Option<io::Error>) -> bool,
) -> io::Result<bool> {
    above.push(identity(&fs::metadata(folder)?));
    let is_maildir = is_maildir(folder);
    for name in names {
        let path = folder.join(&name);
        let hidden = name.as_bytes().starts_with(b".");
        let go_on = match fs::metadata(&path) {
            Err(_) if hidden => true,
            Err(error) => found(&path, Some(error)),
            Ok(meta) if meta.is_dir() => {
                let unread = (hidden && !self::is_maildir(&path)) || (is_maildir && name == "tmp");
                unread || above.contains(&identity(&meta)) || subfolder(&path, above, found)?
            }
            Ok(meta) if meta.is_file() && !hidden && !is_maildir => found(&path, None),
            Ok(_) => true,
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
    match names(path) {
        Ok(names) => walk_names(path, names, above, found),
        Err(error) => Ok(found(path, Some(error))),
    }
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    Ok(names)
}

fn identity(meta: &fs::Metadata) -> Identity {
    (meta.dev(), meta.ino())
}

fn is_maildir(folder: &Path) -> bool {
    let has = |name: &str| -> bool { PathBuf::from(folder).join(name).is_dir() };
    has("cur") && has("new")
}

//! What it takes for a file to outlive a power failure, for the rooms that keep truth or publish. Knows no format.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Creates `folder` and its parents; each new name is durable in its parent on return.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !folder.is_dir() => {
            return Err(named(folder, "creating folder", &error));
        }
        _ => {}
    }
    sync_folder(folder.parent().unwrap_or(Path::new(".")))
}

/// Makes the names in `folder` durable: what was created, renamed or removed in it.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(|error| named(folder, "syncing folder", &error))
}

/// The same error, saying what was done to which path.
pub fn named(path: &Path, doing: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{doing} {}: {error}", path.display()))
}

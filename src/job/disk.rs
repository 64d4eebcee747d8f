//! Whether there is room for another run: a full disk would end one in the middle.

use std::fs;
use std::io;
use std::path::Path;

use super::folders::Folders;

/// Says what is missing, where less than `min_free_bytes` and the size of the database, which each publication copies,
/// are left.
pub fn shortage(folders: &Folders, min_free_bytes: u64) -> io::Result<Option<String>> {
    let database_bytes = match fs::metadata(folders.database()) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let archive = folders.archive();
    let Some(there) = archive.ancestors().find(|path| path.exists()) else {
        return Ok(None);
    };
    let free_bytes = free_bytes(there)?;
    let wanted_bytes = min_free_bytes.saturating_add(database_bytes);
    Ok((free_bytes < wanted_bytes).then(|| {
        format!(
            "{} MiB are left on the disk of {}, fetching goes on with {} MiB (app.min_free_disk and the size of the \
             database)",
            free_bytes >> 20,
            there.display(),
            wanted_bytes >> 20
        )
    }))
}

fn free_bytes(folder: &Path) -> io::Result<u64> {
    let state = rustix::fs::statvfs(folder)?;
    Ok(state.f_bavail.saturating_mul(state.f_frsize))
}

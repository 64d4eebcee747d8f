//! Whether there is room for another run: a full disk would end one in the middle.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::folders::Folders;

/// What the disk has room for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Room {
    /// Why nothing is fetched, if so.
    pub shortage: Option<String>,
    /// Whether there is enough to publish, and to write a part of the archive anew: what frees room needs some first.
    pub is_enough_to_tidy: bool,
}

/// What a joined segment of the archive takes at most.
const JOINED_BYTES: u64 = 64 << 20;

/// Looks at the disk.
pub fn room(folders: &Folders, min_free_bytes: u64) -> io::Result<Room> {
    let shortage = shortage(folders, min_free_bytes)?;
    let is_enough_to_tidy = shortage.is_none() || is_enough_to_tidy(folders)?;
    Ok(Room {
        shortage,
        is_enough_to_tidy,
    })
}

/// The database may be made anew, and is copied; a segment is there twice for a while.
fn is_enough_to_tidy(folders: &Folders) -> io::Result<bool> {
    let Some(there) = existing(&folders.archive()) else {
        return Ok(true);
    };
    let mut largest_bytes = JOINED_BYTES;
    if there == folders.archive() {
        for segment in fs::read_dir(&there)? {
            largest_bytes = largest_bytes.max(size_bytes(&segment?.path())?);
        }
    }
    let wanted_bytes = size_bytes(&folders.database())? * 2 + largest_bytes;
    Ok(free_bytes(&there)? >= wanted_bytes)
}

fn existing(folder: &Path) -> Option<PathBuf> {
    let there = folder.ancestors().find(|path| path.exists());
    there.map(Path::to_owned)
}

/// 0 where there is no such file.
fn size_bytes(file: &Path) -> io::Result<u64> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Says what is missing, where less than `min_free_bytes` and the size of the database, which each publication copies,
/// are left.
pub fn shortage(folders: &Folders, min_free_bytes: u64) -> io::Result<Option<String>> {
    let database_bytes = size_bytes(&folders.database())?;
    let Some(there) = existing(&folders.archive()) else {
        return Ok(None);
    };
    let free_bytes = free_bytes(&there)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_cannot_be_looked_at_is_no_empty_one() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join("work"), "no folder").unwrap();
        assert!(room(&Folders::new(data.path()), 0).is_err());
    }

    #[test]
    fn a_disk_that_is_too_full_to_fetch_may_have_room_to_tidy() {
        let data = tempfile::tempdir().unwrap();
        let folders = Folders::new(data.path());
        assert_eq!(room(&folders, 0).unwrap().shortage, None);
        let full = room(&folders, u64::MAX).unwrap();
        assert!(
            full.shortage.is_some() && full.is_enough_to_tidy,
            "{full:?}"
        );
        // Larger than any disk, and empty.
        fs::create_dir_all(folders.work()).unwrap();
        let database = fs::File::create(folders.database()).unwrap();
        database.set_len(1 << 42).unwrap();
        let full = room(&folders, u64::MAX).unwrap();
        assert!(
            full.shortage.is_some() && !full.is_enough_to_tidy,
            "{full:?}"
        );
    }
}

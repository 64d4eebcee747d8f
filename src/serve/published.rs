//! The published generation, resolved anew for each request: only paths of its manifest can be read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::publish::{Generation, PublishedFile, Publisher};

/// Tells one manifest file from another that took its place, even under the same number.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct ManifestKey {
    number: u64,
    inode: u64,
    modified: (i64, i64),
    bytes: u64,
}

/// A generation and when it was published.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) generation: Generation,
    pub(crate) published_utc: DateTime<Utc>,
}

/// The folder with `current` and `releases/`; keeps the last manifest it parsed.
#[derive(Debug)]
pub(crate) struct Published {
    public_dir: PathBuf,
    publisher: Publisher,
    last: Mutex<Option<(ManifestKey, Arc<Current>)>>,
}

/// A file as read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) content: Vec<u8>,
    pub(crate) sha256: String,
}

impl Published {
    /// Opens nothing yet.
    pub(crate) fn new(public_dir: PathBuf) -> Self {
        Self {
            publisher: Publisher::open(&public_dir),
            public_dir,
            last: Mutex::new(None),
        }
    }

    /// The current generation; `None` before the first one is published.
    pub(crate) fn current(&self) -> io::Result<Option<Arc<Current>>> {
        // The folder may be pruned between reading the link and reading the manifest: then the link says more.
        match self.resolve() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.resolve(),
            other => other,
        }
    }

    /// A file of the current generation, `None` when its manifest does not name it.
    pub(crate) fn read(&self, path: &str, max_bytes: u64) -> io::Result<Option<Found>> {
        read_from(|| self.current(), path, max_bytes)
    }

    fn resolve(&self) -> io::Result<Option<Arc<Current>>> {
        let Some(number) = self.publisher.current_target()? else {
            return Ok(None);
        };
        let manifest = self
            .public_dir
            .join(format!("releases/{number}/manifest.json"));
        let meta = fs::metadata(manifest)?;
        let modified = (meta.mtime(), meta.mtime_nsec());
        let key = ManifestKey {
            number,
            inode: meta.ino(),
            modified,
            bytes: meta.len(),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, current)) = last.as_ref().filter(|(known, _)| *known == key) {
            return Ok(Some(Arc::clone(current)));
        }
        // The link may have moved on since: then what is read is newer than the key, and the next request sees that.
        let Some(generation) = self.publisher.current()? else {
            return Ok(None);
        };
        let published_utc = DateTime::from_timestamp(modified.0, 0).unwrap_or_default();
        let current = Arc::new(Current {
            generation,
            published_utc,
        });
        *last = Some((key, Arc::clone(&current)));
        Ok(Some(current))
    }
}

/// Reads from the generation that `current` gives; asks once more when the file has vanished, because its generation
/// may have been pruned after the link was read.
fn read_from(
    mut current: impl FnMut() -> io::Result<Option<Arc<Current>>>,
    path: &str,
    max_bytes: u64,
) -> io::Result<Option<Found>> {
    let mut read = || {
        let Some(current) = current()? else {
            return Ok(None);
        };
        let Some(file) = current.generation.file(path) else {
            return Ok(None);
        };
        let root = current.generation.folder.canonicalize()?;
        // Published files are plain files: a link was put in the place of one by somebody else.
        if file.path.canonicalize()? != root.join(path) {
            return Err(damaged(path, "is or lies behind a link"));
        }
        read_file(path, &file, max_bytes).map(Some)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => read(),
        other => other,
    }
}

fn read_file(path: &str, file: &PublishedFile<'_>, max_bytes: u64) -> io::Result<Found> {
    if file.bytes > max_bytes {
        return Err(damaged(path, "is larger than the server sends"));
    }
    let mut content = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or(0));
    File::open(&file.path)?
        .take(file.bytes + 1)
        .read_to_end(&mut content)?;
    if content.len() as u64 != file.bytes {
        return Err(damaged(path, "has another size than in its manifest"));
    }
    Ok(Found {
        content,
        sha256: file.sha256.to_owned(),
    })
}

fn damaged(path: &str, what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("published file {path} {what}"),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::publish::FileEntry;
    use crate::serve::tests::manifest;

    /// A generation with one file; without `content` the file is gone.
    fn generation(folder: &Path, content: Option<&str>) -> Option<Arc<Current>> {
        if let Some(content) = content {
            fs::write(folder.join("page"), content).unwrap();
        }
        let files = BTreeMap::from([(
            "page".into(),
            FileEntry {
                sha256: "0".repeat(64),
                bytes: 3,
            },
        )]);
        let generation = Generation {
            number: 1,
            folder: folder.to_owned(),
            manifest: manifest(1, files),
        };
        Some(Arc::new(Current {
            generation,
            published_utc: DateTime::default(),
        }))
    }

    #[test]
    fn a_file_that_was_pruned_in_between_is_read_from_the_next_generation() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut answers = vec![
            generation(new.path(), Some("two")),
            generation(old.path(), None),
        ];
        let found = read_from(|| Ok(answers.pop().flatten()), "page", 100)
            .unwrap()
            .unwrap();
        assert_eq!(found.content, b"two");
    }

    #[test]
    fn a_file_that_stays_away_is_an_error_not_a_missing_page() {
        let folder = tempfile::tempdir().unwrap();
        let found = read_from(|| Ok(generation(folder.path(), None)), "page", 100);
        assert_eq!(found.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let found = read_from(|| Ok(generation(folder.path(), Some("two"))), "page", 2);
        assert_eq!(found.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

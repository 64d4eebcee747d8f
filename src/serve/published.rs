//! The published generation, resolved anew for each request: only paths of its manifest can be read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// A manifest beyond this is damage.
const MAX_MANIFEST_BYTES: u64 = 256 * 1024 * 1024;

/// A published file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FileEntry {
    /// Lower-case hex SHA-256 of its content.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
}

/// One generation and its manifest.
#[derive(Debug)]
pub struct Generation {
    /// `releases/N`, absolute and without links.
    pub dir: PathBuf,
    /// N.
    pub number: u64,
    /// The UTC day for which things are judged, as in the manifest.
    pub as_of: Option<String>,
    /// Highest item of the archive that it covers.
    pub archive_position: u64,
    /// When it was written (the manifest file's time).
    pub published_utc: DateTime<Utc>,
    /// Path below `dir` -> file.
    pub files: BTreeMap<String, FileEntry>,
}

/// What went wrong with the published files.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The file system.
    #[error("reading {path}: {source}")]
    Io {
        /// Path below the public folder.
        path: String,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// Content that publishing never writes.
    #[error("{path}: {what}")]
    Damaged {
        /// Path below the public folder.
        path: String,
        /// What is wrong with it.
        what: String,
    },
}

/// Tells one manifest file from another that took its place, even under the same number.
#[derive(Debug, PartialEq, Eq, Clone)]
struct ManifestKey {
    dir: PathBuf,
    inode: u64,
    modified: (i64, i64),
    bytes: u64,
}

/// The folder with `current` and `releases/`; keeps the last manifest it parsed.
#[derive(Debug)]
pub struct Published {
    public_dir: PathBuf,
    last: Mutex<Option<(ManifestKey, Arc<Generation>)>>,
}

/// A file as read.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) content: Vec<u8>,
    pub(crate) sha256: String,
}

impl Published {
    /// Opens nothing yet.
    pub fn new(public_dir: PathBuf) -> Self {
        Self {
            public_dir,
            last: Mutex::new(None),
        }
    }

    /// The current generation; `None` before the first one is published.
    pub fn current(&self) -> Result<Option<Arc<Generation>>, PublishedError> {
        // The folder may be pruned between reading the link and reading the manifest: then the link says more.
        match self.resolve() {
            Err(PublishedError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                self.resolve()
            }
            other => other,
        }
    }

    /// A file of the current generation, `None` when its manifest does not name it.
    pub(crate) fn read(&self, path: &str, max_bytes: u64) -> Result<Option<Found>, PublishedError> {
        read_from(|| self.current(), path, max_bytes)
    }

    fn resolve(&self) -> Result<Option<Arc<Generation>>, PublishedError> {
        let target = match fs::read_link(self.public_dir.join("current")) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                return Err(PublishedError::Io {
                    path: "current".into(),
                    source,
                });
            }
        };
        let io = |source| PublishedError::Io {
            path: "current/manifest.json".into(),
            source,
        };
        let dir = self.public_dir.join(target).canonicalize().map_err(io)?;
        let mut file = File::open(dir.join("manifest.json")).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        let key = ManifestKey {
            dir,
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            bytes: meta.len(),
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, generation)) = last.as_ref().filter(|(known, _)| *known == key) {
            return Ok(Some(Arc::clone(generation)));
        }
        let generation = Arc::new(parse(&key, &mut file)?);
        *last = Some((key, Arc::clone(&generation)));
        Ok(Some(generation))
    }
}

/// The part of `manifest.json` that the server needs.
#[derive(Deserialize)]
struct Manifest {
    generation: u64,
    #[serde(default)]
    as_of: Option<String>,
    #[serde(default)]
    archive_position: u64,
    files: BTreeMap<String, FileEntry>,
}

fn parse(key: &ManifestKey, file: &mut File) -> Result<Generation, PublishedError> {
    let path = "current/manifest.json";
    let damaged = |what: String| PublishedError::Damaged {
        path: path.into(),
        what,
    };
    if key.bytes > MAX_MANIFEST_BYTES {
        return Err(damaged(format!(
            "{} bytes are more than any manifest has",
            key.bytes
        )));
    }
    let mut text = Vec::new();
    file.take(MAX_MANIFEST_BYTES)
        .read_to_end(&mut text)
        .map_err(|source| PublishedError::Io {
            path: path.into(),
            source,
        })?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    Ok(Generation {
        dir: key.dir.clone(),
        number: manifest.generation,
        as_of: manifest.as_of,
        archive_position: manifest.archive_position,
        published_utc: DateTime::from_timestamp(key.modified.0, 0).unwrap_or_default(),
        files: manifest.files,
    })
}

/// Reads from the generation that `current` gives; asks once more when the file has vanished, because its generation
/// may have been pruned after the link was read.
fn read_from(
    mut current: impl FnMut() -> Result<Option<Arc<Generation>>, PublishedError>,
    path: &str,
    max_bytes: u64,
) -> Result<Option<Found>, PublishedError> {
    let mut read = || {
        let Some(generation) = current()? else {
            return Ok(None);
        };
        let Some(entry) = generation.files.get(path) else {
            return Ok(None);
        };
        let content = read_entry(&generation.dir, path, entry, max_bytes)?;
        Ok(Some(Found {
            content,
            sha256: entry.sha256.clone(),
        }))
    };
    match read() {
        Err(PublishedError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            read()
        }
        other => other,
    }
}

fn read_entry(
    dir: &Path,
    path: &str,
    entry: &FileEntry,
    max_bytes: u64,
) -> Result<Vec<u8>, PublishedError> {
    let io = |source| PublishedError::Io {
        path: path.into(),
        source,
    };
    let damaged = |what: String| PublishedError::Damaged {
        path: path.into(),
        what,
    };
    // Published files are plain files inside the generation: a link out of it was put there by somebody else.
    let real = dir.join(path).canonicalize().map_err(io)?;
    if real != dir.join(path) {
        return Err(damaged("is or lies behind a link".into()));
    }
    if entry.bytes > max_bytes {
        return Err(damaged(format!(
            "{} bytes are over the limit of {max_bytes}",
            entry.bytes
        )));
    }
    let mut content = Vec::with_capacity(usize::try_from(entry.bytes).unwrap_or(0));
    File::open(real)
        .map_err(io)?
        .take(entry.bytes + 1)
        .read_to_end(&mut content)
        .map_err(io)?;
    if content.len() as u64 != entry.bytes {
        return Err(damaged(format!(
            "is not the {} bytes of its manifest",
            entry.bytes
        )));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generation with one file; without `content` the file is gone.
    fn generation(dir: &Path, content: Option<&str>) -> Arc<Generation> {
        let dir = dir.canonicalize().unwrap();
        if let Some(content) = content {
            fs::write(dir.join("page"), content).unwrap();
        }
        let entry = FileEntry {
            sha256: "hash".into(),
            bytes: 3,
        };
        Arc::new(Generation {
            dir,
            number: 1,
            as_of: None,
            archive_position: 0,
            published_utc: DateTime::default(),
            files: BTreeMap::from([("page".into(), entry)]),
        })
    }

    #[test]
    fn a_file_that_was_pruned_in_between_is_read_from_the_next_generation() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut answers = vec![
            generation(new.path(), Some("two")),
            generation(old.path(), None),
        ];
        let found = read_from(|| Ok(answers.pop()), "page", 100)
            .unwrap()
            .unwrap();
        assert_eq!(found.content, b"two");
    }

    #[test]
    fn a_file_that_stays_away_is_an_error_not_a_missing_page() {
        let dir = tempfile::tempdir().unwrap();
        let found = read_from(|| Ok(Some(generation(dir.path(), None))), "page", 100);
        assert!(matches!(found, Err(PublishedError::Io { .. })));
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let found = read_from(|| Ok(Some(generation(dir.path(), Some("two")))), "page", 2);
        assert!(matches!(found, Err(PublishedError::Damaged { .. })));
    }
}

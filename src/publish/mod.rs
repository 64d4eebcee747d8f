//! Files of a generation -> one rename.
//!
//! `releases/N` is complete, durable and read-only before `current` points to it, and is never changed afterwards.
//! Whoever publishes holds the run lock; readers need no lock.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub use self::manifest::{FileEntry, Manifest, Values};
pub use self::staging::{DATABASE, Staging};
use crate::durable;

mod manifest;
mod staging;
mod sync;

#[cfg(test)]
mod tests;

/// Generations that are kept however old they are.
const KEPT_GENERATIONS: usize = 3;
/// A generation is kept this long after the next one took its place, for those who still read it.
const KEPT_SECS: i64 = 3600;
/// What is not yet, or no longer, a generation has a name that begins with a dot.
const STAGING: &str = ".staging";
const REMOVED: &str = ".removed-";
const LINK: &str = "current";
const TEMP_LINK: &str = ".current.tmp";

/// The folder `public/`.
#[derive(Debug, Clone)]
pub struct Publisher {
    folder: PathBuf,
}

/// A published generation, resolved once: what is read through it belongs together, whatever is published meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// The N of `releases/N`.
    pub number: u64,
    /// `…/releases/N`.
    pub folder: PathBuf,
    /// What it is made of.
    pub manifest: Manifest,
}

/// A file of a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFile<'a> {
    /// Where it is.
    pub path: PathBuf,
    /// 64 hex digits; serves as ETag.
    pub sha256: &'a str,
    /// Size.
    pub bytes: u64,
}

impl Generation {
    /// A file by its path in the manifest; `None` for every other path.
    pub fn file(&self, path: &str) -> Option<PublishedFile<'_>> {
        let entry = self.manifest.files.get(path)?;
        Some(PublishedFile {
            path: self.folder.join(path),
            sha256: &entry.sha256,
            bytes: entry.bytes,
        })
    }

    /// Where the database of the generation is.
    pub fn database(&self) -> Option<PathBuf> {
        self.manifest
            .database_bytes
            .map(|_| self.folder.join(staging::DATABASE))
    }
}

impl Publisher {
    /// Of the folder `public/`, which is created by the first [`Publisher::stage`].
    pub fn open(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The number of the generation that is published now, `None` before the first. One `readlink`: cheap enough to
    /// ask at each request.
    pub fn current_target(&self) -> io::Result<Option<u64>> {
        let link = self.folder.join(LINK);
        let target = match fs::read_link(&link) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(durable::named(&link, "reading link", &error)),
        };
        let number = target
            .to_str()
            .and_then(|target| target.strip_prefix("releases/"))
            .and_then(number);
        number.map(Some).ok_or_else(|| {
            let message = format!(
                "{} points to {}, which is no generation",
                link.display(),
                target.display()
            );
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }

    /// The generation that is published now, `None` before the first. One that cannot be read is an error.
    pub fn current(&self) -> io::Result<Option<Generation>> {
        let Some(number) = self.current_target()? else {
            return Ok(None);
        };
        let folder = self.release(number);
        let manifest = manifest::read(&folder, number)?;
        Ok(Some(Generation {
            number,
            folder,
            manifest,
        }))
    }

    /// Begins a generation in a folder of its own, from which unchanged files of `base` can be had for a link. Removes
    /// what a crash left of an earlier one.
    pub fn stage(&self, base: Option<&Generation>) -> io::Result<Staging> {
        let releases = self.releases();
        durable::create_folder(&releases)?;
        for entry in
            fs::read_dir(&releases).map_err(|error| durable::named(&releases, "listing", &error))?
        {
            let entry = entry?;
            let name = entry.file_name();
            if name == STAGING || name.to_string_lossy().starts_with(REMOVED) {
                remove(&entry.path())?;
            }
        }
        let folder = releases.join(STAGING);
        fs::create_dir(&folder)
            .map_err(|error| durable::named(&folder, "creating folder", &error))?;
        Ok(Staging::new(self.clone(), folder, base.cloned()))
    }

    /// Gives a complete and durable staging folder its number and points `current` to it.
    fn flip(&self, staging: &Path, number: u64) -> io::Result<PathBuf> {
        let folder = self.release(number);
        fs::rename(staging, &folder)
            .map_err(|error| durable::named(&folder, "naming generation", &error))?;
        durable::sync_folder(&self.releases())?;
        let temp = self.folder.join(TEMP_LINK);
        let link = self.folder.join(LINK);
        match fs::remove_file(&temp) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(durable::named(&temp, "removing", &error));
            }
            _ => {}
        }
        symlink(format!("releases/{number}"), &temp)
            .and_then(|()| fs::rename(&temp, &link))
            .map_err(|error| durable::named(&link, "pointing to the generation", &error))?;
        durable::sync_folder(&self.folder)?;
        Ok(folder)
    }

    /// Removes generations that are neither among the newest nor were the current one within the last hour.
    fn prune(&self, now_utc_secs: i64) -> io::Result<()> {
        let current = self.current_target()?;
        let numbers = self.numbers()?;
        let old = numbers.len().saturating_sub(KEPT_GENERATIONS);
        for pair in numbers.windows(2).take(old) {
            let [number, next] = [pair[0], pair[1]];
            // One that lost its manifest does not say when it took the place of the one before, which stays as long.
            let replaced = sync::published_utc_secs(&self.release(next).join(manifest::FILE_NAME));
            let is_old = replaced.is_ok_and(|replaced_utc_secs| {
                now_utc_secs.saturating_sub(replaced_utc_secs) >= KEPT_SECS
            });
            if Some(number) != current && is_old {
                let removed = self.releases().join(format!("{REMOVED}{number}"));
                fs::rename(self.release(number), &removed)
                    .map_err(|error| durable::named(&removed, "naming", &error))?;
                remove(&removed)?;
            }
        }
        Ok(())
    }

    /// Numbers of the generations on disk, the lowest first.
    fn numbers(&self) -> io::Result<Vec<u64>> {
        let releases = self.releases();
        let names = fs::read_dir(&releases)
            .and_then(|entries| {
                entries
                    .map(|entry| Ok(entry?.file_name()))
                    .collect::<io::Result<Vec<_>>>()
            })
            .map_err(|error| durable::named(&releases, "listing", &error))?;
        let mut numbers: Vec<u64> = names
            .iter()
            .filter_map(|name| number(name.to_str()?))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn releases(&self) -> PathBuf {
        self.folder.join("releases")
    }

    fn release(&self, number: u64) -> PathBuf {
        self.releases().join(number.to_string())
    }
}

fn number(name: &str) -> Option<u64> {
    name.parse()
        .ok()
        .filter(|number: &u64| number.to_string() == name)
}

fn remove(path: &Path) -> io::Result<()> {
    let is_folder = fs::symlink_metadata(path)?.is_dir();
    let removed = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.map_err(|error| durable::named(path, "removing", &error))
}

//! A generation that is being written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::manifest::{self, FORMAT, FileEntry, Manifest, Values};
use super::{Generation, Publisher, sync};
use crate::durable;
use crate::model::hex::hex;

/// Path of the database in a generation.
pub const DATABASE: &str = "sentinel.duckdb";

/// Name of a link on its way to its path; no published file is called so.
const LINKED: &str = ".linked";

/// A folder beside the generations. Paths are relative to it, with `/`. Dropped without [`Staging::publish`], it is
/// removed by the next [`Publisher::stage`].
#[derive(Debug)]
pub struct Staging {
    publisher: Publisher,
    folder: PathBuf,
    base: Option<Generation>,
    files: BTreeMap<String, FileEntry>,
    /// Files that were written, not linked: they have to be synced.
    written: Vec<PathBuf>,
    /// Folders with names in them: they have to be synced.
    folders: BTreeSet<PathBuf>,
    database_bytes: Option<u64>,
}

impl Staging {
    pub(super) fn new(publisher: Publisher, folder: PathBuf, base: Option<Generation>) -> Self {
        let folders = BTreeSet::from([folder.clone()]);
        let (files, written) = (BTreeMap::new(), Vec::new());
        Self {
            publisher,
            folder,
            base,
            files,
            written,
            folders,
            database_bytes: None,
        }
    }

    /// Where it is: for those who write files by themselves and hand them over with [`Staging::adopt`].
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files so far, sorted.
    pub fn files(&self) -> &BTreeMap<String, FileEntry> {
        &self.files
    }

    /// Writes a file, or links the one of the base where that has the same bytes.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let target = self.target(path)?;
        let entry = FileEntry {
            sha256: hex(&Sha256::digest(bytes)),
            bytes: bytes.len() as u64,
        };
        if !self.link(path, &entry, &target)? {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o444)
                .open(&target)
                .and_then(|mut file| file.write_all(bytes))
                .map_err(|error| durable::named(&target, "writing", &error))?;
            self.written.push(target);
        }
        self.files.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Whether the base has a file of this path, and nobody removed it.
    pub fn is_in_base(&self, path: &str) -> bool {
        self.base.as_ref().is_some_and(|base| {
            base.manifest.files.contains_key(path) && base.folder.join(path).is_file()
        })
    }

    /// Whether the base has these bytes under this path, by its manifest.
    pub fn is_same_in_base(&self, path: &str, bytes: &[u8]) -> bool {
        self.base.as_ref().is_some_and(|base| {
            let had = base.manifest.files.get(path);
            had.is_some_and(|had| had.sha256 == hex(&Sha256::digest(bytes)))
        })
    }

    /// Takes the file of the base over unread; `false` when the base has none of this path.
    pub fn keep(&mut self, path: &str) -> io::Result<bool> {
        let Some(base) = &self.base else {
            return Ok(false);
        };
        let Some(entry) = base.manifest.files.get(path).cloned() else {
            return Ok(false);
        };
        let source = base.folder.join(path);
        let target = self.target(path)?;
        if !self.link(path, &entry, &target)? {
            // Some file systems know no links, and one file cannot have any number of them.
            fs::copy(&source, &target)
                .map_err(|error| durable::named(&source, "copying", &error))?;
            self.written.push(target);
        }
        self.files.insert(path.to_owned(), entry);
        Ok(true)
    }

    /// Takes all files of the base over that lie below `folder` and are not here yet; returns their number.
    pub fn keep_below(&mut self, folder: &str) -> io::Result<usize> {
        let Some(base) = &self.base else { return Ok(0) };
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        let paths: Vec<String> = base
            .manifest
            .files
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&prefix))
            .filter(|path| !self.files.contains_key(*path))
            .cloned()
            .collect();
        for path in &paths {
            self.keep(path)?;
        }
        Ok(paths.len())
    }

    /// Takes a file that somebody else wrote into the folder: hashes it, and links the one of the base in its place
    /// where that has the same bytes and can be linked.
    pub fn adopt(&mut self, path: &str) -> io::Result<()> {
        let target = self.target(path)?;
        let entry = hash(&target).map_err(|error| durable::named(&target, "hashing", &error))?;
        let linked = self.folder.join(LINKED);
        if self.link(path, &entry, &linked)? {
            fs::rename(&linked, &target)
                .map_err(|error| durable::named(&target, "replacing", &error))?;
            self.files.insert(path.to_owned(), entry);
            return Ok(());
        }
        sync::make_read_only(&target)?;
        self.written.push(target);
        self.files.insert(path.to_owned(), entry);
        Ok(())
    }

    /// Takes the database that somebody copied to `sentinel.duckdb` in the folder, by its size. It must have been
    /// closed: beside a write-ahead log it would lack what is in there.
    pub fn adopt_database(&mut self) -> io::Result<u64> {
        let target = self.folder.join(DATABASE);
        let log = self.folder.join(format!("{DATABASE}.wal"));
        if log.exists() {
            let message = format!(
                "{} was not closed: there is a {}",
                target.display(),
                log.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let bytes = fs::metadata(&target)
            .map_err(|error| durable::named(&target, "adopting", &error))?
            .len();
        sync::make_read_only(&target)?;
        self.written.push(target);
        self.database_bytes = Some(bytes);
        Ok(bytes)
    }

    /// Whether publishing would show nothing new: the same files from the same values. The ledger may have grown, as
    /// it does by each run.
    pub fn is_same_as_base(&self, values: &Values) -> bool {
        self.base
            .as_ref()
            .is_some_and(|Generation { manifest, .. }| {
                let ledger_offset = manifest.values.ledger_offset;
                manifest.values
                    == Values {
                        ledger_offset,
                        ..values.clone()
                    }
                    && manifest.files == self.files
            })
    }

    /// Makes everything durable and read-only, names it `releases/N`, points `current` to it, and removes generations
    /// that nobody should be reading any more.
    pub fn publish(mut self, values: Values, now_utc_secs: i64) -> io::Result<Generation> {
        let newest = self.publisher.numbers()?.last().copied().unwrap_or(0);
        let number = newest.max(self.publisher.current_target()?.unwrap_or(0)) + 1;
        let files = std::mem::take(&mut self.files);
        let manifest = Manifest {
            format: FORMAT,
            generation: number,
            values,
            database_bytes: self.database_bytes,
            files,
        };
        self.write_manifest(&manifest, now_utc_secs)?;
        sync::all(&self.written)?;
        sync::all(&self.folders.iter().cloned().collect::<Vec<_>>())?;
        let folder = self.publisher.flip(&self.folder, number)?;
        self.publisher.prune(now_utc_secs)?;
        Ok(Generation {
            number,
            folder,
            manifest,
        })
    }

    fn write_manifest(&mut self, manifest: &Manifest, now_utc_secs: i64) -> io::Result<()> {
        let path = self.folder.join(manifest::FILE_NAME);
        let mut text = serde_json::to_vec_pretty(manifest)?;
        text.push(b'\n');
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o444)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(&text)
                    .and_then(|()| sync::set_published(&file, now_utc_secs))
            })
            .map_err(|error| durable::named(&path, "writing", &error))?;
        self.written.push(path);
        Ok(())
    }

    /// Where `path` is, its folder created.
    fn target(&mut self, path: &str) -> io::Result<PathBuf> {
        let is_own = path == manifest::FILE_NAME || path == DATABASE;
        if is_own || !manifest::is_safe_path(path) || self.files.contains_key(path) {
            let why = if self.files.contains_key(path) {
                "is there already"
            } else {
                "is no path of a published file"
            };
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("publish: {path:?} {why}"),
            ));
        }
        let target = self.folder.join(path);
        let parents = target
            .ancestors()
            .skip(1)
            .take_while(|parent| *parent != self.folder);
        let new: Vec<PathBuf> = parents
            .take_while(|parent| !self.folders.contains(*parent))
            .map(Path::to_owned)
            .collect();
        if let Some(parent) = new.first() {
            fs::create_dir_all(parent)
                .map_err(|error| durable::named(parent, "creating folder", &error))?;
        }
        self.folders.extend(new);
        Ok(target)
    }

    /// Links the file of the base where it has the same bytes; `false` where it has not, or where that cannot be done.
    fn link(&self, path: &str, entry: &FileEntry, target: &Path) -> io::Result<bool> {
        let Some(base) = &self.base else {
            return Ok(false);
        };
        if base.manifest.files.get(path) != Some(entry) {
            return Ok(false);
        }
        match fs::hard_link(base.folder.join(path), target) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(durable::named(target, "linking", &error))
            }
            Err(_) => Ok(false),
        }
    }
}

fn hash(path: &Path) -> io::Result<FileEntry> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => {
                return Ok(FileEntry {
                    sha256: hex(&digest.finalize()),
                    bytes,
                });
            }
            count => {
                digest.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}

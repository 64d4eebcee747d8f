//! `manifest.json`: what a generation is made of, and every file that may be served from it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::durable;
use crate::model::day::Day;

/// Name in the folder of the generation.
pub const FILE_NAME: &str = "manifest.json";
/// The only format that this version reads and writes.
pub const FORMAT: u32 = 1;
/// A hundred thousand files take some 13 MB.
const MAX_BYTES: u64 = 256 << 20;

/// The five values of which a generation is a pure function, and what follows from them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Values {
    /// Highest item that was loaded.
    pub archive_position: u64,
    /// Bytes of the ledger that were folded.
    pub ledger_offset: u64,
    /// The UTC day for which things are judged.
    #[serde(with = "crate::model::day::iso")]
    pub as_of: Day,
    /// Reports of an earlier UTC day are gone, by the ledger up to the offset; `None` where none are.
    #[serde(
        with = "crate::model::day::iso_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expired_before: Option<Day>,
    /// Number of the ledger's last line up to the offset that shapes alerts; 0 where there is none.
    #[serde(default)]
    pub alert_seq: u64,
    /// Hash of the names of hosts by the ledger up to the offset; empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hosts_hash: String,
    /// Hash of the effective configuration.
    pub config_hash: String,
    /// Hash of everything in the program that shapes the output.
    pub code_hash: String,
}

/// One published file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// 64 lower-case hex digits.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
}

/// The content of `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The N of `releases/N`.
    pub generation: u64,
    /// What the generation was made of.
    #[serde(flatten)]
    pub values: Values,
    /// Size of the database file, `None` without one. It is not hashed: its bytes differ by nature.
    pub database_bytes: Option<u64>,
    /// Relative path to file, sorted; the database and the manifest are not among them.
    pub files: BTreeMap<String, FileEntry>,
}

/// Whether `path` names a file below the folder and nothing else: parts joined by `/`, none empty, `.` or `..`, no
/// backslash or control character.
pub fn is_safe_path(path: &str) -> bool {
    path.len() <= 4096
        && !path.chars().any(|c| c.is_control() || c == '\\')
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && part.len() <= 255)
}

/// Reads and checks the manifest of the generation in `folder`.
pub fn read(folder: &Path, generation: u64) -> io::Result<Manifest> {
    let path = folder.join(FILE_NAME);
    let mut text = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut text))
        .map_err(|error| durable::named(&path, "reading", &error))?;
    check(&text, generation).map_err(|what| {
        let message = format!(
            "{} is damaged: {what}; remove {} and publish again",
            path.display(),
            folder.display()
        );
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

fn check(text: &[u8], generation: u64) -> Result<Manifest, String> {
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {MAX_BYTES} bytes"));
    }
    let manifest: Manifest = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if manifest.format != FORMAT {
        return Err(format!(
            "it has format {}, and this version reads {FORMAT}",
            manifest.format
        ));
    }
    if manifest.generation != generation {
        return Err(format!(
            "it says generation {} in the place of {generation}",
            manifest.generation
        ));
    }
    match manifest
        .files
        .iter()
        .find(|(path, entry)| !is_safe_path(path) || !is_hash(&entry.sha256))
    {
        Some((path, _)) => Err(format!("it has a bad entry {path:?}")),
        None => Ok(manifest),
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

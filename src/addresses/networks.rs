//! Files in MMDB form -> country and network of an address.
//!
//! The free databases name the same facts in three ways: MaxMind and DB-IP in maps (`country.iso_code`,
//! `autonomous_system_number`), IPinfo in flat texts (`country_code`, `asn`, `as_name`), its older files as `country`
//! and `name`. Where several files know a fact, the first that is named counts.

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use maxminddb::Reader;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::model::address::{MOST_NETWORK_CHARS, NetworkFacts};
use crate::model::hex::hex;
use crate::model::text::one_line;

/// The largest file that is read: it is held in memory.
pub const MOST_FILE_BYTES: u64 = 512 << 20;

/// What stands before the metadata, in the last 128 KiB of a file.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
const METADATA_BYTES: u64 = 128 << 10;

/// Databases of networks, open.
#[derive(Default)]
pub struct Networks {
    files: Vec<Opened>,
    hash: String,
    /// A damaged record was told of.
    is_told: AtomicBool,
}

struct Opened {
    path: PathBuf,
    stamp: Stamp,
    reader: Reader<Vec<u8>>,
}

/// What tells that a file was replaced.
type Stamp = (u64, Option<SystemTime>);

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Such as `GeoLite2-ASN`.
    pub kind: String,
    /// When it was made, seconds since 1970 UTC.
    pub built_utc_secs: i64,
}

/// Whether a file can be read and looks like a database, without reading all of it; says what is wrong.
pub fn check_file(path: &Path) -> Result<(), String> {
    let look = || -> std::io::Result<Option<(u64, Vec<u8>)>> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let bytes = metadata.len();
        file.seek(SeekFrom::Start(bytes.saturating_sub(METADATA_BYTES)))?;
        let mut end = Vec::new();
        file.take(METADATA_BYTES).read_to_end(&mut end)?;
        Ok(Some((bytes, end)))
    };
    match look() {
        Err(error) => Err(format!("cannot be read: {error}")),
        Ok(None) => Err("is no file".to_owned()),
        Ok(Some((bytes, _))) if bytes > MOST_FILE_BYTES => {
            Err(format!("is larger than {} MiB", MOST_FILE_BYTES >> 20))
        }
        Ok(Some((_, end))) if !end.windows(MARKER.len()).any(|window| window == MARKER) => {
            Err("is no MMDB file".to_owned())
        }
        Ok(Some(_)) => Ok(()),
    }
}

impl Networks {
    /// Opens the files, in their order; all of them are read into memory.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let mut whole = Sha256::new();
        let mut files = Vec::new();
        for path in paths {
            let (opened, hash) =
                open(path).with_context(|| format!("opening {}", path.display()))?;
            whole.update(hash);
            files.push(opened);
        }
        let hash = if files.is_empty() {
            String::new()
        } else {
            hex(&whole.finalize())
        };
        Ok(Self {
            files,
            hash,
            is_told: AtomicBool::new(false),
        })
    }

    /// SHA-256 over what the files hold, in hexadecimal digits; empty without files.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether a file was replaced since it was opened.
    pub fn is_outdated(&self) -> bool {
        let now = |opened: &Opened| std::fs::metadata(&opened.path).map(|found| stamp(&found));
        self.files
            .iter()
            .any(|opened| now(opened).ok() != Some(opened.stamp))
    }

    /// The same files, as they are now.
    pub fn reopened(&self) -> Result<Self> {
        let paths: Vec<PathBuf> = self.files.iter().map(|file| file.path.clone()).collect();
        Self::open(&paths)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What the files say of themselves.
    pub fn files(&self) -> Vec<NetworkFile> {
        let file = |opened: &Opened| {
            let metadata = opened.reader.metadata();
            NetworkFile {
                path: opened.path.clone(),
                kind: one_line(&metadata.database_type, MOST_NETWORK_CHARS),
                built_utc_secs: i64::try_from(metadata.build_epoch).unwrap_or(i64::MAX),
            }
        };
        self.files.iter().map(file).collect()
    }

    /// What is known of an address. What is damaged is told of once, and then not known.
    pub fn facts(&self, address: IpAddr) -> NetworkFacts {
        let mut facts = NetworkFacts::default();
        for file in &self.files {
            match entry(&file.reader, address) {
                Ok(Some(entry)) => entry.add_to(&mut facts),
                Ok(None) => {}
                Err(error) => self.tell(&file.path, &error),
            }
        }
        facts
    }

    fn tell(&self, path: &Path, error: &maxminddb::MaxMindDbError) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!("{} is damaged: {error}", path.display());
        }
    }
}

impl fmt::Debug for Networks {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_list().entries(self.files()).finish()
    }
}

/// The same content gives the same facts.
impl PartialEq for Networks {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Networks {}

fn open(path: &Path) -> Result<(Opened, [u8; 32])> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut bytes = Vec::new();
    file.take(MOST_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= MOST_FILE_BYTES,
        "it is larger than {} MiB",
        MOST_FILE_BYTES >> 20
    );
    let hash = Sha256::digest(&bytes).into();
    let reader = Reader::from_source(bytes).context("it is no MMDB file")?;
    let opened = Opened {
        path: path.to_owned(),
        stamp: stamp(&metadata),
        reader,
    };
    Ok((opened, hash))
}

fn stamp(metadata: &std::fs::Metadata) -> Stamp {
    (metadata.len(), metadata.modified().ok())
}

fn entry(
    reader: &Reader<Vec<u8>>,
    address: IpAddr,
) -> Result<Option<Entry>, maxminddb::MaxMindDbError> {
    if address.is_ipv6() && reader.metadata().ip_version == 4 {
        return Ok(None);
    }
    reader.lookup(address)?.decode()
}

/// What may stand in an entry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    country: Option<Country>,
    registered_country: Option<Country>,
    country_code: Option<Scalar>,
    autonomous_system_number: Option<Scalar>,
    autonomous_system_organization: Option<Scalar>,
    asn: Option<Scalar>,
    as_name: Option<Scalar>,
    name: Option<Scalar>,
    isp: Option<Scalar>,
    organization: Option<Scalar>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Country {
    Map { iso_code: Option<Scalar> },
    Scalar(Scalar),
}

/// A value of any other form is none.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Number(u64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

impl Entry {
    fn add_to(self, facts: &mut NetworkFacts) {
        let code = |country: &Option<Country>| match country {
            Some(Country::Map { iso_code }) => iso_code.as_ref().and_then(Scalar::country),
            Some(Country::Scalar(text)) => text.country(),
            None => None,
        };
        let country = (self.country_code.as_ref().and_then(Scalar::country))
            .or_else(|| code(&self.country))
            .or_else(|| code(&self.registered_country));
        let number = |value: &Option<Scalar>| value.as_ref().and_then(Scalar::asn);
        let asn = number(&self.autonomous_system_number).or_else(|| number(&self.asn));
        let text = |value: &Option<Scalar>| value.as_ref().and_then(Scalar::line);
        let network = text(&self.autonomous_system_organization)
            .or_else(|| text(&self.as_name))
            .or_else(|| text(&self.organization))
            .or_else(|| text(&self.isp))
            // In a file of cities it would be that of a city.
            .or_else(|| text(&self.name).filter(|_| asn.is_some()));
        facts.country = facts.country.take().or(country);
        facts.asn = facts.asn.or(asn);
        facts.network = facts.network.take().or(network);
    }
}

impl Scalar {
    fn country(&self) -> Option<String> {
        match self {
            Self::Text(text)
                if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) =>
            {
                Some(text.to_ascii_uppercase())
            }
            _ => None,
        }
    }

    /// A number, or `AS64496`.
    fn asn(&self) -> Option<u32> {
        match self {
            Self::Number(number) => u32::try_from(*number).ok(),
            Self::Text(text) => {
                let digits = text.strip_prefix("AS").unwrap_or(text);
                digits.parse().ok()
            }
            Self::Other(_) => None,
        }
        .filter(|number| *number > 0)
    }

    fn line(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(one_line(text, MOST_NETWORK_CHARS)).filter(|s| !s.is_empty()),
            _ => None,
        }
    }
}

//! One line of the ledger: an entry, the version that wrote it, and a checksum of the line's other bytes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Entry, Event};

/// A longer line is neither written nor read.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Hex digits of the checksum: 64 bits of the SHA-256, against accidents, not against an attacker.
const CHECKSUM_DIGITS: usize = 16;
const BEFORE_CHECKSUM: &str = ",\"checksum\":\"";
const AFTER_CHECKSUM: &str = "\"}";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Serialize)]
struct Written<'a> {
    seq: u64,
    at_utc_secs: i64,
    version: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

/// What every version's lines have: enough to say who wrote an event that this version does not know.
#[derive(Deserialize)]
struct Frame {
    seq: u64,
    version: String,
    event: String,
}

/// The line of an event, with its line feed.
pub fn encode(seq: u64, at_utc_secs: i64, event: &Event) -> Result<String, String> {
    let written = Written {
        seq,
        at_utc_secs,
        version: VERSION,
        event,
    };
    let line = seal(serde_json::to_string(&written).map_err(|error| error.to_string())?);
    if line.len() > MAX_LINE_BYTES {
        return Err(format!(
            "an event of {} bytes is larger than a line may be ({MAX_LINE_BYTES})",
            line.len()
        ));
    }
    Ok(line)
}

/// Adds the checksum and the line feed to a JSON object.
pub(super) fn seal(mut object: String) -> String {
    let checksum = checksum(object.as_bytes());
    object.truncate(object.len().saturating_sub(1));
    object.extend([BEFORE_CHECKSUM, checksum.as_str(), AFTER_CHECKSUM, "\n"]);
    object
}

/// The sequence number of a line without its line feed; says what is damaged.
pub fn sequence(line: &[u8]) -> Result<u64, String> {
    Ok(frame(line)?.seq)
}

/// The entry of a line without its line feed, which must have the number `seq`; says what is damaged.
pub fn decode(line: &[u8], seq: u64) -> Result<Entry, String> {
    let frame = frame(line)?;
    if frame.seq != seq {
        return Err(format!(
            "it has the sequence number {} in the place of {seq}",
            frame.seq
        ));
    }
    serde_json::from_slice(line).map_err(|error| {
        let Frame { event, version, .. } = &frame;
        format!("event {event:?} was written by version {version}, which this version {VERSION} cannot read ({error}): use version {version} or newer")
    })
}

fn frame(line: &[u8]) -> Result<Frame, String> {
    let ending_bytes = BEFORE_CHECKSUM.len() + CHECKSUM_DIGITS + AFTER_CHECKSUM.len();
    let (body, ending) = line
        .split_at_checked(line.len().saturating_sub(ending_bytes))
        .ok_or("it is cut")?;
    let mut object = body.to_vec();
    object.push(b'}');
    let expected = format!("{BEFORE_CHECKSUM}{}{AFTER_CHECKSUM}", checksum(&object));
    if ending != expected.as_bytes() {
        return Err("its checksum does not match".to_owned());
    }
    serde_json::from_slice(&object).map_err(|error| format!("it is no entry ({error})"))
}

fn checksum(object: &[u8]) -> String {
    let hash = Sha256::digest(object);
    hash.iter()
        .take(CHECKSUM_DIGITS / 2)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

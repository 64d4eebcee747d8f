//! New items -> archive: known bytes are referred to, what cannot hold a report keeps its header and size only.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};

use super::threads::spawn;
use crate::archive::{Archive, Content, Item};
use crate::mail;
use crate::model::item::{ItemKind, ItemNo, MailHeader};
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::source::path::{FoundItem, walk};
use crate::store::working::Store;

/// Items of one segment at most.
const SEGMENT_ITEMS: usize = 32_768;
/// Bytes of one segment, unless one item is larger.
const SEGMENT_BYTES: usize = 16 << 20;
/// Items on their way from the walk to the archive.
const IN_FLIGHT_ITEMS: usize = 64;

/// What collect reads from.
pub struct Collect<'a> {
    /// Paths as the user gave them.
    pub paths: &'a [OsString],
    /// Bounds on an item.
    pub limits: &'a Limits,
    /// Goes into every item, seconds since 1970 UTC.
    pub received_utc_secs: i64,
}

/// Walks the paths and archives what it finds, a segment at a time; `archived` is called after each durable segment
/// with the number of items so far. Returns that number; what could not be walked is an error after the rest is kept.
pub fn collect(
    from: &Collect,
    archive: &mut Archive,
    store: &mut Store,
    archived: &mut dyn FnMut(&mut Archive, &mut Store, u64) -> Result<()>,
) -> Result<u64> {
    let (sender, found) = sync_channel::<FoundItem>(IN_FLIGHT_ITEMS);
    thread::scope(|scope| {
        let walking = spawn(scope, "walk", move || {
            walk(from.paths, from.limits, &mut |item| {
                sender.send(item).is_ok()
            })
        })?;
        let kept = keep(from, &found, archive, store, archived);
        drop(found);
        let walked = walking
            .join()
            .map_err(|_| anyhow!("reading the paths stopped short"))?;
        let items = kept?;
        walked.context("reading the paths")?;
        Ok(items)
    })
}

fn keep(
    from: &Collect,
    found: &Receiver<FoundItem>,
    archive: &mut Archive,
    store: &mut Store,
    archived: &mut dyn FnMut(&mut Archive, &mut Store, u64) -> Result<()>,
) -> Result<u64> {
    let mut items = 0;
    loop {
        let mut segment = fill(from, found);
        if segment.is_empty() {
            return Ok(items);
        }
        refer_to_known(&mut segment, archive, store)?;
        archive.append(&segment).context("writing the archive")?;
        items += segment.len() as u64;
        drop(segment);
        archived(archive, store, items)?;
    }
}

fn fill(from: &Collect, found: &Receiver<FoundItem>) -> Vec<Item> {
    let mut segment = Vec::new();
    let mut bytes = 0;
    while segment.len() < SEGMENT_ITEMS && bytes < SEGMENT_BYTES {
        let Ok(next) = found.recv() else { break };
        let item = item(next, from.received_utc_secs);
        if let Content::Kept(kept) = &item.content {
            bytes += kept.len();
        }
        segment.push(item);
    }
    segment
}

/// The item as the archive keeps it, before known bytes are looked up.
fn item(found: FoundItem, received_utc_secs: i64) -> Item {
    let mut header = MailHeader::default();
    let (sha256, content) = match found.content {
        Err((refusal, bytes)) => (
            Sha256::digest(b"").into(),
            Content::Dropped {
                code: refusal.code.to_owned(),
                bytes,
            },
        ),
        Ok(bytes) => {
            if found.kind == ItemKind::Mail {
                header = mail::header(&bytes);
            }
            let sha256 = Sha256::digest(&bytes).into();
            if may_hold_report(found.kind, &bytes) {
                (sha256, Content::Kept(bytes))
            } else {
                let code = Refusal::NOT_A_REPORT.to_owned();
                (
                    sha256,
                    Content::Dropped {
                        code,
                        bytes: bytes.len() as u64,
                    },
                )
            }
        }
    };
    Item {
        sha256,
        kind: found.kind,
        content,
        provenance: found.provenance,
        header,
        received_utc_secs,
    }
}

fn may_hold_report(kind: ItemKind, bytes: &[u8]) -> bool {
    match kind {
        ItemKind::Mail => mail::may_hold_report(bytes),
        ItemKind::File => is_like_report(bytes),
    }
}

/// A cheap look at a file: containers, markup, JSON, and text with a feedback report in it. What this lets through is
/// kept and judged by reading; what it stops is not kept at all.
fn is_like_report(bytes: &[u8]) -> bool {
    const CONTAINERS: [&[u8]; 4] = [b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];
    const HEAD_BYTES: usize = 4096;
    const TEXT_BYTES: usize = 64 << 10;
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let text = &bytes[..bytes.len().min(TEXT_BYTES)];
    CONTAINERS.iter().any(|magic| bytes.starts_with(magic))
        || bytes.get(257..262) == Some(b"ustar")
        || head.iter().any(|byte| matches!(byte, b'<' | b'{' | b'['))
        || text
            .windows(14)
            .any(|word| word.eq_ignore_ascii_case(b"feedback-type:"))
}

/// Replaces bytes that an earlier item keeps by a reference to it.
fn refer_to_known(segment: &mut [Item], archive: &Archive, store: &Store) -> Result<()> {
    let hashes: Vec<[u8; 32]> = segment
        .iter()
        .filter(|item| is_kept(item))
        .map(|item| item.sha256)
        .collect();
    let mut known: HashMap<[u8; 32], ItemNo> = store.kept(&hashes)?;
    known.extend(
        archive
            .kept_after(store.position()?)
            .context("reading the archive")?,
    );
    for item in segment.iter_mut().filter(|item| is_kept(item)) {
        match known.entry(item.sha256) {
            std::collections::hash_map::Entry::Occupied(_) => item.content = Content::Known,
            std::collections::hash_map::Entry::Vacant(vacant) => _ = vacant.insert(0),
        }
    }
    Ok(())
}

fn is_kept(item: &Item) -> bool {
    matches!(item.content, Content::Kept(_))
}

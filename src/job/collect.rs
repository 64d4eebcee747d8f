//! New items -> archive and rows: known bytes are referred to, what cannot hold a report keeps its header and size only.
//!
//! Items are read while they wait to be archived; their rows are committed only behind that.

use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::forerun;
use super::known::Known;
use super::load::Loaded;
use super::pipeline::{self, Durable, Feed};
use super::run::Progress;
use super::units::{Bytes, Given, is_unit};
use crate::archive::{Archive, Content, Item};
use crate::mail;
use crate::model::item::{ItemKind, ItemNo, MailHeader};
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::source::FoundItem;
use crate::source::path::{is_stream, walk};
use crate::store::settings::StoreConfig;
use crate::store::working::Store;

/// Items of one segment at most.
const SEGMENT_ITEMS: usize = 32_768;
/// Bytes of one segment, unless one item is larger: a batch is committed behind each segment at the earliest.
const SEGMENT_BYTES: usize = 4 << 20;

/// Where items come from.
pub trait Source: Send {
    /// Whether it may go on for as long as somebody else likes: a store that cannot be opened is told of before.
    fn is_endless(&self) -> bool;

    /// Whether its items come from far: they are read ahead.
    fn is_remote(&self) -> bool {
        false
    }

    /// Hands over every item in order, until `sink` wants no more. An error says what could not be read; what was handed
    /// over counts nevertheless.
    fn items(&mut self, sink: &mut dyn Sink) -> Result<()>;

    /// Everything that it handed over is loaded.
    fn loaded(&mut self, _store: &Store) -> Result<()> {
        Ok(())
    }
}

/// Takes items.
pub trait Sink {
    /// The next item; `false` when nobody wants more.
    fn take(&mut self, found: FoundItem) -> bool;

    /// The next item may be long in coming: those so far should be durable by then. `false` when nobody wants more.
    fn rest(&mut self) -> bool;
}

/// Files, folders and standard input.
pub struct Paths<'a> {
    /// As the user gave them.
    pub paths: &'a [OsString],
    /// Bounds on an item.
    pub limits: &'a Limits,
}

impl Source for Paths<'_> {
    fn is_endless(&self) -> bool {
        self.paths.iter().any(is_stream)
    }

    fn items(&mut self, sink: &mut dyn Sink) -> Result<()> {
        walk(self.paths, self.limits, &mut |found| sink.take(found)).context("reading the paths")
    }
}

/// Takes the items of a source, archives them, a segment at a time, and loads them. `open` opens the store, beside the
/// first reading, and has it load what was archived before. The last answer is an error of reading the source or of
/// archiving; what was archived before it is kept, and may be left to load. Each item is `received_utc_secs`, seconds
/// since 1970 UTC.
pub fn collect<S: AsMut<Store>>(
    source: &mut dyn Source,
    received_utc_secs: i64,
    config: &StoreConfig,
    archive: &mut Archive,
    open: impl FnOnce(&Archive, &mut dyn FnMut(Progress)) -> Result<S>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(S, Loaded, Result<()>)> {
    let next = archive.position() + 1;
    // The feeder's, once the store is open.
    let archive = Mutex::new(archive);
    let feeder = |feed: Feed| {
        let mut collecting = Collecting {
            known: None,
            next,
            archive: &archive,
            segment: Vec::new(),
            segment_bytes: 0,
            unit: Vec::new(),
            unit_bytes: 0,
            archived: 0,
            received_utc_secs,
            failed: None,
            feed,
        };
        collecting.all(source)
    };
    let open = |progress: &mut dyn FnMut(Progress)| open(&lock(&archive), progress);
    pipeline::run(config, feeder, open, progress)
}

struct Collecting<'a, 'k> {
    archive: &'a Mutex<&'k mut Archive>,
    /// `None` before the store is open.
    known: Option<Known<'a>>,
    /// Number of the next item.
    next: ItemNo,
    /// Items that are not archived yet.
    segment: Vec<Item>,
    segment_bytes: usize,
    /// Those of them that are not handed out yet.
    unit: Vec<Given>,
    unit_bytes: usize,
    archived: u64,
    received_utc_secs: i64,
    /// Why no more can be archived.
    failed: Option<anyhow::Error>,
    feed: Feed<'a>,
}

impl Collecting<'_, '_> {
    fn all(&mut self, source: &mut dyn Source) -> Result<()> {
        if source.is_endless() {
            self.known = self.feed.known();
            if self.known.is_none() {
                return Ok(());
            }
        }
        let read = if source.is_remote() {
            forerun::items(source, self)
        } else {
            source.items(self)
        };
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        self.end_segment()?;
        read
    }

    /// Takes the next item; `false` when nobody listens any more.
    fn add(&mut self, item: Item) -> Result<bool> {
        let bytes = match &item.content {
            Content::Kept(kept) => kept.len(),
            _ => 0,
        };
        self.unit.push((self.next, to_read(&item), own(&item)));
        self.unit_bytes += bytes;
        self.next += 1;
        self.segment.push(item);
        self.segment_bytes += bytes;
        let is_whole = self.segment.len() >= SEGMENT_ITEMS || self.segment_bytes >= SEGMENT_BYTES;
        if is_whole || self.feed.is_full() {
            return self.end_segment();
        }
        Ok(!is_unit(self.unit.len(), self.unit_bytes) || self.hand_out())
    }

    /// Notes why nothing more can be taken.
    fn go_on(&mut self, result: Result<bool>) -> bool {
        match result {
            Ok(go_on) => go_on,
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }

    fn hand_out(&mut self) -> bool {
        self.unit_bytes = 0;
        let unit = std::mem::take(&mut self.unit);
        unit.is_empty() || self.feed.give(unit)
    }

    /// Makes the items so far durable.
    fn end_segment(&mut self) -> Result<bool> {
        if !self.hand_out() {
            return Ok(false);
        }
        if self.segment.is_empty() {
            return Ok(true);
        }
        let Some(mut known) = self.known.take().or_else(|| self.feed.known()) else {
            return Ok(false);
        };
        let first = self.next - self.segment.len() as u64;
        let without_bytes = refer_to_known(&mut self.segment, first, &mut known)?;
        self.known = Some(known);
        let archived = lock(self.archive).append(&self.segment);
        ensure!(
            archived.context("writing the archive")? == first,
            "another run has written item {first} of the archive"
        );
        self.archived += self.segment.len() as u64;
        self.segment.clear();
        self.segment_bytes = 0;
        Ok(self.feed.durable(Durable {
            known: without_bytes,
            archived: Some(self.archived),
        }))
    }
}

impl Sink for Collecting<'_, '_> {
    fn take(&mut self, found: FoundItem) -> bool {
        let added = self.add(item(found, self.received_utc_secs));
        self.go_on(added)
    }

    fn rest(&mut self) -> bool {
        let ended = self.end_segment();
        self.go_on(ended)
    }
}

fn lock<'l, 'a>(archive: &'l Mutex<&'a mut Archive>) -> MutexGuard<'l, &'a mut Archive> {
    archive.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Replaces bytes that an earlier item keeps by a reference to it; returns the items without bytes of their own.
fn refer_to_known(items: &mut [Item], first: ItemNo, known: &mut Known) -> Result<Vec<ItemNo>> {
    let hashes: Vec<[u8; 32]> = (items.iter().filter(|item| is_kept(item)))
        .map(|item| item.sha256)
        .collect();
    let in_tables = known.in_tables(&hashes)?;
    let mut without_bytes = Vec::new();
    for (item_no, item) in (first..).zip(items).filter(|(_, item)| is_kept(item)) {
        if in_tables.contains_key(&item.sha256) || known.recent.contains_key(&item.sha256) {
            item.content = Content::Known;
            without_bytes.push(item_no);
        } else {
            known.recent.insert(item.sha256, item_no);
        }
    }
    Ok(without_bytes)
}

/// What reading an item takes: all but the raw header.
fn to_read(item: &Item) -> Item {
    let header = &item.header;
    Item {
        sha256: item.sha256,
        kind: item.kind,
        content: item.content.clone(),
        provenance: item.provenance.clone(),
        header: MailHeader {
            message_id: header.message_id.clone(),
            mail_from: header.mail_from.clone(),
            subject: header.subject.clone(),
            date_utc_secs: header.date_utc_secs,
            headers: None,
        },
        received_utc_secs: item.received_utc_secs,
    }
}

/// Items of this run bring their bytes with them, known or not.
fn own(item: &Item) -> Bytes {
    if is_kept(item) {
        Bytes::Own
    } else {
        Bytes::Dropped
    }
}

fn is_kept(item: &Item) -> bool {
    matches!(item.content, Content::Kept(_))
}

/// The item as the archive keeps it, before known bytes are looked up.
fn item(found: FoundItem, received_utc_secs: i64) -> Item {
    let mut header = MailHeader::default();
    let (sha256, content) = match found.content {
        Err((refusal, bytes)) => {
            header = mail::header(&found.head);
            (
                Sha256::digest(b"").into(),
                Content::Dropped {
                    code: refusal.code.to_owned(),
                    bytes,
                },
            )
        }
        Ok(bytes) => {
            if found.kind == ItemKind::Mail {
                header = mail::header(&bytes);
            }
            let sha256 = Sha256::digest(&bytes).into();
            if may_hold_report(found.kind, &bytes) {
                (sha256, Content::kept(bytes))
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

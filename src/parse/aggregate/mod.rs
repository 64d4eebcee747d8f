//! An aggregate report (RFC 7489 appendix C, RFC 9990 section 3.1): one tolerant reader for both.
//!
//! Names are matched without namespace and case, elements come in any order, what is unknown is passed over. Where
//! the document turns out to be in another encoding, or not well-formed, it is read again from its first byte in
//! another way, and the sink is told to forget what it got.

mod builder;
mod close;
mod head;
mod name;
mod record;
mod schema;
mod stop;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod window;

use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

use self::builder::{Attempt, Builder, Tolerance};
use self::stop::{Modes, Stop};
use self::window::Windows;
use super::RecordSink;
use super::encoding::Charset;
use crate::model::aggregate::AggregateHead;
use crate::model::hex::hex;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;

/// Where the bytes of a document are.
pub(super) enum Source<'s, 'd> {
    /// In memory.
    Slice(&'s [u8]),
    /// Behind a function that opens them from the beginning.
    Stream(&'s dyn Fn() -> io::Result<Box<dyn BufRead + 'd>>),
}

/// How the next attempt reads.
#[derive(Clone, Copy)]
struct Plan {
    charset: Charset,
    tolerance: Tolerance,
    modes: Option<Modes>,
}

/// Reads a report whose first bytes are `prefix`.
pub(super) fn read(
    source: &Source<'_, '_>,
    prefix: &[u8],
    file_name: Option<&str>,
    limits: &Limits,
    sink: &mut dyn RecordSink,
) -> Result<AggregateHead, Refusal> {
    let charset = Charset::detect(prefix);
    let mut plan = Plan {
        charset,
        tolerance: Tolerance::Strict,
        modes: None,
    };
    loop {
        let attempt = Attempt {
            limits,
            sink: &mut *sink,
            tolerance: plan.tolerance,
            modes: plan.modes,
        };
        let stop = match read_once(source, prefix, file_name, plan.charset, attempt) {
            Ok(head) => return Ok(head),
            Err(stop) => stop,
        };
        sink.restart();
        plan = next_plan(plan, prefix, stop)?;
    }
}

/// Each step can be taken once, so this ends.
fn next_plan(plan: Plan, prefix: &[u8], stop: Stop) -> Result<Plan, Refusal> {
    match stop {
        Stop::Refused(refusal) => Err(refusal),
        Stop::Encoding => match plan.charset.next(prefix) {
            Some(charset) => Ok(Plan { charset, ..plan }),
            None => Err(Refusal::new(
                "encoding-unknown",
                "the text is in no known encoding; ask for UTF-8",
            )),
        },
        Stop::Malformed(_) if plan.tolerance == Tolerance::Strict => Ok(Plan {
            tolerance: Tolerance::Lenient,
            ..plan
        }),
        Stop::Malformed(seen) => Err(Refusal::new(
            "xml-malformed",
            format!("the XML is broken: {seen}"),
        )),
        Stop::Modes(modes) => Ok(Plan {
            modes: Some(modes),
            ..plan
        }),
    }
}

fn read_once(
    source: &Source<'_, '_>,
    prefix: &[u8],
    file_name: Option<&str>,
    charset: Charset,
    attempt: Attempt<'_>,
) -> Result<AggregateHead, Stop> {
    let mut builder = Builder::new(attempt);
    if let Some((code, detail)) = charset.oddity(prefix) {
        builder.oddities.note(code, || detail);
    }
    match source {
        Source::Slice(bytes) => {
            let bytes = charset.decode(bytes).ok_or(Stop::Encoding)?;
            let used = tokens::feed(&bytes, true, &mut builder)?;
            finish_root(&bytes[used..], &mut builder)?;
        }
        Source::Stream(open) => {
            let unreadable = |error| {
                Stop::refuse(
                    "read-failed",
                    format!("the document could not be read back: {error}"),
                )
            };
            let windows = Windows::new(open().map_err(unreadable)?, charset).map_err(unreadable)?;
            let rest = windows.run(|window, is_last| {
                let used = tokens::feed(window, is_last, &mut builder)?;
                Ok((used, builder.is_done()))
            })?;
            finish_root(&rest, &mut builder)?;
        }
    }
    builder.finish(file_name)
}

/// Judges what follows the last token.
fn finish_root(rest: &[u8], builder: &mut Builder<'_>) -> Result<(), Stop> {
    if builder.is_done() {
        builder.trailing(rest);
        return Ok(());
    }
    if builder.is_unopened() {
        return Err(Stop::refuse(
            Refusal::NOT_A_REPORT,
            "the XML has no feedback element: it is not a DMARC report",
        ));
    }
    if builder.is_between_records() {
        builder
            .oddities
            .note("end-missing", || "cut after the last record".to_owned());
        return Ok(());
    }
    Err(stop::truncated())
}

/// Whether a start tag of a `feedback` element occurs, with any prefix and in any case.
pub(super) fn has_root(bytes: &[u8]) -> bool {
    const NAME: &[u8] = b"feedback";
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[at + 1..];
        let name_len = rest
            .iter()
            .take(64)
            .take_while(|byte| is_name_byte(**byte))
            .count();
        let name = &rest[..name_len];
        let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        if local.eq_ignore_ascii_case(NAME) {
            return true;
        }
    }
    false
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')
}

/// An id for a report without one: the same content has the same id, whatever its bytes.
fn synthetic_id(head: &AggregateHead) -> String {
    let mut hash = Sha256::new();
    for text in [&head.org_domain, &head.domain] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    hash.update(head.begin_utc_secs.to_le_bytes());
    hash.update(head.end_utc_secs.to_le_bytes());
    hash.update(head.records_sha256);
    hex(&hash.finalize()[..16])
}

//! Document -> report and oddities, or a refusal with a code.
//!
//! What a document is, is decided by its content alone: XML with a `feedback` element is an aggregate report, a JSON
//! object with the members of RFC 8460 is a TLS report, fields of `message/feedback-report` (or the plain text that
//! Exim writes) are a failure report, all else is not a report. Nothing is read from outside of the document, nothing
//! is expanded, and every oddity that is forgiven is listed with a stable code.

mod aggregate;
mod encoding;
mod failure;
mod fields;
mod fingerprint;
mod json;
mod lists;
mod oddities;
#[cfg(test)]
mod tests;
mod tls;
mod values;

use std::borrow::Cow;
use std::io::{self, Read};

use self::aggregate::Source;
use crate::model::aggregate::{AggregateHead, Record};
use crate::model::failure::FailureReport;
use crate::model::limits::Limits;
use crate::model::outcome::{Oddity, Refusal};
use crate::model::tls::TlsReport;
use crate::unpack::{Content, Document};

/// Bytes of a large document that decide what it is.
const SNIFF_BYTES: u64 = 64 * 1024;

/// A parsed document. The records of an aggregate report went to the sink before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// RFC 7489 or RFC 9990.
    Aggregate(Box<AggregateHead>),
    /// RFC 8460.
    Tls(Box<TlsReport>),
    /// RFC 6591 or RFC 9991.
    Failure(Box<FailureReport>),
}

impl Report {
    /// Adds what was forgiven before parsing: it comes first.
    pub fn add_earlier_oddities(&mut self, mut earlier: Vec<Oddity>) {
        let oddities = match self {
            Self::Aggregate(head) => &mut head.oddities,
            Self::Tls(report) => &mut report.oddities,
            Self::Failure(report) => &mut report.oddities,
        };
        earlier.append(oddities);
        *oddities = earlier;
    }
}

/// Takes the records of one report in document order. They count only if [`parse`] answers `Ok`.
pub trait RecordSink {
    /// The next record.
    fn record(&mut self, record: Record);

    /// Forget all records of this document: it is read again from its beginning, in another way.
    fn restart(&mut self);
}

/// Keeps all records: for small reports and tests.
impl RecordSink for Vec<Record> {
    fn record(&mut self, record: Record) {
        self.push(record);
    }

    fn restart(&mut self) {
        self.clear();
    }
}

/// Parses one document by its content. Records are handed to `records` as they are read (a report may hold a
/// million); they count only if the result is `Ok`. `file_name` is a hint for a missing policy domain
/// (`receiver!domain!begin!end.xml`), never more.
pub fn parse(
    document: &Document,
    file_name: Option<&str>,
    limits: &Limits,
    records: &mut dyn RecordSink,
) -> Result<Report, Refusal> {
    match &document.content {
        Content::Memory(bytes) => parse_bytes(bytes, file_name, limits, records),
        Content::Spooled(_) => parse_stream(&|| document.open(), file_name, limits, records),
    }
}

/// Parses a document in memory.
pub fn parse_bytes(
    bytes: &[u8],
    file_name: Option<&str>,
    limits: &Limits,
    records: &mut dyn RecordSink,
) -> Result<Report, Refusal> {
    match kind(bytes)? {
        Kind::Aggregate => {
            let head = aggregate::read(&Source::Slice(bytes), bytes, file_name, limits, records)?;
            Ok(Report::Aggregate(Box::new(head)))
        }
        Kind::Json => Ok(Report::Tls(Box::new(tls::read(
            &encoding::text(bytes),
            limits,
        )?))),
        Kind::Failure => Ok(Report::Failure(Box::new(failure::read(
            &encoding::text(bytes),
            limits,
        )?))),
    }
}

/// Parses a document that is too large for memory: only an aggregate report can be that.
fn parse_stream<'a>(
    open: &dyn Fn() -> io::Result<Box<dyn io::BufRead + 'a>>,
    file_name: Option<&str>,
    limits: &Limits,
    records: &mut dyn RecordSink,
) -> Result<Report, Refusal> {
    let mut prefix = Vec::new();
    let unreadable = |error| {
        Refusal::new(
            "read-failed",
            format!("the document could not be read back: {error}"),
        )
    };
    open()
        .and_then(|input| input.take(SNIFF_BYTES).read_to_end(&mut prefix))
        .map_err(unreadable)?;
    match kind(&prefix)? {
        Kind::Aggregate => {
            let head = aggregate::read(&Source::Stream(open), &prefix, file_name, limits, records)?;
            Ok(Report::Aggregate(Box::new(head)))
        }
        Kind::Json | Kind::Failure => Err(Refusal::new(
            "limit-document-kind",
            "only aggregate reports may be this large; TLS and failure reports are a few kilobytes",
        )),
    }
}

enum Kind {
    Aggregate,
    Json,
    Failure,
}

/// What a document is, by its bytes or the first of them.
fn kind(bytes: &[u8]) -> Result<Kind, Refusal> {
    let charset = encoding::Charset::detect(bytes);
    let text = charset.decode(bytes).unwrap_or(Cow::Borrowed(bytes));
    let text = text.trim_ascii();
    match text {
        [] => {
            return Err(Refusal::new(
                "empty",
                "the document has no bytes; ask the reporter for a new one",
            ));
        }
        _ if text.iter().all(|byte| *byte == 0) => {
            return Err(Refusal::new("empty", "the document is all zeros"));
        }
        _ if text.eq_ignore_ascii_case(b"unused") => {
            return Err(Refusal::new(
                "empty-report",
                "the reporter sent the word `unused` in place of a report",
            ));
        }
        [b'{' | b'[', ..] => return Ok(Kind::Json),
        _ if failure::is_one(text) => return Ok(Kind::Failure),
        _ if aggregate::has_root(text) => return Ok(Kind::Aggregate),
        _ => {}
    }
    Err(Refusal::new(
        Refusal::NOT_A_REPORT,
        format!("{}: it is not a DMARC or TLS report", describe(text)),
    ))
}

fn describe(text: &[u8]) -> &'static str {
    let head = &text[..text.len().min(512)];
    let lower = head.to_ascii_lowercase();
    let has = |word: &[u8]| lower.windows(word.len()).any(|window| window == word);
    match head {
        _ if has(b"<html") || has(b"<!doctype html") => "this is an HTML page",
        _ if has(b"feedback-type:") => "this is a complaint about a message",
        [b'<', ..] => "this is XML without a feedback element",
        [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] | [b'G', b'I', b'F', b'8', ..] => {
            "this is an image"
        }
        _ if std::str::from_utf8(head).is_ok_and(|text| !text.contains('\0')) => {
            "this is plain text"
        }
        _ => "these bytes are of another kind",
    }
}

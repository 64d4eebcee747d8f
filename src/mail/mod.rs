//! Item bytes of a mail -> its header and its parts. The only user of `mail-parser`.
//!
//! The tree of parts is walked here, with bounds on depth, parts and header, because `mail-parser` walks without any
//! and turns text parts into Unicode, which loses the bytes of a report in another character set. Its field parsers
//! (addresses, dates, encoded words, parameters) are used for what they are good at.

mod decode;
mod entity;
mod failure;
mod leaf;
#[cfg(test)]
mod tests;
mod walk;

use std::panic::catch_unwind;
use std::sync::LazyLock;

use mail_parser::{HeaderName, HeaderValue, MessageParser};

use crate::model::item::MailHeader;
use crate::model::limits::Limits;
use crate::model::outcome::{Oddity, Refusal};

pub use entity::is_mail;

/// Longest header block that is kept with an item.
const KEPT_HEADER_BYTES: usize = 64 << 10;

/// One leaf of the MIME tree, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Position in the tree, `1.2` style; the file name is appended for people (`1.2 google.com!a!1!2.zip`).
    pub path: String,
    /// Decoded bytes. For a failure report: the fields of `message/feedback-report`, an empty line, and the header
    /// of the reported message.
    pub bytes: Vec<u8>,
    /// What decoding forgave.
    pub oddities: Vec<Oddity>,
}

/// Header facts of a mail: cheap, never fails, empty for bytes that are no mail.
pub fn header(bytes: &[u8]) -> MailHeader {
    let block = entity::Entity::of_message(bytes).header;
    let block = &block[..block.len().min(KEPT_HEADER_BYTES)];
    if !entity::is_mail_header(block) {
        return MailHeader::default();
    }
    let headers = String::from_utf8(block.to_vec());
    let headers = headers.unwrap_or_else(|_| String::from_utf8_lossy(block).into_owned());
    let facts = catch_unwind(|| envelope(block)).unwrap_or_default();
    MailHeader {
        headers: Some(headers),
        ..facts
    }
}

/// Reads the four fields that are asked for, and passes over the others, some of which are costly to read.
static ENVELOPE: LazyLock<MessageParser> = LazyLock::new(|| {
    MessageParser::new()
        .header_id(HeaderName::MessageId)
        .header_address(HeaderName::From)
        .header_text(HeaderName::Subject)
        .header_date(HeaderName::Date)
        .default_header_ignore()
});

fn envelope(block: &[u8]) -> MailHeader {
    let Some(message) = ENVELOPE.parse_headers(block) else {
        return MailHeader::default();
    };
    let from = message
        .from()
        .and_then(|from| from.first())
        .and_then(|from| from.address());
    MailHeader {
        message_id: message.message_id().map(clean),
        mail_from: from.map(clean),
        subject: message.subject().map(clean),
        date_utc_secs: message
            .header("Date")
            .and_then(HeaderValue::as_datetime)
            .filter(|date| date.is_valid())
            .map(|date| date.to_timestamp()),
        headers: None,
    }
}

/// A stranger's words on one line.
fn clean(text: &str) -> String {
    const CHARS: usize = 1000;
    if text.len() <= CHARS && !text.chars().any(char::is_control) {
        return text.trim().to_owned();
    }
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(CHARS)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Parts that may hold reports, in document order; each refused part has its path.
pub fn parts(bytes: &[u8], limits: &Limits) -> Vec<Result<Part, (String, Refusal)>> {
    // A defect in a foreign decoder must cost one mail, not the program.
    catch_unwind(|| walk::parts(bytes, limits)).unwrap_or_else(|_| {
        let refusal = Refusal::new(
            "mail-unreadable",
            "the structure of the mail could not be read",
        );
        vec![Err((String::new(), refusal))]
    })
}

/// Whether anything in a mail looks like a report: decides whether the archive keeps its body.
pub fn may_hold_report(bytes: &[u8]) -> bool {
    // As with [`parts`], a defect is noted when the mail is read.
    catch_unwind(|| walk::has_parts(bytes, &Limits::default())).unwrap_or(true)
}

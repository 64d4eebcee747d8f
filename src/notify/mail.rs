//! A letter as a mail: headers, parts, and the thread of its alerts. The same notice gives the same bytes.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, InReplyTo, References,
};
use lettre::message::{Attachment, Mailbox as Address, MultiPart, SinglePart};

use super::fate::SendError;
use super::harmless::cut_to_bytes;
use super::html::html;
use super::letter::Letter;
use super::plain;
use super::trend::Trend;
use crate::model::alert::Severity;
use crate::model::channel::{MailWay, Mailbox};
use crate::model::notice::{Notice, NoticeKind};

/// Mails refer to so many threads at most.
const MOST_THREADS: usize = 50;
/// Bytes of a subject; what is longer is cut by mail programs anyway.
const SUBJECT_BYTES: usize = 300;

/// The bytes of the mail.
pub fn message(way: &MailWay, notice: &Notice) -> Result<Vec<u8>, SendError> {
    let letter = Letter::of(notice);
    let (key, domain) = (identifier(notice.key()), way.from.domain());
    let mut builder = Message::builder()
        .from(address(&way.from)?)
        .message_id(Some(format!("<{key}@{domain}>")))
        .date(instant(notice.at_utc_secs()))
        .subject(cut_to_bytes(&letter.subject, SUBJECT_BYTES));
    for to in &way.to {
        builder = builder.to(address(to)?);
    }
    let threads = threads(notice, domain);
    if !threads.is_empty() {
        builder = builder
            .header(InReplyTo::from(threads.clone()))
            .header(References::from(threads));
    }
    for (name, value) in automatic(notice, letter.severity) {
        builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
    }
    let trend = match notice {
        Notice::Digest(digest) => Trend::new(&digest.trend),
        _ => None,
    };
    let built = builder.multipart(parts(&letter, trend.as_ref(), &key, domain));
    built
        .map(|message| message.formatted())
        .map_err(|error| SendError::needs_person(format!("the mail cannot be made: {error}")))
}

/// An address as lettre knows it.
pub fn address(mailbox: &Mailbox) -> Result<Address, SendError> {
    let parsed = mailbox.address.parse();
    let email = parsed.map_err(|_| {
        SendError::needs_person("`from` or `to` holds something that is no address of mail")
    })?;
    Ok(Address::new(mailbox.name.clone(), email))
}

/// What tells programs that nobody wrote this: no answers of absence, no loops.
fn automatic(notice: &Notice, severity: Option<Severity>) -> Vec<(HeaderName, &'static str)> {
    let mut headers = vec![
        (
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated",
        ),
        (
            HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"),
            "All",
        ),
    ];
    match notice {
        // An alert is no bulk mail: it has to be seen.
        Notice::Digest(_) => {
            headers.push((HeaderName::new_from_ascii_str("Precedence"), "bulk"));
        }
        Notice::Alerts(_) if severity == Some(Severity::Critical) => {
            headers.push((HeaderName::new_from_ascii_str("Importance"), "high"));
        }
        _ => {}
    }
    headers
}

/// Mails about an alert hang together by an id that nobody ever sent.
fn threads(notice: &Notice, domain: &str) -> String {
    let ids: Vec<String> = match notice {
        Notice::Alerts(notice) => notice
            .alerts
            .iter()
            .take(MOST_THREADS)
            .map(|told| format!("<alert-{}@{domain}>", identifier(&told.alert.id)))
            .collect(),
        Notice::Digest(digest) => {
            let kind = match digest.kind {
                NoticeKind::Weekly => "weekly",
                _ => "daily",
            };
            vec![format!("<digest-{kind}@{domain}>")]
        }
        Notice::Text(_) | Notice::Test(_) => Vec::new(),
    };
    ids.join(" ")
}

fn parts(letter: &Letter, trend: Option<&Trend>, key: &str, domain: &str) -> MultiPart {
    let picture = trend.and_then(|trend| Some((trend, trend.png()?)));
    let content_id = format!("trend-{key}@{domain}");
    let shown = picture
        .as_ref()
        .map(|(trend, _)| (*trend, content_id.as_str()));
    let page = html(letter, shown);
    // Where an equals sign is always followed by two digits or the end of a line, no text holds a boundary.
    let alternative = MultiPart::alternative()
        .boundary(format!("=_alternative-{key}"))
        .singlepart(part(ContentType::TEXT_PLAIN, plain::text(letter)));
    let page = part(ContentType::TEXT_HTML, page);
    match (picture, ContentType::parse("image/png")) {
        (Some((_, bytes)), Ok(kind)) => alternative.multipart(
            MultiPart::related()
                .boundary(format!("=_related-{key}"))
                .singlepart(page)
                .singlepart(
                    Attachment::new_inline_with_name(content_id.clone(), "trend.png".to_owned())
                        .body(bytes, kind),
                ),
        ),
        _ => alternative.singlepart(page),
    }
}

/// Lines of any length and any characters, as bytes that every server passes on.
fn part(kind: ContentType, text: String) -> SinglePart {
    SinglePart::builder()
        .header(kind)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(text)
}

/// What can stand in an id.
fn identifier(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect()
}

fn instant(utc_secs: i64) -> SystemTime {
    // The last instant that a date of mail can name.
    const LAST_SECS: u64 = 253_402_300_799;
    let secs = u64::try_from(utc_secs).unwrap_or(0).min(LAST_SECS);
    SystemTime::UNIX_EPOCH + Duration::from_secs(secs)
}

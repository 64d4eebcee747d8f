//! One entity of a mail: its header block and its body, and the few header fields that say how to read the body.

use std::panic::catch_unwind;
use std::sync::LazyLock;

use mail_parser::{ContentType, HeaderName, HeaderValue, MessageParser};
use memchr::memchr;

/// Fields of which at least one marks a text as a mail.
const MAIL_FIELDS: [&str; 14] = [
    "received",
    "returnpath",
    "from",
    "to",
    "subject",
    "date",
    "messageid",
    "mimeversion",
    "deliveredto",
    "contenttype",
    "dkimsignature",
    "xoriginalto",
    "authenticationresults",
    "replyto",
];

/// A field that says how a message is read. The first of its name counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    From,
    ContentType,
    ContentDisposition,
    ContentTransferEncoding,
}

/// Names of [`Field`]s, in lower case without hyphens: some write `ContentType:`.
const FIELDS: [&str; 4] = [
    "from",
    "contenttype",
    "contentdisposition",
    "contenttransferencoding",
];

/// Header and body, cut apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entity<'x> {
    /// With its line ends, without the empty line.
    pub(super) header: &'x [u8],
    pub(super) body: &'x [u8],
    /// Where in the header each of [`FIELDS`] begins.
    fields: [Option<usize>; FIELDS.len()],
}

impl<'x> Entity<'x> {
    /// A message: blank lines, a byte order mark and an mbox line may stand before its header.
    pub(super) fn of_message(bytes: &'x [u8]) -> Self {
        let mut rest = &bytes[crate::unpack::leading_blank(bytes)..];
        while rest.starts_with(b"From ") || rest.starts_with(b">From ") {
            rest = &rest[line_length(rest)..];
        }
        Self::of_part(rest)
    }

    /// A part of a multipart. A line that can be no header ends the header even where the empty line is missing.
    pub(super) fn of_part(bytes: &'x [u8]) -> Self {
        let mut at = 0;
        let mut last_name: &[u8] = b"";
        let mut fields = [None; FIELDS.len()];
        let cut = |header_end: usize, body: usize, fields| Self {
            header: &bytes[..header_end],
            body: &bytes[body..],
            fields,
        };
        while at < bytes.len() {
            let line = &bytes[at..at + line_length(&bytes[at..])];
            if line.trim_ascii().is_empty() && !line.starts_with(b" ") && !line.starts_with(b"\t") {
                return cut(at, at + line.len(), fields);
            }
            match field_name(line) {
                Some(name) => {
                    last_name = name;
                    if let Some(field) = FIELDS.iter().position(|field| is_named(name, field)) {
                        fields[field].get_or_insert(at);
                    }
                }
                None if is_continuation(line, last_name) => {}
                None => return cut(at, at, fields),
            }
            at += line.len();
        }
        cut(bytes.len(), bytes.len(), fields)
    }

    /// The unfolded value of a field.
    pub(super) fn field(&self, field: Field) -> Option<Vec<u8>> {
        let (at, name) = (self.fields[field as usize]?, FIELDS[field as usize]);
        let mut lines = self.header[at..].split_inclusive(|&b| b == b'\n');
        let line = lines.next()?;
        let colon = line.iter().position(|&b| b == b':')?;
        let mut value = line[colon + 1..].trim_ascii().to_vec();
        for line in lines {
            if !is_continuation(line, name.as_bytes()) || field_name(line).is_some() {
                break;
            }
            value.push(b' ');
            value.extend_from_slice(line.trim_ascii());
        }
        Some(value)
    }

    /// What the header says of the body.
    pub(super) fn facts(&self) -> Facts {
        let disposition = self
            .field(Field::ContentDisposition)
            .and_then(|value| parameters(&value));
        let content_type = self
            .field(Field::ContentType)
            .and_then(|value| parameters(&value));
        let mut facts = content_type
            .as_ref()
            .map(Facts::of_type)
            .unwrap_or_default();
        if let Some(name) = disposition.as_ref().and_then(|d| d.attribute("filename")) {
            facts.file_name = Some(name.to_owned());
        }
        let encoding = self
            .field(Field::ContentTransferEncoding)
            .unwrap_or_default();
        facts.encoding = String::from_utf8_lossy(&encoding)
            .trim()
            .to_ascii_lowercase();
        facts
    }
}

/// What a header says of its body. All of it is a hint but the boundary and the transfer encoding.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// `type/subtype`, lower case; empty where missing.
    pub(super) mime_type: String,
    pub(super) boundary: Option<String>,
    pub(super) report_type: Option<String>,
    pub(super) file_name: Option<String>,
    /// Content-Transfer-Encoding, lower case.
    pub(super) encoding: String,
}

impl Facts {
    fn of_type(parsed: &ContentType<'_>) -> Self {
        let text = |name: &str| parsed.attribute(name).map(str::to_owned);
        Self {
            mime_type: format!(
                "{}/{}",
                parsed.ctype(),
                parsed.subtype().unwrap_or_default()
            )
            .to_ascii_lowercase(),
            boundary: text("boundary").filter(|boundary| !boundary.is_empty()),
            report_type: text("report-type").map(|kind| kind.to_ascii_lowercase()),
            file_name: text("name"),
            encoding: String::new(),
        }
    }
}

/// Reads one kind of field.
static PARAMETERS: LazyLock<MessageParser> =
    LazyLock::new(|| MessageParser::new().header_content_type(HeaderName::ContentType));

/// Parses `type/subtype; name=value` with all that RFC 2045 and RFC 2231 allow.
fn parameters(value: &[u8]) -> Option<ContentType<'static>> {
    let field = [b"Content-Type: ", value, b"\r\n\r\n"].concat();
    let parsed = catch_unwind(|| {
        let message = PARAMETERS.parse_headers(&field)?;
        let value = message.header("Content-Type")?.clone().into_owned();
        Some(value)
    });
    match parsed.ok().flatten()? {
        HeaderValue::ContentType(parsed) => Some(parsed),
        _ => None,
    }
}

/// Length of the first line with its end.
pub(super) fn line_length(bytes: &[u8]) -> usize {
    memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

/// The name of the header field that a line begins, as it is written.
fn field_name(line: &[u8]) -> Option<&[u8]> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let end = line.iter().take(80).position(|&b| !is_name(b))?;
    let colon = line[end..80.min(line.len())]
        .iter()
        .position(|&b| b == b':')?;
    let is_blank = line[end..end + colon].iter().all(u8::is_ascii_whitespace);
    (end > 0 && is_blank).then_some(&line[..end])
}

/// Whether a field is called so; `name` is in lower case without hyphens.
fn is_named(field: &[u8], name: &str) -> bool {
    let letters = field.iter().filter(|&&b| b != b'-');
    letters.map(u8::to_ascii_lowercase).eq(name.bytes())
}

/// Whether a line that begins no field goes on with the one before. Some fold `Content-Type` without indenting.
fn is_continuation(line: &[u8], last_name: &[u8]) -> bool {
    let folded = line.starts_with(b" ") || line.starts_with(b"\t");
    let parameter = || {
        let name = line
            .iter()
            .position(|&b| b == b'=')
            .map(|at| &line[..at])
            .unwrap_or_default();
        !name.is_empty()
            && name
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"-*".contains(b))
            && name.len() < 30
    };
    let is_of = |name| is_named(last_name, name);
    (folded && !last_name.is_empty())
        || ((is_of("contenttype") || is_of("contentdisposition")) && parameter())
        || line.starts_with(b">From ")
}

/// Whether bytes begin as an RFC 5322 message does.
pub fn is_mail(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64 << 10)];
    is_mail_header(Entity::of_message(head).header)
}

/// Whether a field that mails have is in a header.
pub(super) fn is_mail_header(header: &[u8]) -> bool {
    header
        .split_inclusive(|&b| b == b'\n')
        .filter_map(field_name)
        .any(|name| MAIL_FIELDS.iter().any(|field| is_named(name, field)))
}

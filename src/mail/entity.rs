//! One entity of a mail: its header block and its body, and the few header fields that say how to read the body.

use std::panic::catch_unwind;

use mail_parser::{ContentType, HeaderValue, MessageParser};

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

/// Header and body, cut apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entity<'x> {
    /// With its line ends, without the empty line.
    pub(super) header: &'x [u8],
    pub(super) body: &'x [u8],
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
        let mut last_name = String::new();
        while at < bytes.len() {
            let line = &bytes[at..at + line_length(&bytes[at..])];
            if line.trim_ascii().is_empty() && !line.starts_with(b" ") && !line.starts_with(b"\t") {
                return Self {
                    header: &bytes[..at],
                    body: &bytes[at + line.len()..],
                };
            }
            match field_name(line) {
                Some(name) => last_name = name,
                None if is_continuation(line, &last_name) => {}
                None => {
                    return Self {
                        header: &bytes[..at],
                        body: &bytes[at..],
                    };
                }
            }
            at += line.len();
        }
        Self {
            header: bytes,
            body: &[],
        }
    }

    /// The unfolded value of the first field of this name, which is given in lower case without hyphens: some write
    /// `ContentType:`.
    pub(super) fn field(&self, name: &str) -> Option<Vec<u8>> {
        let mut lines = self.header.split_inclusive(|&b| b == b'\n');
        let line = lines
            .by_ref()
            .find(|line| field_name(line).as_deref() == Some(name))?;
        let colon = line.iter().position(|&b| b == b':')?;
        let mut value = line[colon + 1..].trim_ascii().to_vec();
        for line in lines {
            if !is_continuation(line, name) || field_name(line).is_some() {
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
            .field("contentdisposition")
            .and_then(|value| parameters(&value));
        let content_type = self
            .field("contenttype")
            .and_then(|value| parameters(&value));
        let mut facts = content_type
            .as_ref()
            .map(Facts::of_type)
            .unwrap_or_default();
        if let Some(name) = disposition.as_ref().and_then(|d| d.attribute("filename")) {
            facts.file_name = Some(name.to_owned());
        }
        let encoding = self.field("contenttransferencoding").unwrap_or_default();
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

/// Parses `type/subtype; name=value` with all that RFC 2045 and RFC 2231 allow.
fn parameters(value: &[u8]) -> Option<ContentType<'static>> {
    let field = [b"Content-Type: ", value, b"\r\n\r\n"].concat();
    let parsed = catch_unwind(|| {
        let message = MessageParser::default().parse_headers(&field)?;
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
    bytes
        .iter()
        .position(|&b| b == b'\n')
        .map_or(bytes.len(), |at| at + 1)
}

/// The name of the header field that a line begins, in lower case without hyphens.
fn field_name(line: &[u8]) -> Option<String> {
    let colon = line.iter().take(80).position(|&b| b == b':')?;
    let name = line[..colon].trim_ascii_end();
    let is_name = |&b: &u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (!name.is_empty() && name.iter().all(is_name)).then(|| {
        name.iter()
            .filter(|&&b| b != b'-')
            .map(|b| b.to_ascii_lowercase() as char)
            .collect()
    })
}

/// Whether a line that begins no field goes on with the one before. Some fold `Content-Type` without indenting.
fn is_continuation(line: &[u8], last_name: &str) -> bool {
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
    (folded && !last_name.is_empty())
        || (matches!(last_name, "contenttype" | "contentdisposition") && parameter())
        || line.starts_with(b">From ")
}

/// Whether bytes begin as an RFC 5322 message does.
pub fn is_mail(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64 << 10)];
    let header = Entity::of_message(head).header;
    header
        .split_inclusive(|&b| b == b'\n')
        .filter_map(field_name)
        .any(|name| MAIL_FIELDS.contains(&name.as_str()))
}

//! Values of a mailbox: hosts, folders, addresses, schedules.

use std::net::IpAddr;
use std::str::FromStr;

use super::super::tree::{Node, Reader, Value};
use crate::http::may_be_asked;
use crate::model::inbox::{After, TlsMode};

pub(in crate::config) const TLS_MODES: [(&str, TlsMode); 3] = [
    ("implicit", TlsMode::Implicit),
    ("starttls", TlsMode::StartTls),
    ("none", TlsMode::None),
];
/// What may become of a mail; one without a report is not deleted, because the archive does not keep it.
pub(super) const AFTERS: [(&str, After); 4] = [
    ("nothing", After::Nothing),
    ("mark_seen", After::MarkSeen),
    ("move", After::Move),
    ("delete", After::Delete),
];

/// One of a few words. `leave` is another word for `nothing`.
pub(in crate::config) fn word<T: Copy>(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
    words: &[(&str, T)],
) -> Option<T> {
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let wanted = format!("one of {}", known.join(", "));
    let text = match &node.value {
        Value::Text(text) if text == "leave" => "nothing",
        Value::Text(text) => text.trim(),
        other => return reader.expected(path, node, &wanted, other.noun()),
    };
    let found = words.iter().find(|(word, _)| *word == text);
    match found {
        Some((_, value)) => Some(*value),
        None => reader.expected(path, node, &wanted, &format!("\"{text}\"")),
    }
}

/// One line that can stand in a command, a path and a log.
pub(in crate::config) fn inbox_name(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
) -> Option<String> {
    let text = reader.text(path, node)?;
    if text.chars().any(char::is_control) || text.len() > 100 {
        return reader.expected(path, node, "a name of one line", "a longer text");
    }
    Some(text)
}

pub(in crate::config) fn host(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let is_name = |name: &str| {
        name.len() <= 253
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
    };
    if IpAddr::from_str(bare).is_ok() || is_name(&text) {
        return Some(bare.to_owned());
    }
    reader.expected(
        path,
        node,
        "a host such as mail.example.com, without port or scheme",
        &format!("\"{text}\""),
    )
}

pub(in crate::config) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || IpAddr::from_str(host).is_ok_and(|address| address.is_loopback())
}

pub(in crate::config) fn port(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<u16> {
    let number = reader.count(path, node, 1)?;
    let read = u16::try_from(number).ok();
    read.or_else(|| reader.expected(path, node, "a port up to 65535", &number.to_string()))
}

/// A folder as people write it, `/` between levels.
pub(super) fn folder(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    if text.chars().any(char::is_control) || text.len() > 500 {
        return reader.expected(path, node, "the name of a folder", "another text");
    }
    Some(text)
}

pub(super) fn recipient(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    if is_plain_address(&text) {
        return Some(text);
    }
    reader.expected(
        path,
        node,
        "an address such as dmarc@example.com",
        &format!("\"{text}\""),
    )
}

/// `local@domain` in plain ASCII.
pub(in crate::config) fn is_plain_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>'))
    })
}

pub(super) fn cron(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    if croner::Cron::from_str(&text).is_ok() {
        return Some(text);
    }
    reader.expected(
        path,
        node,
        "a cron expression such as \"*/15 * * * *\"",
        &format!("\"{text}\""),
    )
}

/// An address that a request may be sent to: `https`, or `http` within one's own network.
pub fn url(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    if may_be_asked(&text) {
        return Some(text);
    }
    // It may hold a token: not repeated.
    reader.expected(
        path,
        node,
        "an https address (http only within your own network: private addresses, names without a dot, .local, .lan, \
         .internal, .home.arpa)",
        "another text",
    )
}

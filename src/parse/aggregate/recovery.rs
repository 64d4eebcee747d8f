//! The tolerant tokeniser, for documents that the fast one gave up: every `<` that does not begin a tag of a report is
//! text, every `&` that does not begin a reference is text.

use super::builder::Builder;
use super::name::Name;
use super::stop::{Stop, truncated};
use super::strict::is_root_end;

/// Longest tag and longest reference that are looked for; a `<` without its `>` within this many bytes is text.
const TAG_BYTES: usize = 64 * 1024;
const REFERENCE_BYTES: usize = 32;

/// What begins at a `<`.
enum Markup {
    /// So many bytes that say nothing: comment, declaration, instruction.
    Nothing(usize),
    /// A document type declaration of so many bytes.
    Doctype(usize),
    /// `<![CDATA[`, so many bytes in all.
    CData(usize),
    /// `<name …>` of so many bytes.
    Tag(usize),
    /// Just a character.
    Text,
    /// The window ends before its end.
    Unfinished,
}

/// Feeds what `window` holds to `builder` and returns how many bytes were used.
pub(super) fn feed(window: &[u8], is_last: bool, builder: &mut Builder<'_>) -> Result<usize, Stop> {
    let mut at = 0;
    while at < window.len() && !builder.is_done() {
        let rest = &window[at..];
        if rest[0] != b'<' {
            let len = rest
                .iter()
                .position(|byte| *byte == b'<')
                .unwrap_or(rest.len());
            if len == rest.len() && !is_last {
                return Ok(at);
            }
            text(&rest[..len], builder)?;
            at += len;
            continue;
        }
        match markup(rest, is_last) {
            Markup::Nothing(len) => at += len,
            Markup::Doctype(len) => {
                builder.doctype()?;
                at += len;
            }
            Markup::CData(len) => {
                builder.text(utf8(&rest[9..len - 3])?);
                at += len;
            }
            Markup::Tag(len) => {
                tag(utf8(&rest[..len])?, builder)?;
                at += len;
            }
            Markup::Text if is_last && is_root_end(rest) && builder.is_between_records() => {
                return Ok(at);
            }
            Markup::Text if is_last && is_cut_tag(rest) && !builder.is_unopened() => {
                return Err(truncated());
            }
            Markup::Text => {
                builder.raw_angle();
                at += 1;
            }
            Markup::Unfinished => return Ok(at),
        }
    }
    Ok(at)
}

fn markup(rest: &[u8], is_last: bool) -> Markup {
    let near = &rest[..rest.len().min(TAG_BYTES)];
    if rest.starts_with(b"<!--") {
        return until(rest, b"-->", is_last, Markup::Nothing);
    }
    if rest.starts_with(b"<![CDATA[") {
        return until(rest, b"]]>", is_last, Markup::CData);
    }
    if rest.starts_with(b"<?") {
        return tag_end(near, is_last, Markup::Nothing);
    }
    if rest
        .get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"<!doctype"))
    {
        return until(rest, b">", is_last, Markup::Doctype);
    }
    let begins_name = match rest.get(1) {
        Some(b'/') => rest.get(2),
        other => other,
    };
    match begins_name {
        None if !is_last => return Markup::Unfinished,
        Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {}
        _ => return Markup::Text,
    }
    tag_end(near, is_last, Markup::Tag)
}

/// A tag ends at its `>`, before any other `<`.
fn tag_end(near: &[u8], is_last: bool, found: fn(usize) -> Markup) -> Markup {
    match near[1..]
        .iter()
        .position(|byte| matches!(byte, b'<' | b'>'))
    {
        Some(at) if near[1 + at] == b'>' => found(at + 2),
        Some(_) => Markup::Text,
        None if !is_last && near.len() < TAG_BYTES => Markup::Unfinished,
        None => Markup::Text,
    }
}

/// What has no end takes the rest of the document with it: looking for the end once is enough.
fn until(rest: &[u8], end: &[u8], is_last: bool, found: fn(usize) -> Markup) -> Markup {
    match rest.windows(end.len()).position(|window| window == end) {
        Some(at) => found(at + end.len()),
        None if is_last => Markup::Nothing(rest.len()),
        None => Markup::Unfinished,
    }
}

/// The document ends inside of a tag.
fn is_cut_tag(rest: &[u8]) -> bool {
    rest.len() < 256 && !rest.contains(&b'>')
}

/// `<…>`: a tag of a report, or text that looks like one.
fn tag(written: &str, builder: &mut Builder<'_>) -> Result<(), Stop> {
    let inner = &written[1..written.len() - 1];
    if let Some(name) = inner.strip_prefix('/') {
        let name = name.trim_end();
        if !builder.is_in_leaf() || builder.has_open(name) {
            return builder.end(name);
        }
        return raw(written, builder);
    }
    let (inner, is_empty) = match inner.strip_suffix('/') {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let name_len = inner
        .find(|c: char| c.is_ascii_whitespace())
        .unwrap_or(inner.len());
    let (name, attributes) = inner.split_at(name_len);
    let is_name = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'));
    let (known, _) = Name::read(name);
    if !is_name || !builder.may_start(known) {
        return raw(written, builder);
    }
    builder.start(name, attributes)?;
    if is_empty { builder.end(name) } else { Ok(()) }
}

fn raw(written: &str, builder: &mut Builder<'_>) -> Result<(), Stop> {
    builder.raw_angle();
    text(&written.as_bytes()[1..], builder)
}

fn text(bytes: &[u8], builder: &mut Builder<'_>) -> Result<(), Stop> {
    let mut rest = utf8(bytes)?;
    while let Some(at) = rest.find('&') {
        builder.text(&rest[..at]);
        rest = &rest[at..];
        let near = &rest.as_bytes()[1..rest.len().min(REFERENCE_BYTES)];
        let len = near
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'#'));
        match len {
            Some(len) if len > 0 && near[len] == b';' => {
                builder.reference(&rest[1..=len]);
                rest = &rest[len + 2..];
            }
            _ => {
                builder.bare_ampersand(rest);
                builder.text("&");
                rest = &rest[1..];
            }
        }
    }
    builder.text(rest);
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<&str, Stop> {
    std::str::from_utf8(bytes).map_err(|_| Stop::Encoding)
}

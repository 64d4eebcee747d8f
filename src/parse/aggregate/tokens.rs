//! The tokeniser: a window of the document -> tags and text, borrowed from it.
//!
//! A strict attempt ends at what no well-formed document has. A lenient one takes every `<` that does not begin a tag
//! of a report as text. In both, a `&` that does not begin a reference is text.

use super::builder::{Builder, Tolerance};
use super::name::Name;
use super::stop::{Stop, truncated};

/// Longest tag that a lenient attempt looks for; a `<` without its `>` within this many bytes is text.
const TAG_BYTES: usize = 64 * 1024;
/// Longest reference.
const REFERENCE_BYTES: usize = 32;
const CDATA: &str = "<![CDATA[";
const CDATA_END: &str = "]]>";

/// What begins at a `<`.
enum Markup {
    /// So many bytes that say nothing: comment, declaration, instruction.
    Nothing(usize),
    /// A document type declaration of so many bytes.
    Doctype(usize),
    /// A CDATA section of so many bytes in all.
    CData(usize),
    /// `<name …>` of so many bytes.
    Tag(usize),
    /// What never ends, and takes the rest of the document with it.
    Endless,
    /// Just a character.
    Text,
    /// The window ends before its end.
    Unfinished,
}

/// Feeds what `window` holds to `builder` and returns how many bytes were used. Where more bytes follow, a token that
/// is not surely whole is left to the next window.
pub(super) fn feed(window: &[u8], is_last: bool, builder: &mut Builder<'_>) -> Result<usize, Stop> {
    let (text, is_broken) = readable(window, is_last);
    let window = Window {
        text,
        is_last: is_last && !is_broken,
    };
    let mut at = 0;
    while at < text.len() && !builder.is_done() {
        match window.token(at, builder)? {
            0 => break,
            len => at += len,
        }
    }
    if is_broken && !builder.is_done() {
        return Err(Stop::Encoding);
    }
    Ok(at)
}

/// The UTF-8 that the bytes begin with, and whether other bytes follow that are none. What follows the root element
/// may be anything, so this is no error yet.
fn readable(window: &[u8], is_last: bool) -> (&str, bool) {
    match std::str::from_utf8(window) {
        Ok(text) => (text, false),
        Err(error) => {
            let whole = &window[..error.valid_up_to()];
            let is_broken = is_last || error.error_len().is_some();
            (std::str::from_utf8(whole).unwrap_or_default(), is_broken)
        }
    }
}

/// Part of the document.
struct Window<'w> {
    text: &'w str,
    /// Nothing follows it.
    is_last: bool,
}

impl Window<'_> {
    /// Takes the token at `at` and returns its length; 0 where it is left.
    fn token(&self, at: usize, builder: &mut Builder<'_>) -> Result<usize, Stop> {
        let bytes = &self.text.as_bytes()[at..];
        if bytes.first() != Some(&b'<') {
            return Ok(self.text_token(at, builder));
        }
        let is_strict = builder.attempt.tolerance == Tolerance::Strict;
        let rest = &self.text[at..];
        match self.markup(rest, is_strict) {
            Markup::Tag(len) if is_strict => {
                tag(&rest[1..len - 1], builder)?;
                Ok(len)
            }
            Markup::Tag(len) => {
                likely_tag(&rest[..len], builder)?;
                Ok(len)
            }
            Markup::Nothing(len) => Ok(len),
            Markup::Doctype(len) => {
                builder.doctype()?;
                Ok(len)
            }
            Markup::CData(len) => {
                builder.text(&rest[CDATA.len()..len - CDATA_END.len()]);
                Ok(len)
            }
            // Records in it would be lost without a word.
            Markup::Endless if !builder.is_unopened() && rest.contains("record") => {
                Err(truncated())
            }
            Markup::Endless => Ok(rest.len()),
            Markup::Unfinished => Ok(0),
            Markup::Text => self.stray(rest, is_strict, builder),
        }
    }

    /// Text up to the next `<`.
    fn text_token(&self, at: usize, builder: &mut Builder<'_>) -> usize {
        let mut has_ampersand = false;
        let bytes = &self.text.as_bytes()[at..];
        let end = bytes.iter().position(|byte| {
            has_ampersand |= *byte == b'&';
            *byte == b'<'
        });
        let len = match end {
            Some(len) => len,
            None if self.is_last => bytes.len(),
            None => return 0,
        };
        let text = &self.text[at..at + len];
        if has_ampersand {
            with_references(text, builder);
        } else {
            builder.text(text);
        }
        len
    }

    /// A `<` that begins nothing.
    fn stray(&self, rest: &str, is_strict: bool, builder: &mut Builder<'_>) -> Result<usize, Stop> {
        if self.is_last && is_root_end(rest) && builder.is_between_records() {
            return Ok(0);
        }
        if is_strict {
            return Err(Stop::Malformed("a < begins no tag".to_owned()));
        }
        if self.is_last && is_cut_tag(rest) && !builder.is_unopened() {
            return Err(truncated());
        }
        builder.raw_angle();
        Ok(1)
    }

    fn markup(&self, rest: &str, is_strict: bool) -> Markup {
        let bytes = rest.as_bytes();
        let begins_name = match bytes.get(1) {
            Some(b'!') => return self.declaration(rest, is_strict),
            Some(b'?') if is_strict => return self.until(rest, "?>", is_strict, Markup::Nothing),
            Some(b'?') => return self.likely_tag_end(bytes, Markup::Nothing),
            Some(b'/') => bytes.get(2),
            other => other,
        };
        match begins_name {
            None if !self.is_last => Markup::Unfinished,
            Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
                if is_strict {
                    self.tag_end(bytes)
                } else {
                    self.likely_tag_end(bytes, Markup::Tag)
                }
            }
            Some(byte) if is_strict && !byte.is_ascii() => self.tag_end(bytes),
            _ => Markup::Text,
        }
    }

    fn declaration(&self, rest: &str, is_strict: bool) -> Markup {
        const DOCTYPE: &[u8] = b"<!doctype";
        let bytes = rest.as_bytes();
        if rest.starts_with("<!--") {
            return self.until(rest, "-->", is_strict, Markup::Nothing);
        }
        if rest.starts_with(CDATA) {
            return self.until(rest, CDATA_END, is_strict, Markup::CData);
        }
        let begin = &bytes[..bytes.len().min(DOCTYPE.len())];
        if begin.eq_ignore_ascii_case(DOCTYPE) {
            return self.until(rest, ">", is_strict, Markup::Doctype);
        }
        if !self.is_last && bytes.len() < DOCTYPE.len() {
            return Markup::Unfinished;
        }
        Markup::Text
    }

    /// A tag ends at the first `>` that is not quoted; there is no `<` in its name.
    fn tag_end(&self, bytes: &[u8]) -> Markup {
        let name_end = bytes
            .iter()
            .skip(1)
            .position(|byte| matches!(byte, b'<' | b'>') || byte.is_ascii_whitespace());
        match name_end.map(|end| (end + 1, bytes[end + 1])) {
            None => self.unfinished(),
            Some((_, b'<')) => Markup::Text,
            Some((end, b'>')) => Markup::Tag(end + 1),
            Some((end, _)) => self.attributes_end(bytes, end),
        }
    }

    fn attributes_end(&self, bytes: &[u8], begin: usize) -> Markup {
        let mut quote = None;
        for (at, byte) in bytes.iter().enumerate().skip(begin) {
            match (quote, byte) {
                (None, b'>') => return Markup::Tag(at + 1),
                (None, b'"' | b'\'') => quote = Some(*byte),
                (Some(open), byte) if open == *byte => quote = None,
                _ => {}
            }
        }
        self.unfinished()
    }

    /// What may be a tag ends at its `>`, before any other `<`.
    fn likely_tag_end(&self, bytes: &[u8], found: fn(usize) -> Markup) -> Markup {
        let near = &bytes[..bytes.len().min(TAG_BYTES)];
        let end = near[1..]
            .iter()
            .position(|byte| matches!(byte, b'<' | b'>'));
        match end {
            Some(at) if near[1 + at] == b'>' => found(at + 2),
            None if near.len() < TAG_BYTES => self.unfinished(),
            _ => Markup::Text,
        }
    }

    /// In a lenient attempt, what has no end takes the rest of the document with it: looking for the end once is
    /// enough.
    fn until(&self, rest: &str, end: &str, is_strict: bool, found: fn(usize) -> Markup) -> Markup {
        match rest.find(end) {
            Some(at) => found(at + end.len()),
            None if self.is_last && !is_strict => Markup::Endless,
            None => self.unfinished(),
        }
    }

    fn unfinished(&self) -> Markup {
        if self.is_last {
            Markup::Text
        } else {
            Markup::Unfinished
        }
    }
}

/// The beginning of an end tag, cut off.
fn is_root_end(rest: &str) -> bool {
    rest == "<" || rest.starts_with("</") && rest.len() < 64 && !rest.contains('>')
}

/// The document ends inside of a tag.
fn is_cut_tag(rest: &str) -> bool {
    rest.len() < 256 && !rest.contains('>')
}

/// What stands between `<` and `>`.
fn tag(inner: &str, builder: &mut Builder<'_>) -> Result<(), Stop> {
    if let Some(name) = inner.strip_prefix('/') {
        return builder.end(name.trim_ascii_end());
    }
    let (name, attributes, is_empty) = split(inner);
    builder.start(name, attributes)?;
    if is_empty { builder.end(name) } else { Ok(()) }
}

/// Name, attributes, and whether the tag is its own end.
fn split(inner: &str) -> (&str, &str, bool) {
    let (inner, is_empty) = match inner.strip_suffix('/') {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let blank = inner.bytes().position(|byte| byte.is_ascii_whitespace());
    let (name, attributes) = inner.split_at(blank.unwrap_or(inner.len()));
    (name, attributes, is_empty)
}

/// `<…>`: a tag of a report, or text that looks like one.
fn likely_tag(written: &str, builder: &mut Builder<'_>) -> Result<(), Stop> {
    let inner = &written[1..written.len() - 1];
    let is_tag = match inner.strip_prefix('/') {
        Some(name) => !builder.is_in_leaf() || builder.has_open(name.trim_end()),
        None => {
            let (name, _, _) = split(inner);
            let mut chars = name.chars();
            chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
                && builder.may_start(Name::read(name).0)
        }
    };
    if is_tag {
        return tag(inner, builder);
    }
    builder.raw_angle();
    with_references(&written[1..], builder);
    Ok(())
}

/// Text in which a `&` is.
fn with_references(text: &str, builder: &mut Builder<'_>) {
    let mut rest = text;
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
}

//! Text between tags: into the open field, or noted where none is open.

use super::builder::{Builder, Phase};
use super::schema::Place;

/// The texts of one record together have at most the bytes of so many of the longest: there can be hundreds of them,
/// and rows are held in memory by the thousand.
const LONGEST_TEXTS: usize = 4;

/// Names, addresses and ids in the head of a report have this part of the bytes of the longest text at most.
pub(super) const SHORT_TEXTS: usize = 4;

impl Builder<'_> {
    /// Text between tags.
    pub(super) fn text(&mut self, text: &str) {
        if self.is_in_leaf() {
            self.push_text(text);
        } else if !text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            match self.phase {
                Phase::Before => self.oddities.note("junk-before-root", || text.to_owned()),
                _ if self
                    .open
                    .last()
                    .is_some_and(|open| open.place == Place::Skipped) => {}
                _ => self.oddities.note("stray-text", || text.to_owned()),
            }
        }
    }

    /// A reference between `&` and `;`. Only the five predefined ones and characters are resolved.
    pub(super) fn reference(&mut self, name: &str) {
        if let Some(found) = resolve(name) {
            return self.text(found.encode_utf8(&mut [0; 4]));
        }
        self.oddities.note("entity-unknown", || name.to_owned());
        self.text("&");
        self.text(name);
        self.text(";");
    }

    /// A `&` that begins no reference; it is text.
    pub(super) fn bare_ampersand(&mut self, text: &str) {
        self.oddities
            .note("raw-ampersand", || text.chars().take(40).collect());
    }

    /// A `<` that begins no tag; it is text.
    pub(super) fn raw_angle(&mut self) {
        if self.is_in_leaf() {
            self.oddities.note("raw-angle", String::new);
        }
        self.text("<");
    }

    /// What follows the root element.
    pub(super) fn trailing(&mut self, rest: &[u8]) {
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
        let at = rest.iter().position(|byte| !byte.is_ascii_whitespace());
        let Some(at) = at else { return };
        let rest = &rest[at..];
        let code = match () {
            () if rest.iter().all(is_blank) => "trailing-nul",
            () if super::has_root(rest) => "second-report-ignored",
            () => "trailing-bytes",
        };
        self.oddities.note(code, || {
            String::from_utf8_lossy(&rest[..rest.len().min(240)]).into_owned()
        });
    }

    fn push_text(&mut self, text: &str) {
        let limit = self.attempt.limits.text_bytes;
        let of_record = limit.saturating_mul(LONGEST_TEXTS);
        let room = limit
            .min(of_record.saturating_sub(self.record.text_bytes))
            .saturating_sub(self.text.len());
        if text.len() <= room {
            return self.text.push_str(text);
        }
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        self.text_is_cut = true;
    }

    /// Keeps so many bytes of the text at most.
    pub(super) fn cut_text(&mut self, bytes: usize) {
        if self.text.len() > bytes {
            self.text.truncate(self.text.floor_char_boundary(bytes));
            self.text_is_cut = true;
        }
    }
}

fn resolve(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    })
}

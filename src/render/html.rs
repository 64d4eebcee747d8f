//! A buffer of HTML: what is written is either a constant of this program or escaped.
//!
//! [`Html::raw`] takes only `&'static str`, so no text of a report can pass unescaped by mistake.

use std::borrow::Cow;

/// HTML under construction.
#[derive(Debug, Clone, Default)]
pub struct Html(String);

impl Html {
    /// An empty buffer with room for `capacity_bytes`.
    pub fn with_capacity(capacity_bytes: usize) -> Self {
        Self(String::with_capacity(capacity_bytes))
    }

    /// Markup of this program.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Anyone's text, for content and for quoted attributes.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape_into(&mut self.0, text);
        self
    }

    /// Anyone's text of several lines, for `pre`.
    pub fn lines(&mut self, text: &str) -> &mut Self {
        for line in text.lines() {
            self.text(line).raw("\n");
        }
        self
    }

    /// A number as digits.
    pub fn int(&mut self, number: i64) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// What another buffer holds.
    pub fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// Markup that this program wrote into a generation, read back from there.
    pub fn published(markup: String) -> Self {
        Self(markup)
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The markup.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Appends `text` with HTML's five characters escaped and unseen characters made visible.
pub fn escape_into(out: &mut String, text: &str) {
    if text.bytes().all(is_plain) {
        out.push_str(text);
        return;
    }
    let mut start = 0;
    for (at, character) in text.char_indices() {
        let replacement = match character {
            '&' => Cow::Borrowed("&amp;"),
            '<' => Cow::Borrowed("&lt;"),
            '>' => Cow::Borrowed("&gt;"),
            '"' => Cow::Borrowed("&quot;"),
            '\'' => Cow::Borrowed("&#39;"),
            '\n' | '\r' | '\t' => Cow::Borrowed(" "),
            other if is_unseen(other) => Cow::Owned(format!("[U+{:04X}]", u32::from(other))),
            _ => continue,
        };
        out.push_str(&text[start..at]);
        out.push_str(&replacement);
        start = at + character.len_utf8();
    }
    out.push_str(&text[start..]);
}

/// Whether a byte is a character that stays as it is; most texts have no other.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')
}

/// Control, bidirectional, zero-width and tag characters: they change what a reader believes to see.
pub fn is_unseen(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    matches!(u32::from(character),
        0x80..=0x9f | 0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_is_escaped_and_unseen_characters_show() {
        for (text, expect) in [
            ("plain", "plain"),
            (
                "<script>alert('x')</script>",
                "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
            ),
            ("a\" onload=\"b", "a&quot; onload=&quot;b"),
            ("a\u{202e}b", "a[U+202E]b"),
            ("a\u{200b}b\u{feff}", "a[U+200B]b[U+FEFF]"),
            ("a\0b\u{1b}[31m", "a[U+0000]b[U+001B][31m"),
            ("line\r\nnext\tcell", "line  next cell"),
            ("bücher & söhne", "bücher &amp; söhne"),
        ] {
            let mut html = Html::default();
            html.text(text);
            assert_eq!(html.as_str(), expect, "{text:?}");
        }
    }
}

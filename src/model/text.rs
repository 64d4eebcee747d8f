//! Text that strangers wrote, for people: what a reader would not see is made visible, what is markup is escaped.

use std::borrow::Cow;

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

/// One line in which every character shows: white space is one space, what is unseen is written out, and what is
/// longer than `most` characters is cut.
pub fn one_line(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 4));
    let mut count = 0;
    let words = text.split([' ', '\n', '\r', '\t']);
    for (at, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if at > 0 {
            out.push(' ');
            count += 1;
        }
        for character in word.chars() {
            if count >= most {
                while out.ends_with(' ') {
                    out.pop();
                }
                out.push('\u{2026}');
                return out;
            }
            if is_unseen(character) {
                out.push_str(&format!("[U+{:04X}]", u32::from(character)));
                count += 8;
            } else {
                out.push(character);
                count += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_shows_everything_and_has_an_end() {
        for (text, most, expect) in [
            ("plain text", 80, "plain text"),
            ("a\r\nBcc: b@example.com", 80, "a Bcc: b@example.com"),
            ("  a \t\n b  ", 80, "a b"),
            ("a\u{202e}b\u{0}", 80, "a[U+202E]b[U+0000]"),
            ("four words are cut", 10, "four words\u{2026}"),
            ("four words are cut", 11, "four words\u{2026}"),
            ("\u{2028}x", 80, "[U+2028]x"),
            ("", 5, ""),
        ] {
            assert_eq!(one_line(text, most), expect, "{text:?}");
        }
    }
}

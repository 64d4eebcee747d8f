//! Strangers' text in messages: one line, visible, with an end; nothing in it that a program follows or obeys.

use crate::model::text::one_line;

/// Most characters of a title.
pub const TITLE_CHARS: usize = 200;
/// Most characters of a value.
const VALUE_CHARS: usize = 160;
/// Most characters of a name in a table.
const NAME_CHARS: usize = 64;
/// Most characters of a sentence.
const LONG_CHARS: usize = 400;

/// A title: it goes into the subject of mails.
pub fn title(text: &str) -> String {
    let title = defanged(&one_line(text, TITLE_CHARS));
    if title.is_empty() {
        return "(without a title)".to_owned();
    }
    title
}

/// A value.
pub fn value(text: &str) -> String {
    defanged(&one_line(text, VALUE_CHARS))
}

/// A name in a table.
pub fn short(text: &str) -> String {
    defanged(&one_line(text, NAME_CHARS))
}

/// A sentence.
pub fn long(text: &str) -> String {
    defanged(&one_line(text, LONG_CHARS))
}

/// A word of a text in fixed width.
pub fn word(text: &str) -> String {
    defanged(&one_line(text, LONG_CHARS))
}

/// What no program takes for a link or for an encoded word (RFC 2047).
fn defanged(text: &str) -> String {
    let mut out = text.replace("://", "[:]//").replace("=?", "= ?");
    for prefix in ["www.", "WWW.", "Www.", "mailto:", "javascript:", "data:"] {
        if let Some(stem) = prefix.strip_suffix(['.', ':']) {
            let sign = &prefix[stem.len()..];
            out = out.replace(prefix, &format!("{stem}[{sign}]"));
        }
    }
    out
}

/// The same where names behind `@` are called: in chats.
pub fn unaddressed(text: &str) -> String {
    text.replace('@', "[at]")
}

/// What a server said, for a person and a log: one line, cut, without addresses of people and without secrets.
pub fn said(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        text = text.replace(secret, "…");
    }
    let words: Vec<&str> = text
        .split([' ', '\r', '\n', '\t'])
        .map(|word| {
            if word.contains('@') {
                "(an address)"
            } else {
                word
            }
        })
        .collect();
    one_line(&words.join(" "), 240)
}

/// At most so many bytes of a text, cut between characters.
pub fn cut_to_bytes(text: &str, most: usize) -> String {
    const END: &str = "\u{2026}";
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(END.len()));
    format!("{}{END}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_text_is_a_line_without_links_and_encoded_words() {
        for (text, expect) in [
            (
                "203.0.113.66 sends as example.com",
                "203.0.113.66 sends as example.com",
            ),
            ("see https://evil.example/x", "see https[:]//evil.example/x"),
            ("www.evil.example", "www[.]evil.example"),
            ("=?utf-8?q?=0D=0ABcc:?= x", "= ?utf-8?q?=0D=0ABcc:?= x"),
            ("a\r\nBcc: b", "a Bcc: b"),
            ("\u{202e}gpj", "[U+202E]gpj"),
        ] {
            assert_eq!(title(text), expect);
        }
        assert!(title(&"x".repeat(5000)).chars().count() <= TITLE_CHARS + 1);
        assert_eq!(unaddressed("@everyone"), "[at]everyone");
    }

    #[test]
    fn what_a_server_says_names_nobody_and_holds_no_secret() {
        for (text, expect) in [
            (
                "5.1.1 <b@example.com>: no such user",
                "5.1.1 (an address) no such user",
            ),
            ("bad token 123:abcdef\r\nmore", "bad token … more"),
        ] {
            assert_eq!(said(text, &["123:abcdef", ""]), expect);
        }
    }

    #[test]
    fn a_cut_keeps_characters_whole() {
        assert_eq!(cut_to_bytes("äöü", 6), "äöü");
        assert_eq!(cut_to_bytes("äöüä", 7), "äö\u{2026}");
    }
}

//! A buffer of HTML: what is written is either a constant of this program or escaped.
//!
//! [`Html::raw`] takes only `&'static str`, so no text of a report can pass unescaped by mistake.

pub use crate::model::text::{escape_into, is_unseen};

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

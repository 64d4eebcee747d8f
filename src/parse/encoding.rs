//! Bytes -> UTF-8. The order is fixed: a byte order mark, then valid UTF-8, then what the XML declaration says, then
//! windows-1252, which maps every byte to something.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes of a document that decide about its encoding.
const PROLOG_BYTES: usize = 1024;

/// How the bytes of one attempt are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset {
    /// Encoding of the bytes after the mark.
    pub(super) encoding: &'static Encoding,
    /// Length of the byte order mark.
    pub(super) mark_bytes: usize,
    /// Whether what does not decode may be replaced: only where no other encoding is left to try.
    pub(super) lossy: bool,
}

impl Charset {
    /// What the first bytes say: a mark, UTF-16 without a mark, or UTF-8 until it proves wrong.
    pub(super) fn detect(prefix: &[u8]) -> Self {
        if let Some((encoding, mark_bytes)) = Encoding::for_bom(prefix) {
            return Self {
                encoding,
                mark_bytes,
                lossy: encoding != UTF_8,
            };
        }
        let encoding = match prefix {
            [first, 0, second, 0, ..] if *first != 0 && *second != 0 => UTF_16LE,
            [0, first, 0, second, ..] if *first != 0 && *second != 0 => UTF_16BE,
            _ => UTF_8,
        };
        Self {
            encoding,
            mark_bytes: 0,
            lossy: encoding != UTF_8,
        }
    }

    /// What to try after this one did not decode; `None` when nothing is left.
    pub(super) fn next(self, prefix: &[u8]) -> Option<Self> {
        if self.encoding == WINDOWS_1252 {
            return None;
        }
        let declared = declared(prefix)
            .filter(|declared| self.is_utf8() && self.mark_bytes == 0 && *declared != UTF_8);
        let encoding = declared.unwrap_or(WINDOWS_1252);
        Some(Self {
            encoding,
            mark_bytes: self.mark_bytes,
            lossy: false,
        })
    }

    /// Whether the bytes can be read as they are.
    pub(super) fn is_utf8(self) -> bool {
        self.encoding == UTF_8
    }

    /// The oddity that this choice means, if any.
    pub(super) fn oddity(self, prefix: &[u8]) -> Option<(&'static str, String)> {
        let declared = declared(prefix);
        if self.encoding == WINDOWS_1252 && declared != Some(WINDOWS_1252) {
            return Some((
                "encoding-windows-1252",
                "neither UTF-8 nor as declared".to_owned(),
            ));
        }
        let declared =
            declared.filter(|declared| *declared != self.encoding && *declared != UTF_8)?;
        (self.encoding != UTF_8 || !prefix.is_ascii()).then(|| {
            (
                "encoding-declared-wrong",
                format!("{} is {}", declared.name(), self.encoding.name()),
            )
        })
    }

    /// Decodes a whole document; `None` when it is not in this encoding.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
        let bytes = bytes.get(self.mark_bytes..).unwrap_or_default();
        if self.is_utf8() {
            return Some(Cow::Borrowed(bytes));
        }
        if self.lossy {
            let (text, _) = self.encoding.decode_without_bom_handling(bytes);
            return Some(Cow::Owned(text.into_owned().into_bytes()));
        }
        let text = self
            .encoding
            .decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(Cow::Owned(text.into_owned().into_bytes()))
    }
}

/// The `encoding` of an XML declaration, if it is one that can hold ASCII.
fn declared(prefix: &[u8]) -> Option<&'static Encoding> {
    let prolog = &prefix[..prefix.len().min(PROLOG_BYTES)];
    let start = prolog.windows(5).position(|window| window == b"<?xml")?;
    let end = prolog[start..].iter().position(|byte| *byte == b'>')?;
    let declaration = &prolog[start..start + end];
    let at = declaration
        .windows(8)
        .position(|window| window == b"encoding")?
        + 8;
    let mut parts = declaration[at..].splitn(3, |byte| matches!(byte, b'"' | b'\''));
    let label = parts.nth(1)?;
    Encoding::for_label(label).filter(|encoding| encoding.is_ascii_compatible())
}

/// Decodes a text document whole, by the same order; never fails.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    let mut charset = Charset::detect(bytes);
    loop {
        let decoded = charset.decode(bytes).and_then(|decoded| match decoded {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        });
        match (decoded, charset.next(bytes)) {
            (Some(text), _) => return text,
            (None, Some(next)) => charset = next,
            (None, None) => return String::from_utf8_lossy(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_then_utf8_then_declared_then_windows_1252() {
        let cases: [(&[u8], &str); 7] = [
            (b"\xef\xbb\xbf<a>\xc3\xa4</a>", "<a>ä</a>"),
            (b"\xff\xfe<\0a\0>\0\xe4\0", "<a>ä"),
            (b"\xfe\xff\0<\0a\0>\0\xe4", "<a>ä"),
            (b"<\0a\0>\0\xe4\0", "<a>ä"),
            (
                b"<?xml version='1.0' encoding='iso-8859-2'?>\xb1",
                "<?xml version='1.0' encoding='iso-8859-2'?>ą",
            ),
            (
                b"<?xml version='1.0' encoding='iso-8859-2'?>\xc3\xa4",
                "<?xml version='1.0' encoding='iso-8859-2'?>ä",
            ),
            (
                b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\x91",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>‘",
            ),
        ];
        for (bytes, expect) in cases {
            assert_eq!(text(bytes), expect);
        }
    }
}

//! What a run of bytes is, by its first bytes alone: names and declared types are never asked.

/// Bytes that [`container`] wants to see before it says that something is no container.
pub(super) const HEAD_BYTES: usize = 1024;

/// White space and byte order marks before the magic number that are skipped at most.
const SKIP_BYTES: usize = 64;

/// Something with other bytes inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// RFC 1952.
    Gzip,
    /// PKZIP, also an empty or a self-extracting one that begins with its first entry.
    Zip,
    /// POSIX or GNU tar.
    Tar,
}

/// The container that `head` begins, and the number of bytes before its magic number.
pub fn container(head: &[u8]) -> Option<(Container, usize)> {
    if head.get(257..262) == Some(b"ustar".as_slice()) && head[0] != 0 {
        return Some((Container::Tar, 0));
    }
    let skipped = leading_blank(head).min(SKIP_BYTES);
    let rest = &head[skipped..];
    if rest.starts_with(&[0x1f, 0x8b]) {
        Some((Container::Gzip, skipped))
    } else if rest.starts_with(b"PK\x03\x04") || rest.starts_with(b"PK\x05\x06") {
        Some((Container::Zip, skipped))
    } else {
        None
    }
}

/// Number of leading bytes that are white space or a UTF-8 byte order mark.
pub fn leading_blank(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        if rest.starts_with(&[0xef, 0xbb, 0xbf]) {
            at += 3;
        } else if rest.first().is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        } else {
            return at;
        }
    }
}

/// Whether the bytes end as a whole XML or JSON document ends: the answer for data whose container was cut.
pub(super) fn ends_whole(bytes: &[u8]) -> bool {
    let trimmed = bytes.trim_ascii_end();
    let head = bytes[leading_blank(bytes)..].first();
    if head == Some(&b'{') {
        return serde_json::from_slice::<serde::de::IgnoredAny>(trimmed).is_ok();
    }
    let tail = trimmed[trimmed.len().saturating_sub(64)..].to_ascii_lowercase();
    head == Some(&b'<')
        && tail.ends_with(b"feedback>")
        && tail
            .iter()
            .rposition(|&b| b == b'<')
            .is_some_and(|at| tail.get(at + 1) == Some(&b'/'))
}

/// Whether a member name could lead out of a folder: `..`, an absolute path, a drive, a NUL.
pub(super) fn is_unsafe_path(name: &str) -> bool {
    name.starts_with(['/', '\\'])
        || name.as_bytes().get(1) == Some(&b':')
        || name.contains('\0')
        || name.split(['/', '\\']).any(|component| component == "..")
}

/// A member name fit for people: no control characters, at most 300 characters.
pub(super) fn printable(name: &[u8]) -> String {
    String::from_utf8_lossy(name)
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(300)
        .collect()
}

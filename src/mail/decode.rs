//! Content-Transfer-Encoding, undone leniently: what a strict decoder refuses is repaired where that is safe.

/// Undoes `encoding`. Bytes that plainly are not encoded stay as they are, whatever the header says.
pub(super) fn decode(body: &[u8], encoding: &str) -> Vec<u8> {
    match encoding {
        "base64" if !is_plain(body) => base64(body),
        "quoted-printable" => quoted_printable(body),
        _ => body.to_vec(),
    }
}

/// Whether a body that claims to be base64 holds XML, JSON, gzip or zip as it is.
fn is_plain(body: &[u8]) -> bool {
    let rest = &body[crate::unpack::leading_blank(body)..];
    rest.starts_with(b"<")
        || rest.starts_with(b"{")
        || rest.starts_with(&[0x1f, 0x8b])
        || rest.starts_with(b"PK\x03\x04")
}

/// Whether [`decode`] forgives something of the base64 in `body`: characters of another alphabet or none, padding that
/// is missing or stands before the end.
pub(super) fn is_repaired(body: &[u8], encoding: &str) -> bool {
    if encoding != "base64" || is_plain(body) {
        return false;
    }
    let end = body.iter().position(|&byte| byte == b'=');
    let (text, end) = body.split_at(end.unwrap_or(body.len()));
    // Which of the digits comes next nobody can foretell: a table is quicker than a branch.
    let digits: usize = text
        .iter()
        .map(|&b| usize::from(IS_STANDARD[usize::from(b)]))
        .sum();
    let is_blank = |&&byte: &&u8| byte.is_ascii_whitespace();
    let blanks = text.iter().filter(is_blank).count();
    let padding = end.iter().filter(|&&byte| byte == b'=').count();
    if digits + blanks < text.len() || padding + end.iter().filter(is_blank).count() < end.len() {
        return true;
    }
    padding > 2 || !(digits + padding).is_multiple_of(4)
}

/// Base64, also URL-safe, unpadded, padded in the middle, with stray characters in between.
pub(super) fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0u32, 0u32);
    for &byte in text {
        let value = VALUES[usize::from(byte)];
        if value < 64 {
            bits = (bits << 6) | u32::from(value);
            held += 6;
            if held >= 8 {
                held -= 8;
                out.push((bits >> held) as u8);
            }
        } else if byte == b'=' {
            (bits, held) = (0, 0);
        }
    }
    out
}

/// Whether a byte is of one of the base64 alphabets, or padding.
pub(super) fn is_base64(byte: u8) -> bool {
    VALUES[usize::from(byte)] < 64 || byte == b'='
}

const VALUES: [u8; 256] = values();

/// Digits of the usual alphabet alone.
const IS_STANDARD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = VALUES[byte] < 64 && byte != b'-' as usize && byte != b'_' as usize;
        byte += 1;
    }
    table
};

const fn values() -> [u8; 256] {
    let mut table = [255; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut at = 0;
    while at < 64 {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
}

/// Quoted-printable; what is no valid escape stays as it is.
pub(super) fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        let rest = &text[at + 1..];
        if byte != b'=' {
            out.push(byte);
            at += 1;
        } else if let [high, low, ..] = *rest
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            out.push(high << 4 | low);
            at += 3;
        } else if let Some(skipped) = soft_break(rest) {
            at += 1 + skipped;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

/// Length of white space and a line end, or of white space up to the end of the text.
fn soft_break(rest: &[u8]) -> Option<usize> {
    let blanks = rest
        .iter()
        .take_while(|&&b| b == b' ' || b == b'\t' || b == b'\r')
        .count();
    match rest.get(blanks) {
        Some(b'\n') => Some(blanks + 1),
        None => Some(blanks),
        Some(_) => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

//! What a server may send: so many bytes an answer, so deep, literals that fit. The parser behind it reads a whole
//! answer into memory and descends into parentheses, so the bounds are held before it sees a byte.

use std::io;

/// Parentheses inside of parentheses; nothing that is asked for comes near.
const DEEPEST: u32 = 32;
/// End of a line that may announce a literal, as in `{4294967295+}`.
const ANNOUNCEMENT_BYTES: usize = 16;

/// Follows the shape of what a server sends.
#[derive(Debug)]
pub struct Gauge {
    /// Bytes that the present answer may still have.
    left_bytes: u64,
    /// Bytes of a literal that are still to come; nothing in them is looked at.
    literal_bytes: u64,
    depth: u32,
    is_quoted: bool,
    is_escaped: bool,
    /// The last bytes of the present line.
    line_end: Vec<u8>,
}

impl Gauge {
    /// Lets nothing pass before [`Self::allow`].
    pub fn new() -> Self {
        Self {
            left_bytes: 0,
            literal_bytes: 0,
            depth: 0,
            is_quoted: false,
            is_escaped: false,
            line_end: Vec::with_capacity(ANNOUNCEMENT_BYTES + 2),
        }
    }

    /// The next answer may have so many bytes.
    pub fn allow(&mut self, bytes: u64) {
        self.left_bytes = bytes;
    }

    /// Bytes that may still come.
    pub fn left_bytes(&self) -> u64 {
        self.left_bytes
    }

    /// Takes what was received; an error ends the connection.
    pub fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some((byte, rest)) = bytes.split_first() {
            if self.literal_bytes > 0 {
                let skipped = self.literal_bytes.min(bytes.len() as u64);
                self.literal_bytes -= skipped;
                self.pass(skipped)?;
                bytes = &bytes[usize::try_from(skipped).unwrap_or(bytes.len())..];
            } else {
                self.pass(1)?;
                self.byte(*byte)?;
                bytes = rest;
            }
        }
        Ok(())
    }

    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let left = self.left_bytes.checked_sub(bytes);
        self.left_bytes =
            left.ok_or_else(|| refused("more than the size of the messages allows"))?;
        Ok(())
    }

    fn byte(&mut self, byte: u8) -> io::Result<()> {
        if byte == b'\n' {
            return self.end_line();
        }
        if self.line_end.len() > ANNOUNCEMENT_BYTES {
            self.line_end.remove(0);
        }
        self.line_end.push(byte);
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.is_quoted => self.is_escaped = true,
            b'"' => self.is_quoted = !self.is_quoted,
            b'(' if !self.is_quoted => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(refused("lists that are nested too deep"));
                }
            }
            b')' if !self.is_quoted => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(())
    }

    /// The line goes on behind a literal; else the next one begins afresh.
    fn end_line(&mut self) -> io::Result<()> {
        let announced = announced(&self.line_end).map(|(_, bytes)| bytes);
        self.line_end.clear();
        (self.is_quoted, self.is_escaped) = (false, false);
        match announced {
            Some(bytes) if bytes > self.left_bytes => {
                Err(refused("a message that is larger than it said"))
            }
            Some(bytes) => {
                self.literal_bytes = bytes;
                Ok(())
            }
            None => {
                self.depth = 0;
                Ok(())
            }
        }
    }
}

/// Where a line announces a literal at its end, `{123}` or `{123+}`, and the size of it.
pub(super) fn announced(line: &[u8]) -> Option<(usize, u64)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let begin = line.len().saturating_sub(ANNOUNCEMENT_BYTES + 1);
    let end = &line[begin..];
    let inside = end.strip_suffix(b"\r").unwrap_or(end).strip_suffix(b"}")?;
    let open = inside.iter().rposition(|byte| *byte == b'{')?;
    let digits = &inside[open + 1..];
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    let bytes = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((begin + open, bytes))
}

fn refused(what: &str) -> io::Error {
    let message = format!("the server sends {what}");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(bytes: &[u8], allowed: u64, pieces: usize) -> Result<(), String> {
        let mut gauge = Gauge::new();
        gauge.allow(allowed);
        for piece in bytes.chunks(pieces) {
            gauge.take(piece).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    #[test]
    fn answers_pass_however_they_are_cut() {
        let literal = "(".repeat(100);
        let quoted = "(".repeat(100);
        let answer = format!(
            "* 1 FETCH (UID 7 BODY[] {{100}}\r\n{literal} X \"{quoted}\\\"(\")\r\n* SEARCH 1 2 3\r\na1 OK done {{x}}\r\n"
        );
        for pieces in [1, 2, 7, 8192] {
            let bytes = answer.as_bytes();
            assert_eq!(take(bytes, bytes.len() as u64, pieces), Ok(()), "{pieces}");
        }
    }

    #[test]
    fn what_a_parser_should_not_see_is_stopped() {
        let deep = format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(40));
        let spread = "* 1 FETCH ((((((((( {1}\r\n(".repeat(4);
        for (answer, allowed, expect) in [
            ("* OK hello\r\n", 5, "more than"),
            (deep.as_str(), 1000, "nested too deep"),
            (spread.as_str(), 1000, "nested too deep"),
            ("* 1 FETCH (BODY[] {5000}\r\n", 1000, "larger than it said"),
            (
                "* 1 FETCH (BODY[] {99999999999999}\r\n",
                1000,
                "larger than it said",
            ),
        ] {
            for pieces in [1, 8192] {
                let said = take(answer.as_bytes(), allowed, pieces).unwrap_err();
                assert!(said.contains(expect), "{answer}: {said}");
            }
        }
    }
}

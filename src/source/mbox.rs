//! Cuts an mbox into its messages, as it is read. A line `From … 12:34…` after an empty line begins a message;
//! `>From ` loses one `>` (mboxrd).

use std::io::{self, BufRead, Read};

/// Longest piece of a line that is looked at in one go.
const PIECE_BYTES: u64 = 1 << 20;

/// Whether a file begins as an mbox does.
pub(super) fn is_mbox(head: &[u8]) -> bool {
    let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    is_separator(line)
}

/// Whether there is a second message.
pub(super) fn holds_several(bytes: &[u8]) -> bool {
    let mut after_blank = false;
    for line in bytes.split(|&b| b == b'\n').skip(1) {
        if after_blank && is_separator(line) {
            return true;
        }
        after_blank = line.trim_ascii().is_empty();
    }
    false
}

fn is_separator(line: &[u8]) -> bool {
    let has_time = |line: &[u8]| {
        line.windows(5)
            .any(|w| w[2] == b':' && [w[0], w[1], w[3], w[4]].iter().all(u8::is_ascii_digit))
    };
    line.starts_with(b"From ") && line.len() < 1000 && has_time(line)
}

/// A message, or the size of one that exceeds the limit.
pub(super) type Message = Result<Vec<u8>, u64>;

/// Hands each message to `found` with its number, from 1, until `found` answers `false`.
pub(super) fn messages(
    mut input: impl BufRead,
    limit_bytes: u64,
    found: &mut dyn FnMut(u64, Message) -> bool,
) -> io::Result<bool> {
    let mut current = Current {
        number: 0,
        bytes: Vec::new(),
        size: 0,
        limit_bytes,
    };
    let (mut line, mut after_blank, mut at_line_start) = (Vec::new(), true, true);
    loop {
        line.clear();
        if input
            .by_ref()
            .take(PIECE_BYTES)
            .read_until(b'\n', &mut line)?
            == 0
        {
            break;
        }
        if at_line_start && after_blank && is_separator(&line) {
            if !current.end(found) {
                return Ok(false);
            }
        } else {
            current.push(if at_line_start {
                unquoted(&line)
            } else {
                &line
            });
        }
        after_blank = at_line_start && line.trim_ascii().is_empty();
        at_line_start = line.ends_with(b"\n");
    }
    Ok(current.end(found))
}

/// The message that is being read.
struct Current {
    number: u64,
    bytes: Vec<u8>,
    size: u64,
    limit_bytes: u64,
}

impl Current {
    fn push(&mut self, line: &[u8]) {
        self.size += line.len() as u64;
        if self.size <= self.limit_bytes {
            self.bytes.extend_from_slice(line);
        } else {
            self.bytes = Vec::new();
        }
    }

    /// Hands over the message, if one was begun, and begins the next.
    fn end(&mut self, found: &mut dyn FnMut(u64, Message) -> bool) -> bool {
        let (mut bytes, size) = (
            std::mem::take(&mut self.bytes),
            std::mem::take(&mut self.size),
        );
        let go_on = match self.number {
            0 => true,
            number if size > self.limit_bytes => found(number, Err(size)),
            number => {
                strip_blank_line(&mut bytes);
                found(number, Ok(bytes))
            }
        };
        self.number += 1;
        go_on
    }
}

/// The empty line before a separator belongs to the separator.
fn strip_blank_line(bytes: &mut Vec<u8>) {
    for end in [b"\r\n\r\n".as_slice(), b"\n\n"] {
        if bytes.ends_with(end) {
            bytes.truncate(bytes.len() - end.len() / 2);
            return;
        }
    }
}

fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|&&b| b == b'>').count();
    if quotes > 0 && line[quotes..].starts_with(b"From ") {
        &line[1..]
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, limit: u64) -> Vec<(u64, Result<String, u64>)> {
        let mut all = Vec::new();
        let take = |number, message: Message| {
            all.push((
                number,
                message.map(|bytes| String::from_utf8(bytes).unwrap()),
            ));
            true
        };
        let mut take = take;
        messages(text.as_bytes(), limit, &mut take).unwrap();
        all
    }

    const TWO: &str = "From a@example.com Mon Jan  1 00:00:00 2024\nSubject: 1\n\nbody\n>From here\n>>From there\n\n\
                       From b@example.com Mon Jan  1 00:00:01 2024\nSubject: 2\n\nFrom the desk\n";

    #[test]
    fn messages_are_cut_at_from_lines_and_unquoted() {
        let all = cut(TWO, 1000);
        assert_eq!(
            all[0],
            (
                1,
                Ok("Subject: 1\n\nbody\nFrom here\n>From there\n".to_owned())
            )
        );
        assert_eq!(all[1], (2, Ok("Subject: 2\n\nFrom the desk\n".to_owned())));
        assert_eq!(all.len(), 2);
        assert!(is_mbox(TWO.as_bytes()) && holds_several(TWO.as_bytes()));
    }

    #[test]
    fn message_over_the_limit_keeps_its_size_and_spares_the_next() {
        let all = cut(TWO, 30);
        assert_eq!(all[0], (1, Err(40)));
        assert!(all[1].1.is_ok());
    }
}

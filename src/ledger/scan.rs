//! The bytes of `events.jsonl` -> entries, sequence and checksum verified; and the end of the last whole line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::line::{self, MAX_LINE_BYTES};
use super::{Entry, Place};

/// The way out of a damaged ledger.
const WAY_OUT: &str =
    "restore the file from a backup; without one, keep a copy and cut the file before this line";

/// Entries up to `end` bytes, which must be behind a whole line (`None`: up to the last whole line, what follows is a
/// torn append), and the offset behind the last one.
pub fn entries(file: File, end: Option<u64>) -> io::Result<(Vec<Entry>, u64)> {
    entries_behind(file, end, Place::default())
}

/// The same of a file that stands at a place; offsets count from there.
pub fn entries_behind(file: File, end: Option<u64>, place: Place) -> io::Result<(Vec<Entry>, u64)> {
    let mut input = BufReader::new(file.take(end.unwrap_or(u64::MAX)));
    let mut entries = Vec::new();
    let mut offset = 0;
    let mut text = Vec::new();
    loop {
        text.clear();
        (&mut input)
            .take(MAX_LINE_BYTES as u64 + 1)
            .read_until(b'\n', &mut text)?;
        let line_no = place.seq + entries.len() as u64 + 1;
        let Some(line) = text.strip_suffix(b"\n") else {
            return match end {
                _ if text.len() > MAX_LINE_BYTES => Err(damaged(line_no, offset, "it is too long")),
                Some(end) if offset != end => Err(damaged(
                    line_no,
                    offset,
                    &format!("the file has no line up to byte {end}"),
                )),
                _ => Ok((entries, offset)),
            };
        };
        entries
            .push(line::decode(line, line_no).map_err(|error| damaged(line_no, offset, &error))?);
        offset += text.len() as u64;
    }
}

/// The offset behind the last whole line and its sequence number, both 0 when there is none; reads the end alone.
pub fn tail(file: &mut File) -> io::Result<(u64, u64)> {
    let length = file.seek(SeekFrom::End(0))?;
    // A whole line and a torn one behind it, both as long as can be.
    let from = length.saturating_sub(2 * MAX_LINE_BYTES as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(length - from).read_to_end(&mut bytes)?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        return if from == 0 {
            Ok((0, 0))
        } else {
            Err(invalid(format!(
                "ledger: no line ends behind byte {from}: {WAY_OUT}"
            )))
        };
    };
    let start = bytes[..end]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |before| before + 1);
    let seq = line::sequence(&bytes[start..end]).map_err(|error| {
        invalid(format!(
            "ledger: the last line (at byte {}) is damaged: {error}; {WAY_OUT}",
            from + start as u64
        ))
    })?;
    Ok((from + end as u64 + 1, seq))
}

fn damaged(line_no: u64, offset: u64, what: &str) -> io::Error {
    invalid(format!(
        "ledger: line {line_no} (at byte {offset}) is damaged: {what}; {WAY_OUT}"
    ))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

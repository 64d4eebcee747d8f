//! A document too large for memory, as a row of windows of UTF-8.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, DecoderResult};

use super::stop::Stop;
use crate::parse::encoding::Charset;

const READ_BYTES: usize = 256 * 1024;
/// No token of a report is longer; a text, comment or tag that is ends the reading.
const TOKEN_BYTES: usize = 4 << 20;

/// Bytes of a stream that were not used yet.
pub(super) struct Windows<R> {
    input: R,
    charset: Charset,
    decoder: Decoder,
    raw: Vec<u8>,
    bytes: Vec<u8>,
    is_at_end: bool,
}

impl<R: Read> Windows<R> {
    pub(super) fn new(mut input: R, charset: Charset) -> io::Result<Self> {
        let mark = charset.mark_bytes as u64;
        io::copy(&mut (&mut input).take(mark), &mut io::sink())?;
        let decoder = charset.encoding.new_decoder_without_bom_handling();
        Ok(Self {
            input,
            charset,
            decoder,
            raw: vec![0; READ_BYTES],
            bytes: Vec::new(),
            is_at_end: false,
        })
    }

    /// Hands every window to `feed`, which says how much of it was used and whether it has enough. Returns what was
    /// left of the last window.
    pub(super) fn run(
        mut self,
        mut feed: impl FnMut(&[u8], bool) -> Result<(usize, bool), Stop>,
    ) -> Result<Vec<u8>, Stop> {
        loop {
            if !self.is_at_end {
                self.fill()?;
            }
            let (used, is_done) = feed(&self.bytes, self.is_at_end)?;
            self.bytes.drain(..used);
            if is_done || self.is_at_end {
                return Ok(self.bytes);
            }
            if self.bytes.len() > TOKEN_BYTES {
                let message = format!(
                    "one text or tag is longer than {} MiB; no report has such",
                    TOKEN_BYTES >> 20
                );
                return Err(Stop::refuse("limit-token", message));
            }
        }
    }

    /// Doubles what is there, so that a long token is looked at a few times only.
    fn fill(&mut self) -> Result<(), Stop> {
        let wanted = self.bytes.len() + self.bytes.len().max(READ_BYTES);
        while self.bytes.len() < wanted && !self.is_at_end {
            let read = self.input.read(&mut self.raw).map_err(|error| {
                Stop::refuse(
                    "read-failed",
                    format!("the document could not be read back: {error}; try again"),
                )
            })?;
            self.is_at_end = read == 0;
            if self.charset.is_utf8() {
                self.bytes.extend_from_slice(&self.raw[..read]);
            } else {
                self.decode(read)?;
            }
        }
        Ok(())
    }

    fn decode(&mut self, read: usize) -> Result<(), Stop> {
        let mut raw = &self.raw[..read];
        let mut text = vec![0; READ_BYTES];
        loop {
            let (used, written, is_full) = if self.charset.lossy {
                let (result, used, written, _) =
                    self.decoder.decode_to_utf8(raw, &mut text, self.is_at_end);
                (used, written, result == CoderResult::OutputFull)
            } else {
                let (result, used, written) =
                    self.decoder
                        .decode_to_utf8_without_replacement(raw, &mut text, self.is_at_end);
                if matches!(result, DecoderResult::Malformed(..)) {
                    return Err(Stop::Encoding);
                }
                (used, written, result == DecoderResult::OutputFull)
            };
            self.bytes.extend_from_slice(&text[..written]);
            raw = &raw[used..];
            if !is_full {
                return Ok(());
            }
        }
    }
}

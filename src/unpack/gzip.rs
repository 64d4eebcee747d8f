//! A gzip reader that tells cut from corrupt, joins members, ignores what follows the last one, and counts while it
//! reads. `flate2::MultiGzDecoder` calls all of these "unexpected end" or "invalid header".

use std::cell::Cell;
use std::io::{self, BufRead, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::budget::{Budget, truncated};
use crate::model::outcome::Refusal;

/// Decompresses all members of a gzip stream as one run of bytes.
///
/// Data that ends inside of a member ends the stream and is noted in the budget ([`Budget::was_cut`]): only who sees
/// the whole document can say whether anything is missing.
pub(super) struct Gzip<'b, R> {
    input: R,
    budget: &'b Budget,
    state: State,
    inflate: Inflate,
    crc: Crc,
    bytes_in: u64,
    bytes_out: u64,
}

/// A decompressor, kept for the next stream of its thread: it takes ten times the memory of most streams.
struct Inflate(Option<Decompress>);

thread_local! {
    static SPARE: Cell<Option<Decompress>> = const { Cell::new(None) };
}

impl Inflate {
    fn of_thread() -> Self {
        let mut spare = SPARE.take();
        if let Some(inflate) = &mut spare {
            inflate.reset(false);
        }
        Self(spare)
    }

    fn get(&mut self) -> &mut Decompress {
        self.0.get_or_insert_with(|| Decompress::new(false))
    }
}

impl Drop for Inflate {
    fn drop(&mut self) {
        SPARE.set(self.0.take());
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Body,
    Trailer,
    Done,
}

impl<'b, R: BufRead> Gzip<'b, R> {
    pub(super) fn new(input: R, budget: &'b Budget) -> Self {
        Self {
            input,
            budget,
            state: State::Header,
            inflate: Inflate::of_thread(),
            crc: Crc::new(),
            bytes_in: 0,
            bytes_out: 0,
        }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.input.fill_buf()?.first().copied();
        if byte.is_some() {
            self.input.consume(1);
            self.bytes_in += 1;
        }
        Ok(byte)
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        for slot in &mut bytes {
            match self.byte()? {
                Some(byte) => *slot = byte,
                None => return Ok(None),
            }
        }
        Ok(Some(bytes))
    }

    /// Reads a member's header. `None` where the input ends in it.
    fn header(&mut self) -> io::Result<Option<()>> {
        let Some([id1, id2, method, flags, ..]) = self.bytes::<10>()? else {
            return Ok(None);
        };
        if [id1, id2, method] != [0x1f, 0x8b, 8] {
            return Err(self.corrupt("the gzip header is damaged"));
        }
        if flags & 4 != 0 {
            let Some(length) = self.bytes::<2>()? else {
                return Ok(None);
            };
            for _ in 0..u16::from_le_bytes(length) {
                if self.byte()?.is_none() {
                    return Ok(None);
                }
            }
        }
        for text in [8, 16] {
            if flags & text != 0 && !self.skip_text()? {
                return Ok(None);
            }
        }
        if flags & 2 != 0 && self.bytes::<2>()?.is_none() {
            return Ok(None);
        }
        Ok(Some(()))
    }

    fn skip_text(&mut self) -> io::Result<bool> {
        loop {
            match self.byte()? {
                Some(0) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    /// Inflates into `out`; 0 where nothing came of this step.
    fn body(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let input = self.input.fill_buf()?;
        let at_end = input.is_empty();
        let inflate = self.inflate.get();
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, out, FlushDecompress::None);
        let used = inflate.total_in() - before_in;
        let made = inflate.total_out() - before_out;
        self.input
            .consume(usize::try_from(used).unwrap_or(usize::MAX));
        self.bytes_in += used;
        self.bytes_out += made;
        match status {
            Ok(Status::StreamEnd) => self.state = State::Trailer,
            Ok(_) if made == 0 && at_end => {
                self.budget.note_cut();
                self.state = State::Done;
            }
            Ok(_) if made == 0 && used == 0 => {
                return Err(self.corrupt("the compressed data makes no progress"));
            }
            Ok(_) => {}
            Err(_) => return Err(self.corrupt("the compressed data is damaged")),
        }
        self.budget.take_bytes(made)?;
        self.budget.check_ratio(self.bytes_in, self.bytes_out)?;
        let made = usize::try_from(made).unwrap_or(usize::MAX).min(out.len());
        self.crc.update(&out[..made]);
        Ok(made)
    }

    /// Checks the trailer and looks for another member. A cut trailer takes nothing away from the document.
    fn trailer(&mut self) -> io::Result<()> {
        self.state = State::Done;
        let Some([a, b, c, d, ..]) = self.bytes::<8>()? else {
            self.budget.forgive("gzip-trailer-cut");
            return Ok(());
        };
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum() {
            return Err(self.corrupt("the checksum of the gzip data does not match"));
        }
        let rest = self.input.fill_buf()?;
        if rest.starts_with(&[0x1f, 0x8b, 8]) {
            self.state = State::Header;
            self.inflate.get().reset(false);
            self.crc.reset();
        }
        Ok(())
    }

    fn corrupt(&self, message: &str) -> io::Error {
        self.budget.fail(Refusal::new("gzip-corrupt", message))
    }
}

impl<R: BufRead> Read for Gzip<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::Header => match self.header()? {
                    Some(()) => self.state = State::Body,
                    None if self.bytes_out == 0 => return Err(self.budget.fail(truncated())),
                    None => self.state = State::Done,
                },
                State::Body => match self.body(out)? {
                    0 => {}
                    made => return Ok(made),
                },
                State::Trailer => self.trailer()?,
                State::Done => return Ok(0),
            }
        }
    }
}

/// How large the result may be, from the last four bytes of `bytes`: a hint for the size of a buffer, never believed.
pub(super) fn size_hint(bytes: &[u8]) -> usize {
    let declared = bytes
        .last_chunk::<4>()
        .map_or(0, |last| u32::from_le_bytes(*last) as usize);
    let likely = bytes.len().saturating_mul(40);
    if declared <= likely {
        declared
    } else {
        bytes.len().saturating_mul(8)
    }
}

//! The stream to a server: TCP, TLS, the gauge on what comes in, and how slow it may come.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use imap::extensions::idle::SetReadTimeout;

use super::gauge::Gauge;
use crate::clock;
use crate::tls::{TlsStream, Trust};

/// What a server has to send within one time-out while it sends an answer: little for a slow line, and enough that a
/// message which trickles does not keep the one worker from other mailboxes for long: 25 MiB take 13 minutes at most.
const STEP_BYTES: usize = 1 << 20;
/// A connection is made or not within this time, even where answers may take longer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes that are taken from the connection at a time: more than the largest TLS record holds.
const BUFFER_BYTES: usize = 32 << 10;
/// Longest line before anything is negotiated.
const EARLY_LINE_BYTES: usize = 8 << 10;

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

/// A connection with its bounds.
pub struct Wire {
    stream: Stream,
    gauge: Gauge,
    buffer: Box<[u8]>,
    /// Bytes in the buffer that are still to be read.
    unread: Range<usize>,
    timeout: Duration,
    /// Where the server may be silent for long, how long.
    silence: Option<Duration>,
    /// When the present step began, and what came since.
    step: Option<(Instant, usize)>,
}

/// One wire that the session and its owner share.
#[derive(Clone)]
pub struct SharedWire(Arc<Mutex<Wire>>);

/// Ends a connection from another thread.
#[derive(Debug)]
pub struct Stopper(TcpStream);

impl Stopper {
    /// Whoever reads from the connection finds it ended.
    pub fn stop(&self) {
        // One that is gone already needs no end.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Connects to the first address that answers.
pub fn connect(host: &str, port: u16, timeout: Duration) -> io::Result<TcpStream> {
    let mut last = None;
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout.min(CONNECT_TIMEOUT)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")))
}

/// Reads a line byte by byte, so that nothing behind it is taken: what follows may have to be TLS.
pub fn early_line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte)? == 1 {
        line.push(byte[0]);
        if byte[0] == b'\n' {
            return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        if line.len() > EARLY_LINE_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the server sends a line without an end",
            ));
        }
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

impl Wire {
    /// An unprotected connection.
    pub fn plain(stream: TcpStream, timeout: Duration) -> Self {
        Self::of(Stream::Plain(stream), timeout)
    }

    /// A connection protected from here on.
    pub fn tls(
        stream: TcpStream,
        trust: &Trust,
        host: &str,
        timeout: Duration,
    ) -> io::Result<Self> {
        let stream = trust.connect(host, stream, timeout)?;
        Ok(Self::of(Stream::Tls(Box::new(stream)), timeout))
    }

    fn of(stream: Stream, timeout: Duration) -> Self {
        Self {
            stream,
            gauge: Gauge::new(),
            buffer: vec![0; BUFFER_BYTES].into(),
            unread: 0..0,
            timeout,
            silence: None,
            step: None,
        }
    }

    /// The socket below.
    pub fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        }
    }

    /// Reads a line with its end onto `into`.
    pub fn line(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let line = self.piece()?;
            into.extend_from_slice(line);
            let (count, is_whole) = (line.len(), line.ends_with(b"\n"));
            self.unread.start += count;
            if is_whole {
                return Ok(());
            }
        }
    }

    /// Reads so many bytes.
    pub fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        if count > self.gauge.left_bytes() + self.unread.len() as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let count = usize::try_from(count).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            if self.unread.is_empty() && self.hear()? == 0 {
                return Err(closed());
            }
            let end = (self.unread.start + count - bytes.len()).min(self.unread.end);
            bytes.extend_from_slice(&self.buffer[self.unread.start..end]);
            self.unread.start = end;
        }
        Ok(bytes)
    }

    /// What there is of the present line.
    fn piece(&mut self) -> io::Result<&[u8]> {
        if self.unread.is_empty() && self.hear()? == 0 {
            return Err(closed());
        }
        let unread = &self.buffer[self.unread.clone()];
        let line_end = unread.iter().position(|byte| *byte == b'\n');
        Ok(line_end.map_or(unread, |at| &unread[..=at]))
    }

    /// Fills the empty buffer; 0 where nothing comes any more.
    fn hear(&mut self) -> io::Result<usize> {
        self.unread = 0..0;
        let read = loop {
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut self.buffer),
                Stream::Tls(stream) => stream.read(&mut self.buffer),
            };
            // A signal ends a wait that has a time-out.
            if !matches!(&read, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
                break read;
            }
        };
        let count = read.map_err(|error| self.silent(error))?;
        self.gauge.take(&self.buffer[..count])?;
        if self.silence.is_none() {
            self.pace(count)?;
        }
        self.unread = 0..count;
        Ok(count)
    }

    /// A time-out in words; while the server may be silent it is left as it is, because it is no error then.
    fn silent(&self, error: io::Error) -> io::Error {
        let is_timeout = matches!(
            error.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        );
        if is_timeout && self.silence.is_none() {
            return slow(self.timeout);
        }
        error
    }

    fn pace(&mut self, count: usize) -> io::Result<()> {
        let now = clock::instant();
        let (began, bytes) = self.step.unwrap_or((now, 0));
        let bytes = bytes + count;
        if bytes < STEP_BYTES && now.duration_since(began) > self.timeout {
            return Err(slow(self.timeout));
        }
        self.step = Some(if bytes < STEP_BYTES {
            (began, bytes)
        } else {
            (now, 0)
        });
        Ok(())
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it")
}

fn slow(timeout: Duration) -> io::Error {
    let message = format!("the server did not answer within {} s", timeout.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, message)
}

impl SharedWire {
    /// Shares a wire.
    pub fn new(wire: Wire) -> Self {
        Self(Arc::new(Mutex::new(wire)))
    }

    /// The next answer may have so many bytes, and has the whole time-out again.
    pub fn expect(&self, answer_bytes: u64) {
        let mut wire = self.lock();
        wire.gauge.allow(answer_bytes);
        wire.step = None;
    }

    /// What ends this connection from another thread.
    pub fn stopper(&self) -> io::Result<Stopper> {
        self.lock().socket().try_clone().map(Stopper)
    }

    /// The wire, to read an answer from.
    pub fn lock(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a line at most: whoever reads an answer to its end has taken nothing of what comes behind it.
impl Read for SharedWire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut wire = self.lock();
        if wire.unread.is_empty() && wire.hear()? == 0 {
            return Ok(0);
        }
        let piece = wire.piece()?;
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        wire.unread.start += count;
        Ok(count)
    }
}

impl Write for SharedWire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.lock().stream {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.lock().stream {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// Called by the wait for news (RFC 2177): with a time while the server may be silent, without one when it answers
/// again.
impl SetReadTimeout for SharedWire {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> imap::Result<()> {
        let mut wire = self.lock();
        wire.silence = timeout;
        wire.step = None;
        let timeout = timeout.unwrap_or(wire.timeout);
        wire.socket().set_read_timeout(Some(timeout))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that sends so many bytes ten times a second, for as long as somebody listens.
    fn sending(bytes: usize) -> TcpStream {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            let piece = vec![b'x'; bytes];
            while peer.write_all(&piece).is_ok() {
                thread::park_timeout(Duration::from_millis(100));
            }
        });
        stream
    }

    #[test]
    fn an_answer_that_trickles_is_given_up_and_one_that_is_slow_is_waited_for() {
        for (piece_bytes, expect) in [(STEP_BYTES / 40, false), (STEP_BYTES, true)] {
            let stream = sending(piece_bytes);
            let mut wire = Wire::plain(stream, Duration::from_millis(500));
            wire.gauge.allow(1 << 30);
            let read = wire.bytes(8 * STEP_BYTES as u64);
            assert_eq!(read.is_ok(), expect, "{piece_bytes}");
        }
    }
}

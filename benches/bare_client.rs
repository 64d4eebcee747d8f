//! The floor: clients that fetch all messages of a folder over TLS and throw them away. One is the client library that
//! the product uses too, and takes each message out of the answer; the other one says a few words of IMAP and does not
//! even look at what comes: what is left is the server's pace.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sentinel::tls::{TlsStream, Trust};

/// For the server's part of beginning a connection.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What was fetched, and how long it took.
pub struct Fetched {
    /// Bytes of the answer.
    pub bytes: usize,
    /// From the first packet on.
    pub took: Duration,
}

/// Fetches all messages of a folder in one command by the client library; gives the bytes of the messages.
pub fn fetch_by_library(
    (port, ca_file): (u16, &Path),
    (user, password): (&str, &str),
    folder: &str,
) -> anyhow::Result<usize> {
    let mut client = imap::Client::new(connect(port, ca_file)?);
    client.read_greeting()?;
    let mut session = client
        .login(user, password)
        .map_err(|(error, _)| error)
        .context("logging in")?;
    session.examine(folder)?;
    let messages = session.uid_fetch("1:*", "(UID BODY.PEEK[])")?;
    let bytes = messages
        .iter()
        .map(|message| message.body().map_or(0, <[u8]>::len));
    Ok(bytes.sum())
}

fn connect(port: u16, ca_file: &Path) -> anyhow::Result<TlsStream> {
    let socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_nodelay(true)?;
    Ok(Trust::new(Some(ca_file))?.connect("localhost", socket, TIMEOUT)?)
}

/// A connection whose answers are only searched for their end.
pub struct BareClient {
    stream: TlsStream,
    /// Numbers the commands.
    tag: u32,
}

impl BareClient {
    /// Connects to a server on this machine, and hears its greeting.
    pub fn connect(port: u16, ca_file: &Path) -> anyhow::Result<Self> {
        let stream = connect(port, ca_file)?;
        let mut client = Self { stream, tag: 0 };
        let greeting = client.until(|said| said.ends_with(b"\r\n"), |_| {})?;
        ensure!(greeting > 0, "no greeting");
        Ok(client)
    }

    /// Logs in.
    pub fn log_in(&mut self, user: &str, password: &str) -> anyhow::Result<()> {
        let secret = STANDARD.encode(format!("\0{user}\0{password}"));
        self.command(&format!("AUTHENTICATE PLAIN {secret}"), |_| {})?;
        Ok(())
    }

    /// Opens a folder to read; gives the number of its messages.
    pub fn examine(&mut self, folder: &str) -> anyhow::Result<usize> {
        let mut said = Vec::new();
        self.command(&format!("EXAMINE \"{folder}\""), |bytes| {
            said.extend_from_slice(bytes);
        })?;
        let said = String::from_utf8_lossy(&said);
        let mut words = said.lines().filter_map(|line| line.strip_suffix(" EXISTS"));
        let count = words.next().context("a number of messages")?;
        Ok(count.trim_start_matches("* ").parse()?)
    }

    /// Fetches all messages in one command, and throws them away; gives the bytes of the answer.
    pub fn fetch_all(&mut self) -> anyhow::Result<usize> {
        self.command("UID FETCH 1:* (UID BODY.PEEK[])", |_| {})
    }

    fn command(&mut self, words: &str, heard: impl FnMut(&[u8])) -> anyhow::Result<usize> {
        self.tag += 1;
        let tag = format!("\r\nb{} ", self.tag);
        write!(self.stream, "b{} {words}\r\n", self.tag)?;
        let mut is_good = false;
        let bytes = self.until(
            |last| {
                let Some(at) = last
                    .windows(tag.len())
                    .position(|part| part == tag.as_bytes())
                else {
                    // The only line of the answer.
                    is_good = last.starts_with(format!("{}OK ", &tag[2..]).as_bytes());
                    return is_good && last.ends_with(b"\r\n");
                };
                is_good = last[at + tag.len()..].starts_with(b"OK ");
                last.ends_with(b"\r\n")
            },
            heard,
        )?;
        ensure!(is_good, "the server does not want to {words}");
        Ok(bytes)
    }

    /// Reads until the end of what is read says that nothing follows; gives the number of bytes.
    fn until(
        &mut self,
        mut is_end: impl FnMut(&[u8]) -> bool,
        mut heard: impl FnMut(&[u8]),
    ) -> anyhow::Result<usize> {
        const END_BYTES: usize = 512;
        let mut buffer = vec![0; END_BYTES + (64 << 10)];
        // What was read last stands before what is read next: the last line may come in two pieces.
        let (mut kept, mut total) = (0, 0);
        loop {
            let count = self.stream.read(&mut buffer[kept..])?;
            if count == 0 {
                bail!("the server ended the connection");
            }
            heard(&buffer[kept..kept + count]);
            total += count;
            let all = kept + count;
            let from = all.saturating_sub(END_BYTES);
            if is_end(&buffer[from..all]) {
                return Ok(total);
            }
            buffer.copy_within(from..all, 0);
            kept = all - from;
        }
    }
}

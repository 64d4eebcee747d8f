//! A mailbox on an IMAP server -> messages exactly as they are. The only user of `imap`.
//!
//! A session works on what the server says it can do, never on its brand. It only reads, unless it is told to mark,
//! move or delete; bodies are read with `BODY.PEEK[]`. Whatever the server sends passes a gauge before it is parsed, and
//! every wait has an end.

mod answer;
mod error;
mod fetch;
mod folders;
mod gauge;
mod idle;
mod login;
mod renewed;
mod search;
mod settle;
mod token;
mod utf7;
mod wire;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

pub use error::ImapError;
pub use fetch::{Fetched, Fetching};
pub use folders::Folder;
pub use idle::News;
pub use search::Wanted;
pub use token::Tokens;
pub use wire::Stopper;

use crate::model::inbox::{Inbox, Login, TlsMode};
use crate::tls::{Ending, Trust};
use wire::{SharedWire, Wire};

/// Bytes of an answer that holds no message: capabilities, names of folders, numbers of messages.
const ANSWER_BYTES: u64 = 16 << 20;

/// What servers may be able to do and is made use of here.
const CAPABILITIES: [&str; 6] = [
    "AUTH=PLAIN",    // RFC 4616
    "IDLE",          // RFC 2177
    "LOGINDISABLED", // RFC 3501 section 6.2.3
    "MOVE",          // RFC 6851
    "NAMESPACE",     // RFC 2342
    "UIDPLUS",       // RFC 4315
];

/// What a server says of a folder when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The folder.
    pub folder: Folder,
    /// As long as this stays, numbers of messages keep their meaning (RFC 3501 section 2.3.1.1).
    pub uidvalidity: u32,
    /// The number that the next message will have; 0 where the server does not say.
    pub uid_next: u32,
    /// Messages in it.
    pub messages: u32,
}

/// A connection that is logged in.
pub struct Session {
    imap: imap::Session<SharedWire>,
    wire: SharedWire,
    /// FETCH commands so far.
    fetches: u64,
    capabilities: BTreeSet<&'static str>,
    limit_item_bytes: u64,
}

impl Session {
    /// Connects, protects the connection and logs in. `tokens` gives access tokens, where the inbox wants one; a message
    /// larger than `limit_item_bytes` will not be read.
    pub fn open(inbox: &Inbox, tokens: &Tokens, limit_item_bytes: u64) -> Result<Self, ImapError> {
        // What is missing here need not be asked of a server.
        let credentials = login::credentials(inbox, tokens)?;
        let wire = connect(inbox)?;
        wire.expect(ANSWER_BYTES);
        let client = imap::Client::new(wire.clone());
        let logged_in = guarded("logging in", || {
            Ok(login::log_in(client, &wire, inbox, &credentials))
        })?;
        let imap = logged_in.inspect_err(|_| {
            if let Login::OAuth2(oauth2) = &inbox.login {
                tokens.forget(oauth2);
            }
        })?;
        let mut session = Self {
            imap,
            wire,
            fetches: 0,
            capabilities: BTreeSet::new(),
            limit_item_bytes,
        };
        session.capabilities = session.ask_capabilities()?;
        Ok(session)
    }

    /// What ends this connection from another thread.
    pub fn stopper(&self) -> Result<Stopper, ImapError> {
        let stopper = self.wire.stopper();
        stopper.map_err(|error| ImapError::of_io("preparing the end", &error))
    }

    /// Whether the server names this capability.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Opens a folder: to read only, unless messages will be changed.
    pub fn select(&mut self, folder: &Folder, is_changing: bool) -> Result<Opened, ImapError> {
        let doing = "open the folder";
        let mailbox = self.command(doing, ANSWER_BYTES, |imap| {
            if is_changing {
                imap.select(&folder.wire_name)
            } else {
                imap.examine(&folder.wire_name)
            }
        })?;
        let uidvalidity = mailbox.uid_validity.ok_or_else(|| ImapError::Unreadable {
            doing,
            cause: "the server gives its messages no lasting numbers (no UIDVALIDITY)".to_owned(),
        })?;
        Ok(Opened {
            folder: folder.clone(),
            uidvalidity,
            uid_next: mailbox.uid_next.unwrap_or(0),
            messages: mailbox.exists,
        })
    }

    /// Says good-bye. A server that does not answer is not waited for.
    pub fn close(mut self) {
        if let Err(error) = self.command("log out", ANSWER_BYTES, |imap| imap.logout()) {
            tracing::debug!(%error, "leaving a mailbox");
        }
    }

    fn ask_capabilities(&mut self) -> Result<BTreeSet<&'static str>, ImapError> {
        let answer = self.command("name its capabilities", ANSWER_BYTES, |imap| {
            imap.capabilities()
        })?;
        Ok(names(&answer))
    }

    /// Runs one command whose answer has so many bytes at most.
    fn command<T>(
        &mut self,
        doing: &'static str,
        answer_bytes: u64,
        run: impl FnOnce(&mut imap::Session<SharedWire>) -> imap::Result<T>,
    ) -> Result<T, ImapError> {
        self.wire.expect(answer_bytes);
        guarded(doing, || run(&mut self.imap))
    }
}

/// Connects and protects; the server has greeted.
fn connect(inbox: &Inbox) -> Result<SharedWire, ImapError> {
    let timeout = Duration::from_secs(inbox.timeout_secs);
    let unreachable = |error: std::io::Error| ImapError::Unreachable {
        host: inbox.host.clone(),
        port: inbox.port,
        cause: error::shown(&error.to_string()),
    };
    let unprotected = |error: std::io::Error| ImapError::Unprotected {
        host: inbox.host.clone(),
        cause: error::shown(&error.to_string()),
    };
    let trust = || Trust::new(inbox.ca_file.as_deref()).map_err(unprotected);
    let mut stream = wire::connect(&inbox.host, inbox.port, timeout).map_err(unreachable)?;
    match inbox.tls {
        TlsMode::None => {
            let is_here = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
            if !is_here {
                return Err(ImapError::Unprotected {
                    host: inbox.host.clone(),
                    cause: "`tls: none` is for a server on this machine".to_owned(),
                });
            }
            login::greeting(&mut Ending::new(&mut stream, timeout))?;
            Ok(SharedWire::new(Wire::plain(stream, timeout)))
        }
        TlsMode::StartTls => {
            let mut early = Ending::new(&mut stream, timeout);
            login::greeting(&mut early)?;
            login::start_tls(&mut early, &inbox.host)?;
            let wire = Wire::tls(stream, &trust()?, &inbox.host, timeout);
            wire.map(SharedWire::new).map_err(unprotected)
        }
        TlsMode::Implicit => {
            let wire = Wire::tls(stream, &trust()?, &inbox.host, timeout);
            let mut wire = wire.map(SharedWire::new).map_err(unprotected)?;
            wire.expect(ANSWER_BYTES);
            login::greeting(&mut wire)?;
            Ok(wire)
        }
    }
}

/// Those of [`CAPABILITIES`] that a server names.
fn names(answer: &imap::types::Capabilities) -> BTreeSet<&'static str> {
    let known = CAPABILITIES.into_iter();
    known.filter(|name| answer.has_str(name)).collect()
}

/// The client library panics at some answers. One odd server must be an error like any other.
fn guarded<T>(doing: &'static str, run: impl FnOnce() -> imap::Result<T>) -> Result<T, ImapError> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => result.map_err(|error| ImapError::of(doing, error)),
        Err(_) => Err(ImapError::Unreadable {
            doing,
            cause: "the client library stopped at it".to_owned(),
        }),
    }
}

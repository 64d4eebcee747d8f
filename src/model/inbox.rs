//! A mailbox that reports are fetched from, as the user configures it.

use std::path::PathBuf;

use super::secret::FromEnvironment;

/// An account on an IMAP server and what is done with its folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbox {
    /// Name for people, for the archive and for `--inbox`; unique.
    pub name: String,
    /// Host name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// Certificate authorities (PEM) that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// User name on the server.
    pub username: String,
    /// How it proves who it is.
    pub login: Login,
    /// Folders as the user names them, `/` between levels; `DMARC` when not set.
    pub folders: Vec<String>,
    /// Whether messages that somebody has read are passed over.
    pub only_unseen: bool,
    /// Takes only mail to this address.
    pub recipient: Option<String>,
    /// What is done with a message that held a report, or was refused as one.
    pub after: After,
    /// What is done with a message that held none.
    pub without_report: After,
    /// Where [`After::Move`] moves what held a report.
    pub processed_folder: String,
    /// Where [`After::Move`] moves what was refused or held none.
    pub failed_folder: String,
    /// When it is looked into.
    pub schedule: Schedule,
    /// Whether the server may tell of new mail (RFC 2177), where it can.
    pub idle: bool,
    /// How long the server may take for an answer, or for the next 1 MiB of it; seconds.
    pub timeout_secs: u64,
}

impl Inbox {
    /// The account that it is, `user@host`; the way there does not matter.
    pub fn account(&self) -> String {
        format!("{}@{}", self.username, self.host.to_ascii_lowercase())
    }
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// TLS after the command STARTTLS; never goes on without.
    StartTls,
    /// None; to a loopback address only.
    None,
}

/// How the user proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A password.
    Password(FromEnvironment),
    /// SASL XOAUTH2 with an access token, as Gmail and Microsoft 365 want it.
    OAuth2(OAuth2),
}

/// Where access tokens come from (RFC 6749 section 6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// Address of the token endpoint; `https`, or `http` to a loopback address.
    pub token_url: String,
    /// Name of this client at the endpoint.
    pub client_id: String,
    /// Its secret, where it has one.
    pub client_secret: Option<FromEnvironment>,
    /// What is given for an access token.
    pub refresh_token: FromEnvironment,
    /// What the token is asked for, where the endpoint wants to know.
    pub scope: Option<String>,
}

/// What is done with a message once its item is durable and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It is left as it is.
    Nothing,
    /// It gets the flag `\Seen`.
    MarkSeen,
    /// It goes into another folder.
    Move,
    /// It is deleted for good; the archive has it.
    Delete,
}

/// When a mailbox is looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// So many seconds after the last time.
    Every(u64),
    /// A cron expression in the time zone `app.timezone`.
    Cron(String),
}

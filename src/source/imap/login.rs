//! From the greeting to a session: STARTTLS, and the credentials in the strongest form that the server takes.

use std::cell::Cell;
use std::io::{Read, Write};

use super::error::shown;
use super::token::Tokens;
use super::wire::{SharedWire, early_line};
use super::{ANSWER_BYTES, ImapError, names};
use crate::model::inbox::{Inbox, Login};
use crate::model::secret::NotSet;

/// What is sent to prove who the user is.
pub(super) enum Credentials {
    Password(String),
    AccessToken(String),
}

/// Takes them out of the inbox's settings; asks for an access token where one is wanted.
pub(super) fn credentials(inbox: &Inbox, tokens: &Tokens) -> Result<Credentials, ImapError> {
    if inbox.username.is_empty() {
        return Err(NotSet("the user name".to_owned()).into());
    }
    match &inbox.login {
        Login::Password(password) => Ok(Credentials::Password(password.get()?.expose().to_owned())),
        Login::OAuth2(oauth2) => tokens.access_token(oauth2).map(Credentials::AccessToken),
    }
}

/// Reads the server's first line.
pub(super) fn greeting(stream: &mut impl Read) -> Result<(), ImapError> {
    const DOING: &str = "waiting for its greeting";
    let line = early_line(stream).map_err(|error| ImapError::of_io(DOING, &error))?;
    if line.starts_with("* OK") {
        return Ok(());
    }
    let cause = if line.starts_with("* BYE") {
        format!("the server sends away: {}", shown(&line))
    } else {
        format!("this is no IMAP server: {}", shown(&line))
    };
    Err(ImapError::Lost {
        doing: DOING,
        cause,
    })
}

/// Asks for TLS (RFC 3501 section 6.2.1). Nothing that the server says before counts afterwards.
pub(super) fn start_tls(stream: &mut (impl Read + Write), host: &str) -> Result<(), ImapError> {
    const DOING: &str = "beginning TLS";
    const LINES: usize = 100;
    let lost = |error: std::io::Error| ImapError::of_io(DOING, &error);
    stream.write_all(b"s1 STARTTLS\r\n").map_err(lost)?;
    for _ in 0..LINES {
        let line = early_line(stream).map_err(lost)?;
        if let Some(answer) = line.strip_prefix("s1 ") {
            let is_ok = answer
                .get(..2)
                .is_some_and(|ok| ok.eq_ignore_ascii_case("OK"));
            return if is_ok {
                Ok(())
            } else {
                Err(ImapError::Unprotected {
                    host: host.to_owned(),
                    cause: format!(
                        "the server does not offer STARTTLS ({}): try `tls: implicit`",
                        shown(answer)
                    ),
                })
            };
        }
    }
    Err(ImapError::Unprotected {
        host: host.to_owned(),
        cause: "the server does not answer STARTTLS".to_owned(),
    })
}

/// Logs in: XOAUTH2 for a token; for a password SASL PLAIN where it is offered, because that alone knows characters
/// beyond ASCII, else LOGIN.
pub(super) fn log_in(
    mut client: imap::Client<SharedWire>,
    wire: &SharedWire,
    inbox: &Inbox,
    credentials: &Credentials,
) -> Result<imap::Session<SharedWire>, ImapError> {
    let user = inbox.username.as_str();
    let capabilities = client
        .capabilities()
        .map_err(|error| ImapError::of("name its capabilities", error))?;
    let offered = names(&capabilities);
    wire.expect(ANSWER_BYTES);
    let logged_in = match credentials {
        Credentials::AccessToken(token) => {
            let sasl = Sasl::new(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
            client.authenticate("XOAUTH2", &sasl)
        }
        Credentials::Password(password) if offered.contains("AUTH=PLAIN") => {
            let sasl = Sasl::new(format!("\0{user}\0{password}"));
            client.authenticate("PLAIN", &sasl)
        }
        Credentials::Password(_) if offered.contains("LOGINDISABLED") => {
            return Err(ImapError::Unprotected {
                host: inbox.host.clone(),
                cause: "the server takes no password over this connection".to_owned(),
            });
        }
        Credentials::Password(password) => client.login(user, password),
    };
    logged_in.map_err(|(error, _)| refused(user, error))
}

fn refused(user: &str, error: imap::Error) -> ImapError {
    match ImapError::of("logging in", error) {
        ImapError::Refused { answer, .. } => ImapError::Login {
            user: user.to_owned(),
            answer,
        },
        other => other,
    }
}

/// Answers the first challenge; a second one is how a server says why it refuses, and wants an empty answer.
struct Sasl(Cell<Option<String>>);

impl Sasl {
    fn new(answer: String) -> Self {
        Self(Cell::new(Some(answer)))
    }
}

impl imap::Authenticator for Sasl {
    type Response = String;

    fn process(&self, _challenge: &[u8]) -> String {
        self.0.take().unwrap_or_default()
    }
}

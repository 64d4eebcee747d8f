//! What keeps a mailbox from being read, in words for its owner.

use std::io;

use crate::model::secret::NotSet;

/// Longest answer of a server that is repeated.
const SHOWN_CHARS: usize = 200;

/// What a token endpoint says where another try gets no token (RFC 6749 section 5.2, OpenID Connect section 3.1.2.6).
const TOKEN_REFUSED: [&str; 4] = [
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "interaction_required",
];

/// Why a mailbox could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    /// No connection.
    #[error("{host}:{port} cannot be reached: {cause}")]
    Unreachable {
        /// Server.
        host: String,
        /// Its port.
        port: u16,
        /// What the system says.
        cause: String,
    },
    /// No protected connection: a certificate that is not trusted, no STARTTLS, …
    #[error("no protected connection to {host}: {cause}")]
    Unprotected {
        /// Server.
        host: String,
        /// What is wrong.
        cause: String,
    },
    /// The server does not take the credentials.
    #[error("the server refuses the login of {user}: {answer}")]
    Login {
        /// User name.
        user: String,
        /// What the server says.
        answer: String,
    },
    /// There are no credentials.
    #[error(transparent)]
    NoCredentials(#[from] NotSet),
    /// There is no access token.
    #[error("no access token: {0}")]
    Token(String),
    /// A folder that is not there.
    #[error("there is no folder \"{name}\" on the server; it has {known}")]
    NoFolder {
        /// As configured.
        name: String,
        /// Some that are there.
        known: String,
    },
    /// A folder whose numbers went back, and are given once more.
    #[error(
        "folder \"{folder}\" was put back to an earlier state: its next message will be number {next}, and number {last} \
         is in the archive; give the inbox another `name`, and it is read from its beginning"
    )]
    PutBack {
        /// Name of the folder.
        folder: String,
        /// What the server says (UIDNEXT).
        next: u32,
        /// The highest message in the archive.
        last: u32,
    },
    /// The server says no to a command.
    #[error("the server refuses to {doing}: {answer}")]
    Refused {
        /// What was asked for.
        doing: &'static str,
        /// What the server says.
        answer: String,
    },
    /// The connection ended, or went silent.
    #[error("the connection was lost ({doing}): {cause}")]
    Lost {
        /// What was going on.
        doing: &'static str,
        /// What is known of the cause.
        cause: String,
    },
    /// The server is there and gives no message away.
    #[error("no message can be read: {cause}")]
    Stuck {
        /// What it said last.
        cause: String,
    },
    /// The server's answer makes no sense.
    #[error("the server's answer cannot be read ({doing}): {cause}")]
    Unreadable {
        /// What was asked for.
        doing: &'static str,
        /// What is wrong with it.
        cause: String,
    },
}

impl ImapError {
    /// Whether trying again soon is of no use: somebody has to change a password, a name or a setting first.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::Login { answer, .. } => !is_temporary(answer),
            Self::NoCredentials(_) | Self::NoFolder { .. } | Self::PutBack { .. } => true,
            Self::Token(cause) => TOKEN_REFUSED.iter().any(|code| cause.starts_with(code)),
            Self::Unprotected { cause, .. } => cause.contains("certificate"),
            _ => false,
        }
    }

    /// Whether another connection would do no better.
    pub fn is_final(&self) -> bool {
        self.needs_a_person() || matches!(self, Self::Stuck { .. })
    }

    /// Whether the session can go on behind it.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::NoFolder { .. })
    }

    /// From an error of the client library, while doing something.
    pub(super) fn of(doing: &'static str, error: imap::Error) -> Self {
        use imap::Error;
        match error {
            Error::No(no) => Self::Refused {
                doing,
                answer: shown(&no.information),
            },
            Error::Bad(bad) => Self::Refused {
                doing,
                answer: shown(&bad.information),
            },
            Error::Bye(bye) => Self::Lost {
                doing,
                cause: format!("the server ends it: {}", shown(&bye.information)),
            },
            Error::ConnectionLost => Self::Lost {
                doing,
                cause: "the server closed it".to_owned(),
            },
            Error::Io(error) => Self::of_io(doing, &error),
            Error::Parse(_) | Error::Unexpected(_) => Self::Unreadable {
                doing,
                cause: "it is not what RFC 3501 describes".to_owned(),
            },
            other => Self::Unreadable {
                doing,
                cause: shown(&other.to_string()),
            },
        }
    }

    /// From an error of the stream.
    pub(super) fn of_io(doing: &'static str, error: &io::Error) -> Self {
        let cause = shown(&error.to_string());
        if error.kind() == io::ErrorKind::InvalidData {
            Self::Unreadable { doing, cause }
        } else {
            Self::Lost { doing, cause }
        }
    }
}

/// RFC 5530 section 3, and what servers without it say.
fn is_temporary(answer: &str) -> bool {
    let answer = answer.to_ascii_lowercase();
    [
        "[unavailable]",
        "[inuse]",
        "[limit]",
        "temporar",
        "too many",
        "try again",
    ]
    .iter()
    .any(|word| answer.contains(word))
}

/// A server's words on one line.
pub(super) fn shown(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN_CHARS)
        .collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_no_refresh_token_is_asked_again_late_and_who_cannot_answer_soon() {
        for (cause, expect) in [
            ("invalid_grant: Token has expired", true),
            ("invalid_client", true),
            ("temporarily_unavailable: try later", false),
            ("no answer in time", false),
            (
                "the token endpoint answers with status 503 and no JSON",
                false,
            ),
        ] {
            let error = ImapError::Token(cause.to_owned());
            assert_eq!(error.needs_a_person(), expect, "{cause}");
        }
    }
}

//! What is said and answered on the connection: each answer whole, within its time and its size, and what it means.

use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use lettre::transport::smtp::response::Response;

use super::{Session, Stream};
use crate::notify::fate::{Retry, SendError};
use crate::notify::harmless::said;

/// Bytes of one answer.
const ANSWER_BYTES: usize = 32 << 10;

impl Session<'_> {
    /// Says something; `name` stands for it in messages, because it may hold a password.
    pub(super) fn command(
        &mut self,
        name: &str,
        command: impl Display,
    ) -> Result<Response, SendError> {
        self.write(command.to_string().as_bytes())?;
        self.answer(name)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        let timeout = self.timeout();
        let written = match &mut self.stream {
            None => Err(io::ErrorKind::NotConnected.into()),
            Some(Stream::Plain(plain)) => {
                plain.begin_step(timeout);
                plain.write_all(bytes).and_then(|()| plain.flush())
            }
            Some(Stream::Tls(tls)) => {
                tls.sock.begin_step(timeout);
                tls.write_all(bytes).and_then(|()| tls.flush())
            }
        };
        written.map_err(|error| self.trouble("a command", &error))
    }

    /// The answer to what was said last, all of it within one time-out.
    pub(super) fn answer(&mut self, to: &str) -> Result<Response, SendError> {
        let timeout = self.timeout();
        match &mut self.stream {
            Some(Stream::Plain(plain)) => plain.begin_step(timeout),
            Some(Stream::Tls(tls)) => tls.sock.begin_step(timeout),
            None => {}
        }
        let mut text = String::new();
        loop {
            let line = self.line(to, ANSWER_BYTES.saturating_sub(text.len()))?;
            let is_last = line.as_bytes().get(3) != Some(&b'-');
            // White space at the end may stand for a text that is not there.
            let (code, rest) = line.split_at_checked(3).unwrap_or((&line, ""));
            let rest = rest.get(1..).unwrap_or_default().trim();
            text.push_str(&format!(
                "{code}{}{rest}\r\n",
                if is_last { ' ' } else { '-' }
            ));
            if is_last {
                let parsed = text.parse();
                return parsed.map_err(|_| {
                    self.person(&format!("answers {to} in another language than SMTP"))
                });
            }
        }
    }

    pub(super) fn line(&mut self, to: &str, most: usize) -> Result<String, SendError> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.unread.len() >= most {
                return Err(self.person(&format!("answers {to} without an end")));
            }
            let mut piece = [0; 4096];
            let read = match &mut self.stream {
                None => Err(io::ErrorKind::NotConnected.into()),
                Some(Stream::Plain(plain)) => plain.read(&mut piece),
                Some(Stream::Tls(tls)) => tls.read(&mut piece),
            };
            match read {
                Ok(0) => {
                    let gone = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Err(self.trouble(to, &gone));
                }
                Ok(count) => self.unread.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.trouble(to, &error)),
            }
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.way.timeout_secs)
    }

    pub(super) fn expect(&self, answer: &Response, otherwise: &str) -> Result<(), SendError> {
        if answer.is_positive() {
            return Ok(());
        }
        Err(self.refusal(answer, otherwise))
    }

    pub(super) fn refusal(&self, answer: &Response, otherwise: &str) -> SendError {
        let words = format!("{} {otherwise}: {}", self.way.host, self.words(answer));
        let retry = if is_for_now(answer) {
            Retry::Soon
        } else {
            Retry::NeedsPerson
        };
        SendError::new(words, retry)
    }

    /// What the server said, without names of people and without what we told it.
    pub(super) fn words(&self, answer: &Response) -> String {
        let lines: Vec<&str> = answer.message().collect();
        let text = format!("{} {}", answer.code(), lines.join(" "));
        let mut secrets = Vec::new();
        if let Some((user, password)) = &self.way.login {
            secrets.push(user.as_str());
            secrets.extend(password.get().ok().map(|password| password.expose()));
        }
        said(&text, &secrets)
    }

    pub(super) fn person(&self, words: &str) -> SendError {
        SendError::needs_person(format!("{} {words}", self.way.host))
    }

    pub(super) fn trouble(&self, at: &str, error: &io::Error) -> SendError {
        let words = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                "does not answer in time".to_owned()
            }
            io::ErrorKind::UnexpectedEof => "ended the connection".to_owned(),
            _ => format!("cannot be reached any more ({error})"),
        };
        SendError::soon(format!("{} {words} ({at})", self.way.host))
    }
}

/// Whether the server may say something else later.
pub(super) fn is_for_now(answer: &Response) -> bool {
    u16::from(answer.code()) / 100 == 4
}

/// The lines of a mail, a dot before those that begin with one, and the line that ends them all.
pub(super) fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 8);
    let body = message.strip_suffix(b"\n").unwrap_or(message);
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b".") {
            out.push(b'.');
        }
        // A carriage return alone is a line's end to some servers, and none to others.
        out.extend(line.iter().filter(|byte| **byte != b'\r'));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_mail_ends_it() {
        for (message, expect) in [
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
            ("a\n.b", "a\r\n..b\r\n.\r\n"),
            ("a\r\r\nb\r.\r\n", "a\r\nb.\r\n.\r\n"),
            ("\r\n", "\r\n.\r\n"),
        ] {
            let sent = String::from_utf8(stuffed(message.as_bytes())).unwrap();
            assert_eq!(sent, expect, "{message:?}");
        }
    }
}

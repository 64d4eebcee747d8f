//! A conversation with a server that takes mail (RFC 5321), over a connection of our own: bounded in time and size, and
//! each recipient is answered for. The words are lettre's.

use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::Response;

use super::connect::connect;
use super::fate::{Retry, SendError};
use super::harmless::said;
use crate::model::channel::MailWay;
use crate::model::inbox::TlsMode;
use crate::tls::{Timed, TimedTls, Trust};

/// Bytes of one answer.
const ANSWER_BYTES: usize = 32 << 10;
/// All answers together may take so many times as long as one.
const TIMEOUTS: u32 = 5;

enum Stream {
    Plain(Timed),
    Tls(Box<TimedTls>),
}

/// A server that is ready to take mail.
pub struct Session<'a> {
    way: &'a MailWay,
    /// `None` where the connection is lost.
    stream: Option<Stream>,
    /// Bytes that were read and belong to no answer yet.
    unread: Vec<u8>,
    name: ClientId,
}

/// A recipient whom the server did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which of those it was asked for.
    pub recipient: usize,
    /// What it said.
    pub words: String,
    /// Whether it may take this recipient later.
    pub is_for_now: bool,
}

impl<'a> Session<'a> {
    /// Connects, protects the connection, and logs in.
    pub fn open(way: &'a MailWay) -> Result<Self, SendError> {
        // What is missing here is not asked of the server.
        let login = way.login.as_ref().map(|(user, password)| {
            let password = password
                .get()
                .map_err(|error| SendError::needs_person(error.to_string()))?;
            if user.is_empty() {
                return Err(SendError::needs_person("the user name is not set"));
            }
            Ok(Credentials::new(user.clone(), password.expose().to_owned()))
        });
        let login = login.transpose()?;
        let stream = connect(&way.host, way.port, Duration::from_secs(way.timeout_secs))?;
        let name = own_name(&stream);
        let mut session = Self {
            way,
            stream: Some(Stream::Plain(Timed::new(stream, session_time(way)))),
            unread: Vec::new(),
            name,
        };
        if way.tls == TlsMode::Implicit {
            session.protect()?;
        }
        let greeting = session.answer("greeting")?;
        session.expect(&greeting, "does not want to talk")?;
        let mut server = session.hello()?;
        if way.tls == TlsMode::StartTls {
            if !server.supports_feature(Extension::StartTls) {
                return Err(
                    session.person("offers no STARTTLS: use `tls: implicit`, or another port")
                );
            }
            let answer = session.command("STARTTLS", Starttls)?;
            session.expect(&answer, "refuses STARTTLS")?;
            if !session.unread.is_empty() {
                return Err(session.person("sends what nobody asked for before TLS"));
            }
            session.protect()?;
            server = session.hello()?;
        }
        if let Some(login) = login {
            session.log_in(&server, &login)?;
        }
        Ok(session)
    }

    /// Gives it a mail for recipients; those whom it does not take are told apart. Where it takes none, that is the
    /// answer, and where it does not take the mail, an error.
    pub fn deliver(
        &mut self,
        from: &Address,
        to: &[Address],
        message: &[u8],
    ) -> Result<Vec<Refused>, SendError> {
        let answer = self.command("MAIL", Mail::new(Some(from.clone()), Vec::new()))?;
        self.expect(&answer, "does not take mail from this sender")?;
        let mut refused = Vec::new();
        for (recipient, address) in to.iter().enumerate() {
            let answer = self.command("RCPT", Rcpt::new(address.clone(), Vec::new()))?;
            if answer.has_code(421) {
                return Err(self.refusal(&answer, "ends the connection"));
            }
            if !answer.is_positive() {
                refused.push(Refused {
                    recipient,
                    words: self.words(&answer),
                    is_for_now: is_for_now(&answer),
                });
            }
        }
        if refused.len() == to.len() {
            // Nobody is there to take it; a server that dislikes this is left anyway.
            let _ = self.command("RSET", Rset);
            return Ok(refused);
        }
        let answer = self.command("DATA", Data)?;
        if !answer.has_code(354) {
            return Err(self.refusal(&answer, "does not take the mail"));
        }
        self.write(&stuffed(message))?;
        let answer = self.answer("the mail")?;
        self.expect(&answer, "does not take the mail")?;
        Ok(refused)
    }

    /// Takes leave; what comes of it does not matter any more.
    pub fn quit(mut self) {
        let _ = self.command("QUIT", Quit);
    }

    fn protect(&mut self) -> Result<(), SendError> {
        let trust = Trust::new(self.way.ca_file.as_deref())
            .map_err(|error| SendError::needs_person(error.to_string()))?;
        let Some(Stream::Plain(mut plain)) = self.stream.take() else {
            return Err(self.person("is not there any more"));
        };
        plain.begin_step(self.timeout());
        let secured = trust.connect_timed(&self.way.host, plain);
        let stream = secured.map_err(|error| match error.kind() {
            // A certificate that does not hold gets no better by itself.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                self.person(&format!("cannot be trusted: {error}"))
            }
            _ => self.trouble("TLS", &error),
        })?;
        self.stream = Some(Stream::Tls(Box::new(stream)));
        Ok(())
    }

    fn hello(&mut self) -> Result<ServerInfo, SendError> {
        let answer = self.command("EHLO", Ehlo::new(self.name.clone()))?;
        self.expect(&answer, "does not speak ESMTP")?;
        let upper: Vec<String> = answer.message().map(str::to_ascii_uppercase).collect();
        let answer = Response::new(answer.code(), upper);
        ServerInfo::from_response(&answer).map_err(|_| self.person("does not speak ESMTP"))
    }

    fn log_in(&mut self, server: &ServerInfo, login: &Credentials) -> Result<(), SendError> {
        let Some(mechanism) = server.get_auth_mechanism(DEFAULT_MECHANISMS) else {
            return Err(self.person("offers no login by password (AUTH PLAIN or LOGIN)"));
        };
        let odd = |session: &Self| session.person("asks for something else than user and password");
        let first = Auth::new(mechanism, login.clone(), None).map_err(|_| odd(self))?;
        let mut answer = self.command("AUTH", first)?;
        // LOGIN asks for the user, and then for the password.
        let mut questions = 0;
        while mechanism == Mechanism::Login && answer.has_code(334) && questions < 2 {
            questions += 1;
            let next = Auth::new_from_response(mechanism, login.clone(), &answer);
            answer = self.command("AUTH", next.map_err(|_| odd(self))?)?;
        }
        if answer.has_code(235) {
            return Ok(());
        }
        Err(self.refusal(&answer, "refuses user or password"))
    }

    /// Says something; `name` stands for it in messages, because it may hold a password.
    fn command(&mut self, name: &str, command: impl Display) -> Result<Response, SendError> {
        self.write(command.to_string().as_bytes())?;
        self.answer(name)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), SendError> {
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
    fn answer(&mut self, to: &str) -> Result<Response, SendError> {
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

    fn line(&mut self, to: &str, most: usize) -> Result<String, SendError> {
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

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.way.timeout_secs)
    }

    fn expect(&self, answer: &Response, otherwise: &str) -> Result<(), SendError> {
        if answer.is_positive() {
            return Ok(());
        }
        Err(self.refusal(answer, otherwise))
    }

    fn refusal(&self, answer: &Response, otherwise: &str) -> SendError {
        let words = format!("{} {otherwise}: {}", self.way.host, self.words(answer));
        let retry = if is_for_now(answer) {
            Retry::Soon
        } else {
            Retry::NeedsPerson
        };
        SendError::new(words, retry)
    }

    /// What the server said, without names of people and without what we told it.
    fn words(&self, answer: &Response) -> String {
        let lines: Vec<&str> = answer.message().collect();
        let text = format!("{} {}", answer.code(), lines.join(" "));
        let mut secrets = Vec::new();
        if let Some((user, password)) = &self.way.login {
            secrets.push(user.as_str());
            secrets.extend(password.get().ok().map(|password| password.expose()));
        }
        said(&text, &secrets)
    }

    fn person(&self, words: &str) -> SendError {
        SendError::needs_person(format!("{} {words}", self.way.host))
    }

    fn trouble(&self, at: &str, error: &io::Error) -> SendError {
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

fn is_for_now(answer: &Response) -> bool {
    u16::from(answer.code()) / 100 == 4
}

fn session_time(way: &MailWay) -> Duration {
    Duration::from_secs(way.timeout_secs).saturating_mul(TIMEOUTS)
}

/// How we name ourselves: by our address.
fn own_name(stream: &TcpStream) -> ClientId {
    match stream.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::default(),
    }
}

/// The lines of a mail, a dot before those that begin with one, and the line that ends them all.
fn stuffed(message: &[u8]) -> Vec<u8> {
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

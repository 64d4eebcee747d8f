//! A conversation with a server that takes mail (RFC 5321), over a connection of our own: bounded in time and size, and
//! each recipient is answered for. The words are lettre's.

use std::io;
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::Response;

use super::connect::connect;
use super::fate::SendError;
use crate::model::channel::MailWay;
use crate::model::inbox::TlsMode;
use crate::tls::{Timed, TimedTls, Trust};

mod wire;

use wire::{is_for_now, stuffed};

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

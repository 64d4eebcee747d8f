//! An address -> the name of its host, where that leads back to the address.
//!
//! Who owns an address may give it any name, also that of somebody else: a name counts when the owner of the name says
//! that it has that address.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::message::{Asked, Reply};
use crate::clock;
use crate::model::address::HostAnswer;
use crate::model::domain::is_host_name;

/// Names of one address that are tried.
const MOST_NAMES: usize = 5;

/// What a server may send at once: more comes over TCP, and has this end there too.
const MOST_REPLY_BYTES: usize = 16 << 10;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For an answer of one server.
    pub reply: Duration,
    /// For all there is to ask about one address.
    pub address: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            reply: Duration::from_secs(2),
            address: Duration::from_secs(8),
        }
    }
}

/// Asks servers that look things up for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    timeouts: Timeouts,
}

impl Resolver {
    /// Asks these servers, the next one where one does not answer or cannot say.
    pub fn new(servers: Vec<SocketAddr>, timeouts: Timeouts) -> Self {
        Self { servers, timeouts }
    }

    /// The servers in their order.
    pub fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// Looks up the name of a host.
    pub fn host_name(&self, address: IpAddr) -> HostAnswer {
        let until = clock::instant() + self.timeouts.address;
        match self.confirmed_name(address, until) {
            Ok(Some(name)) => HostAnswer::Named(name),
            Ok(None) => HostAnswer::Nameless,
            Err(error) => HostAnswer::Failed(error),
        }
    }

    fn confirmed_name(&self, address: IpAddr, until: Instant) -> Result<Option<String>, String> {
        let asked = Asked::names_of(address).ok_or("the address has no name to ask for")?;
        let Reply::Names(names) = self.ask(&asked, until)? else {
            return Ok(None);
        };
        let mut failed = None;
        let hosts = names.iter().filter(|name| is_host_name(name));
        for name in hosts.take(MOST_NAMES) {
            match self.leads_to(name, address, until) {
                Ok(true) => return Ok(Some(name.clone())),
                Ok(false) => {}
                Err(error) => failed = Some(error),
            }
        }
        // One that could not be asked for may be the one.
        failed.map_or(Ok(None), Err)
    }

    fn leads_to(&self, name: &str, address: IpAddr, until: Instant) -> Result<bool, String> {
        let Some(asked) = Asked::addresses_of(name, address) else {
            return Ok(false);
        };
        match self.ask(&asked, until)? {
            Reply::Addresses(addresses) => Ok(addresses.contains(&address.to_canonical())),
            _ => Ok(false),
        }
    }

    fn ask(&self, asked: &Asked, until: Instant) -> Result<Reply, String> {
        let mut failed = "no server is known".to_owned();
        for server in &self.servers {
            let reply = match self.over_udp(*server, asked, until) {
                Ok(Reply::Truncated) => self.over_tcp(*server, asked, until),
                other => other,
            };
            match reply {
                Ok(Reply::Unable(words)) => failed = format!("{server}: {words}"),
                Ok(Reply::Foreign | Reply::Truncated) => {
                    failed = format!("{server}: it answered something else");
                }
                Ok(reply) => return Ok(reply),
                Err(error) if is_timeout(&error) => failed = format!("{server}: no answer in time"),
                Err(error) => failed = format!("{server}: {error}"),
            }
        }
        Err(failed)
    }

    fn over_udp(
        &self,
        server: SocketAddr,
        asked: &Asked,
        until: Instant,
    ) -> std::io::Result<Reply> {
        // The system chooses another port for each question; a connected socket takes nothing from others.
        let any: IpAddr = if server.is_ipv4() {
            Ipv4Addr::UNSPECIFIED.into()
        } else {
            Ipv6Addr::UNSPECIFIED.into()
        };
        let socket = UdpSocket::bind((any, 0))?;
        socket.connect(server)?;
        let until = until.min(clock::instant() + self.timeouts.reply);
        socket.send(&asked.bytes)?;
        let mut reply = [0; MOST_REPLY_BYTES];
        loop {
            socket.set_read_timeout(Some(left(until)?))?;
            let bytes = socket.recv(&mut reply)?;
            match asked.read(reply.get(..bytes).unwrap_or_default()) {
                Reply::Foreign => {}
                reply => return Ok(reply),
            }
        }
    }

    fn over_tcp(
        &self,
        server: SocketAddr,
        asked: &Asked,
        until: Instant,
    ) -> std::io::Result<Reply> {
        let until = until.min(clock::instant() + self.timeouts.reply);
        let mut stream = TcpStream::connect_timeout(&server, left(until)?)?;
        let length = u16::try_from(asked.bytes.len()).unwrap_or(u16::MAX);
        stream.set_write_timeout(Some(left(until)?))?;
        stream.write_all(&[&length.to_be_bytes()[..], &asked.bytes].concat())?;
        let mut length = [0; 2];
        read_all(&mut stream, &mut length, until)?;
        let bytes = usize::from(u16::from_be_bytes(length));
        if bytes > MOST_REPLY_BYTES {
            return Ok(Reply::Unable(format!("it sent {bytes} bytes")));
        }
        let mut reply = vec![0; bytes];
        read_all(&mut stream, &mut reply, until)?;
        Ok(asked.read(&reply))
    }
}

/// As `read_exact`, with one end for all of it: a byte now and then keeps nobody waiting.
fn read_all(stream: &mut TcpStream, mut into: &mut [u8], until: Instant) -> std::io::Result<()> {
    while !into.is_empty() {
        stream.set_read_timeout(Some(left(until)?))?;
        match stream.read(into)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            bytes => into = into.get_mut(bytes..).unwrap_or_default(),
        }
    }
    Ok(())
}

fn left(until: Instant) -> std::io::Result<Duration> {
    let left = until.saturating_duration_since(clock::instant());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    Ok(left)
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

//! Questions and answers on the wire.
//!
//! An answer counts when it is one to the question: the same number, name and type. Everything else on the socket is
//! noise, or somebody who guesses.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;

use dns_wire::base::iana::{Class, Rcode};
use dns_wire::base::{Message, MessageBuilder, Name, Question, Rtype, ToName};
use dns_wire::rdata::{A, Aaaa, Cname, Ptr};

/// Records of an answer that are looked at.
const MOST_RECORDS: usize = 64;

/// Links of a chain of aliases that are followed.
const MOST_ALIASES: usize = 8;

type OwnedName = Name<Vec<u8>>;

/// A question that is on its way.
pub struct Asked {
    id: u16,
    name: OwnedName,
    kind: Rtype,
    /// What goes over the wire, without a length.
    pub bytes: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// No answer to this question; the answer may still come.
    Foreign,
    /// It did not fit.
    Truncated,
    /// The server cannot say: a word for people.
    Unable(String),
    /// Names, in their order; none where there are none.
    Names(Vec<String>),
    /// Addresses.
    Addresses(Vec<IpAddr>),
}

impl Asked {
    /// Which names an address has.
    pub fn names_of(address: IpAddr) -> Option<Self> {
        let name = OwnedName::reverse_from_addr(address.to_canonical()).ok()?;
        Self::new(name, Rtype::PTR)
    }

    /// Which addresses of the same family a host has.
    pub fn addresses_of(host: &str, family: IpAddr) -> Option<Self> {
        let kind = match family.to_canonical() {
            IpAddr::V4(_) => Rtype::A,
            IpAddr::V6(_) => Rtype::AAAA,
        };
        Self::new(host.parse().ok()?, kind)
    }

    fn new(name: OwnedName, kind: Rtype) -> Option<Self> {
        let id = number();
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(id);
        builder.header_mut().set_rd(true);
        let mut question = builder.question();
        question.push((&name, kind)).ok()?;
        let bytes = question.finish();
        Some(Self {
            id,
            name,
            kind,
            bytes,
        })
    }

    /// Reads what came back.
    pub fn read(&self, bytes: &[u8]) -> Reply {
        let Ok(message) = Message::from_slice(bytes) else {
            return Reply::Foreign;
        };
        let header = message.header();
        if header.id() != self.id || !header.qr() || !self.is_asked_in(message) {
            return Reply::Foreign;
        }
        if header.tc() {
            return Reply::Truncated;
        }
        match header.rcode() {
            Rcode::NOERROR => self.answer(message).unwrap_or_else(|| {
                Reply::Unable("it sent an answer that cannot be read".to_owned())
            }),
            Rcode::NXDOMAIN => self.nothing(),
            other => Reply::Unable(format!("it answered {other}")),
        }
    }

    fn is_asked_in(&self, message: &Message<[u8]>) -> bool {
        let same = |question: Question<_>| {
            question.qtype() == self.kind
                && question.qclass() == Class::IN
                && ToName::name_eq(question.qname(), &self.name)
        };
        message.sole_question().is_ok_and(same)
    }

    fn nothing(&self) -> Reply {
        match self.kind {
            Rtype::PTR => Reply::Names(Vec::new()),
            _ => Reply::Addresses(Vec::new()),
        }
    }

    /// `None` where the records cannot be read.
    fn answer(&self, message: &Message<[u8]>) -> Option<Reply> {
        let owner = self.alias(message)?;
        let (mut names, mut addresses) = (Vec::new(), Vec::new());
        for record in message.answer().ok()?.take(MOST_RECORDS) {
            let record = record.ok()?;
            if record.rtype() != self.kind || !record.owner().name_eq(&owner) {
                continue;
            }
            match self.kind {
                Rtype::PTR => {
                    let found = record.to_record::<Ptr<_>>().ok()??;
                    let name = found.data().ptrdname().to_string();
                    names.push(name.trim_end_matches('.').to_ascii_lowercase());
                }
                Rtype::A => {
                    let found = record.to_record::<A>().ok()??;
                    addresses.push(IpAddr::V4(found.data().addr()));
                }
                _ => {
                    let found = record.to_record::<Aaaa>().ok()??;
                    addresses.push(IpAddr::V6(found.data().addr()));
                }
            }
        }
        Some(match self.kind {
            Rtype::PTR => Reply::Names(names),
            _ => Reply::Addresses(addresses),
        })
    }

    /// Where aliases lead: whoever has less than 256 addresses is delegated names by them (RFC 2317).
    fn alias(&self, message: &Message<[u8]>) -> Option<OwnedName> {
        let mut name = self.name.clone();
        for _ in 0..MOST_ALIASES {
            let mut next = None;
            for record in message.answer().ok()?.take(MOST_RECORDS) {
                let record = record.ok()?;
                if record.rtype() == Rtype::CNAME && record.owner().name_eq(&name) {
                    let found = record.to_record::<Cname<_>>().ok()??;
                    next = Some(found.data().cname().to_name::<Vec<u8>>());
                    break;
                }
            }
            match next {
                Some(next) => name = next,
                None => return Some(name),
            }
        }
        Some(name)
    }
}

/// A number that nobody outside can foresee.
fn number() -> u16 {
    // Each of them has other keys.
    let hash = RandomState::new().hash_one(0_u8);
    (hash >> 24) as u16
}

//! Answers to FETCH, read where they arrive: the bytes of messages go from the connection to where they stay. The client
//! library would look at an answer anew at the end of each of its lines, those of the messages among them.

use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use imap_proto::parser::parse_response;
use imap_proto::types::{AttributeValue, Response, Status};

use super::error::shown;
use super::gauge::announced;
use super::wire::Wire;
use super::{ImapError, Session};

/// Literals of a line; one is asked for.
const LITERALS: usize = 8;

/// What a server says of one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Its number in the folder.
    pub(super) uid: Option<u32>,
    /// Its bytes.
    pub(super) size: Option<u32>,
    /// Those that were asked for.
    pub(super) bytes: Option<Vec<u8>>,
}

/// A line as it came, but for its literals, which are empty in it.
#[derive(Default)]
struct Line {
    text: Vec<u8>,
    literals: Vec<Vec<u8>>,
}

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Fetch(Said),
    End,
    /// Something that nobody asked for.
    Other,
}

impl Session {
    /// `UID FETCH` of some messages, for one part of each at most. The answer has so many bytes at most.
    pub(super) fn fetch(
        &mut self,
        doing: &'static str,
        answer_bytes: u64,
        set: &str,
        query: &str,
    ) -> Result<Vec<Said>, ImapError> {
        // Those of the client library begin otherwise.
        self.fetches += 1;
        let tag = format!("f{}", self.fetches);
        let lost = |error: io::Error| ImapError::of_io(doing, &error);
        self.wire.expect(answer_bytes);
        let command = format!("{tag} UID FETCH {set} {query}\r\n");
        self.wire.write_all(command.as_bytes()).map_err(lost)?;
        self.wire.flush().map_err(lost)?;
        let mut wire = self.wire.lock();
        let mut all = Vec::new();
        loop {
            let line = Line::read(&mut wire).map_err(lost)?;
            match line.meaning(&tag, doing)? {
                Meaning::Fetch(said) => all.push(said),
                Meaning::End => return Ok(all),
                Meaning::Other => {}
            }
        }
    }
}

impl Line {
    fn read(wire: &mut Wire) -> io::Result<Self> {
        let mut line = Self::default();
        loop {
            wire.line(&mut line.text)?;
            let Some((at, bytes)) = announced(&line.text) else {
                return Ok(line);
            };
            if line.literals.len() >= LITERALS {
                let message = "the server sends too many parts of a message";
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            line.text.truncate(at);
            line.text.extend_from_slice(b"{0}\r\n");
            line.literals.push(wire.bytes(bytes)?);
        }
    }

    fn meaning(mut self, tag: &str, doing: &'static str) -> Result<Meaning, ImapError> {
        let unreadable = || ImapError::Unreadable {
            doing,
            cause: "it is not what RFC 3501 describes".to_owned(),
        };
        let text = std::mem::take(&mut self.text);
        // A server may say anything, and the parser is somebody else's.
        let parsed = catch_unwind(AssertUnwindSafe(|| parse_response(&text)));
        let Ok(Ok((_, response))) = parsed else {
            return Err(unreadable());
        };
        match response {
            Response::Fetch(_, attributes) => Ok(Meaning::Fetch(
                self.said(attributes).ok_or_else(unreadable)?,
            )),
            Response::Done {
                tag: answered,
                status,
                information,
                ..
            } if answered.as_bytes() == tag.as_bytes() => {
                let answer = shown(&information.unwrap_or("no explanation given".into()));
                match status {
                    Status::Ok => Ok(Meaning::End),
                    Status::No | Status::Bad => Err(ImapError::Refused { doing, answer }),
                    _ => Err(unreadable()),
                }
            }
            Response::Done { .. } => Err(unreadable()),
            Response::Data {
                status: Status::Bye,
                information,
                ..
            } => Err(ImapError::Lost {
                doing,
                cause: format!(
                    "the server ends it: {}",
                    shown(&information.unwrap_or_default())
                ),
            }),
            _ => Ok(Meaning::Other),
        }
    }

    /// `None` where a literal belongs to nothing that was asked for.
    fn said(mut self, attributes: Vec<AttributeValue<'_>>) -> Option<Said> {
        let mut said = Said::default();
        for attribute in attributes {
            match attribute {
                AttributeValue::Uid(uid) => said.uid = Some(uid),
                AttributeValue::Rfc822Size(size) => said.size = Some(size),
                AttributeValue::BodySection { data, .. } | AttributeValue::Rfc822(data) => {
                    let literal = data.as_ref().is_some_and(|data| data.is_empty());
                    let literal = literal.then(|| self.literals.pop()).flatten();
                    said.bytes = literal.or(data.map(|data| data.into_owned()));
                }
                _ => {}
            }
        }
        self.literals.is_empty().then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str, literals: &[&str]) -> Result<Meaning, ImapError> {
        let line = Line {
            text: text.into(),
            literals: literals.iter().map(|one| (*one).into()).collect(),
        };
        line.meaning("f7", "fetch")
    }

    fn said(uid: u32, size: Option<u32>, bytes: Option<&str>) -> Meaning {
        Meaning::Fetch(Said {
            uid: Some(uid),
            size,
            bytes: bytes.map(Into::into),
        })
    }

    #[test]
    fn bytes_come_in_every_form_that_servers_have() {
        for (text, literals, expect) in [
            (
                "* 1 FETCH (UID 7 BODY[] {0}\r\n)\r\n",
                vec!["a)\r\nf7 OK"],
                said(7, None, Some("a)\r\nf7 OK")),
            ),
            (
                "* 1 FETCH (BODY[] {0}\r\n UID 7)\r\n",
                vec![""],
                said(7, None, Some("")),
            ),
            (
                "* 1 FETCH (UID 7 BODY[] \"quoted\")\r\n",
                vec![],
                said(7, None, Some("quoted")),
            ),
            (
                "* 1 FETCH (UID 7 BODY[] \"\")\r\n",
                vec![],
                said(7, None, Some("")),
            ),
            (
                "* 1 FETCH (UID 7 BODY[] NIL)\r\n",
                vec![],
                said(7, None, None),
            ),
            (
                "* 1 FETCH (UID 7 BODY[HEADER]<0> {0}\r\n FLAGS ())\r\n",
                vec!["x"],
                said(7, None, Some("x")),
            ),
            (
                "* 1 FETCH (UID 7 RFC822.SIZE 12)\r\n",
                vec![],
                said(7, Some(12), None),
            ),
            ("* 3 EXISTS\r\n", vec![], Meaning::Other),
            ("f7 OK Fetch completed.\r\n", vec![], Meaning::End),
        ] {
            assert_eq!(meaning(text, &literals).unwrap(), expect, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_or_says_no_is_an_error() {
        for (text, literals, expect) in [
            (
                "f7 NO [UNAVAILABLE] Try later\r\n",
                vec![],
                "refuses to fetch: [UNAVAILABLE] Try later",
            ),
            ("f7 BAD Unknown\r\n", vec![], "refuses to fetch: Unknown"),
            ("* BYE Enough\r\n", vec![], "the server ends it: Enough"),
            ("f6 OK Fetch completed.\r\n", vec![], "cannot be read"),
            (
                "* 1 FETCH (UID 7 BODY[] {0}\r\n)\r\n",
                vec!["a", "b"],
                "cannot be read",
            ),
            ("* 1 FETCH (UID 7\r\n", vec![], "cannot be read"),
            ("nonsense\r\n", vec![], "cannot be read"),
        ] {
            let error = meaning(text, &literals).unwrap_err().to_string();
            assert!(error.contains(expect), "{text}: {error}");
        }
    }
}

//! Folders: their names for people and on the wire, and which one is meant.

use std::io::{BufRead, BufReader, Read, Write};

use super::{ANSWER_BYTES, ImapError, Session, utf7};

/// Folders that an error names.
const SHOWN: usize = 20;
/// Lines of the answer to NAMESPACE.
const NAMESPACE_LINES: usize = 100;

/// A folder of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// For people, and in the archive: as the server names it, in Unicode.
    pub name: String,
    /// As commands name it.
    pub wire_name: String,
}

impl Folder {
    fn of(wire_name: String) -> Self {
        Self {
            name: utf7::decode(&wire_name),
            wire_name,
        }
    }
}

/// Where the user's own folders are (RFC 2342).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Namespace {
    /// What stands before each, in the form of the wire: empty, or as `INBOX.`
    prefix: String,
    /// What stands between levels; empty where there is only one.
    separator: String,
}

/// A folder as the server lists it.
struct Listed {
    folder: Folder,
    is_selectable: bool,
    /// `\Junk`, … (RFC 6154)
    uses: Vec<String>,
}

impl Session {
    /// The folder that a user means: by its name on the server, by its levels with `/` between them, with or without the
    /// prefix of the server's namespace, or by its use, as `\Junk` (RFC 6154).
    pub fn find_folder(&mut self, name: &str) -> Result<Folder, ImapError> {
        let listed = self.list()?;
        let namespace = self.namespace()?;
        let open = |found: &&Listed| found.is_selectable;
        let found = if name.starts_with('\\') {
            let is_used = |one: &&Listed| one.uses.iter().any(|u| u.eq_ignore_ascii_case(name));
            listed.iter().filter(open).find(is_used)
        } else {
            let wanted = namespace.names(name);
            wanted.iter().find_map(|wanted| {
                let is_it = |one: &&Listed| is_same(&one.folder.name, wanted);
                listed.iter().filter(open).find(is_it)
            })
        };
        match found {
            Some(listed) => Ok(listed.folder.clone()),
            None => Err(ImapError::NoFolder {
                name: name.to_owned(),
                known: known(&listed),
            }),
        }
    }

    /// As [`Self::find_folder`]; makes it where it is missing.
    pub fn make_folder(&mut self, name: &str) -> Result<Folder, ImapError> {
        match self.find_folder(name) {
            Err(ImapError::NoFolder { .. }) if !name.starts_with('\\') => {}
            found => return found,
        }
        let namespace = self.namespace()?;
        let wire_name = namespace.own(name);
        self.command("make the folder", ANSWER_BYTES, |imap| {
            imap.create(&wire_name)
        })?;
        // Servers show what is subscribed to; one that does not know it has the folder nevertheless.
        let subscribed = self.command("subscribe to the folder", ANSWER_BYTES, |imap| {
            imap.subscribe(&wire_name)
        });
        if let Err(error) = subscribed
            && !error.is_answer()
        {
            return Err(error);
        }
        Ok(Folder::of(wire_name))
    }

    fn list(&mut self) -> Result<Vec<Listed>, ImapError> {
        let names = self.command("list its folders", ANSWER_BYTES, |imap| {
            imap.list(Some(""), Some("*"))
        })?;
        let listed = names.iter().map(|name| {
            let attributes: Vec<String> = name.attributes().iter().map(attribute_name).collect();
            Listed {
                folder: Folder::of(name.name().to_owned()),
                is_selectable: !attributes
                    .iter()
                    .any(|a| a == "\\Noselect" || a == "\\NonExistent"),
                uses: attributes,
            }
        });
        Ok(listed.collect())
    }

    /// The first personal namespace, where the server names one; else what its list of folders shows.
    fn namespace(&mut self) -> Result<Namespace, ImapError> {
        if self.can("NAMESPACE")
            && let Some(namespace) = self.ask_namespace()?
        {
            return Ok(namespace);
        }
        let root = self.command("name its separator", ANSWER_BYTES, |imap| {
            imap.list(None, None)
        })?;
        let separator = root.iter().find_map(|name| name.delimiter());
        Ok(Namespace {
            prefix: String::new(),
            separator: separator.unwrap_or_default().to_owned(),
        })
    }

    /// The client library cannot read this answer, so the command goes over the wire past it, between two of its own.
    fn ask_namespace(&mut self) -> Result<Option<Namespace>, ImapError> {
        const DOING: &str = "name its namespaces";
        let lost = |error: std::io::Error| ImapError::of_io(DOING, &error);
        self.wire.expect(ANSWER_BYTES);
        self.wire.write_all(b"n1 NAMESPACE\r\n").map_err(lost)?;
        self.wire.flush().map_err(lost)?;
        // One byte at a time is read ahead: nothing of a later answer is lost.
        let mut input = BufReader::with_capacity(1, self.wire.clone());
        let mut found = None;
        for _ in 0..NAMESPACE_LINES {
            let mut line = Vec::new();
            let read = (&mut input)
                .take(ANSWER_BYTES)
                .read_until(b'\n', &mut line)
                .map_err(lost)?;
            if read == 0 {
                break;
            }
            let line = String::from_utf8_lossy(&line);
            if line.starts_with("n1 ") {
                return Ok(found);
            }
            if let Some(answer) = line.strip_prefix("* NAMESPACE ") {
                found = Namespace::parse(answer);
            }
        }
        Err(ImapError::Lost {
            doing: DOING,
            cause: "the server closed it".to_owned(),
        })
    }
}

impl Namespace {
    /// `(("INBOX." ".")) NIL NIL` -> the first pair.
    fn parse(answer: &str) -> Option<Self> {
        let mut texts = quoted(answer.strip_prefix("((")?);
        let prefix = texts.next()?;
        let separator = texts.next().unwrap_or_default();
        Some(Self { prefix, separator })
    }

    /// What a user may mean by a name, the likeliest first, in Unicode.
    fn names(&self, name: &str) -> Vec<String> {
        let levels = self.levels(name);
        let prefix = utf7::decode(&self.prefix);
        let mut names = vec![name.to_owned(), levels.clone()];
        names.push(format!("{prefix}{levels}"));
        // A folder below the inbox, where everything is below the inbox.
        names.push(format!("INBOX{}{levels}", self.separator));
        names
    }

    /// The name of a new folder, in the form of the wire.
    fn own(&self, name: &str) -> String {
        let levels = utf7::encode(&self.levels(name));
        if levels.starts_with(&self.prefix) {
            levels
        } else {
            format!("{}{levels}", self.prefix)
        }
    }

    /// The levels of a name with the server's separator between them. A server with a single level gets one name.
    fn levels(&self, name: &str) -> String {
        let separator = if self.separator.is_empty() {
            "-"
        } else {
            &self.separator
        };
        name.replace('/', separator)
    }
}

/// The quoted texts of a line, in their order.
fn quoted(line: &str) -> impl Iterator<Item = String> + '_ {
    let mut chars = line.chars();
    std::iter::from_fn(move || {
        chars.by_ref().find(|c| *c == '"')?;
        let mut text = String::new();
        loop {
            match chars.next()? {
                '"' => return Some(text),
                '\\' => text.push(chars.next()?),
                c => text.push(c),
            }
        }
    })
}

/// `INBOX` is the same in any case (RFC 3501 section 5.1).
fn is_same(name: &str, wanted: &str) -> bool {
    name == wanted || (wanted.eq_ignore_ascii_case("INBOX") && name.eq_ignore_ascii_case("INBOX"))
}

fn attribute_name(attribute: &imap_proto::NameAttribute<'_>) -> String {
    use imap_proto::NameAttribute;
    match attribute {
        NameAttribute::NoSelect => "\\Noselect".to_owned(),
        NameAttribute::All => "\\All".to_owned(),
        NameAttribute::Archive => "\\Archive".to_owned(),
        NameAttribute::Junk => "\\Junk".to_owned(),
        NameAttribute::Trash => "\\Trash".to_owned(),
        NameAttribute::Extension(name) => name.to_string(),
        _ => String::new(),
    }
}

fn known(listed: &[Listed]) -> String {
    let names: Vec<String> = listed
        .iter()
        .filter(|one| one.is_selectable)
        .take(SHOWN)
        .map(|one| format!("\"{}\"", one.folder.name))
        .collect();
    match names.len() {
        0 => "none".to_owned(),
        SHOWN => format!("{}, …", names.join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_personal_namespace_is_read() {
        for (answer, prefix, separator) in [
            ("((\"\" \"/\")) NIL NIL\r\n", "", "/"),
            (
                "((\"INBOX.\" \".\")) ((\"user.\" \".\")) NIL",
                "INBOX.",
                ".",
            ),
            ("((\"a\\\"b\" \"\\\\\")) NIL NIL", "a\"b", "\\"),
            ("((\"\" NIL)) NIL NIL", "", ""),
        ] {
            let expect = Namespace {
                prefix: prefix.to_owned(),
                separator: separator.to_owned(),
            };
            assert_eq!(Namespace::parse(answer), Some(expect), "{answer}");
        }
        assert_eq!(Namespace::parse("NIL NIL NIL"), None);
    }

    #[test]
    fn levels_are_joined_as_the_server_does() {
        let dots = Namespace {
            prefix: "INBOX.".to_owned(),
            separator: ".".to_owned(),
        };
        assert!(
            dots.names("DMARC/2024")
                .contains(&"INBOX.DMARC.2024".to_owned())
        );
        assert_eq!(dots.own("DMARC/Geprüft"), "INBOX.DMARC.Gepr&APw-ft");
        assert_eq!(dots.own("INBOX/DMARC"), "INBOX.DMARC");
        let flat = Namespace::default();
        assert_eq!(flat.own("DMARC/Failed"), "DMARC-Failed");
    }
}

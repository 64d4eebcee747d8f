//! Walks the tree of parts, within the limits on depth, parts and header, and picks what may hold a report.

use super::Part;
use super::decode::{decode, is_repaired};
use super::entity::{Entity, Facts, Field, line_length};
use super::{failure, leaf};
use crate::model::limits::Limits;
use crate::model::outcome::{Oddity, Refusal};

/// Longest header of a mail or part. Real ones stay below 64 KiB.
const HEADER_BYTES: usize = 256 << 10;

/// See [`super::parts`].
pub(super) fn parts(bytes: &[u8], limits: &Limits) -> Vec<Result<Part, (String, Refusal)>> {
    walk(bytes, limits, false)
}

/// Whether [`parts`] finds any. A part that claims to be compressed need not be decoded for that.
pub(super) fn has_parts(bytes: &[u8], limits: &Limits) -> bool {
    !walk(bytes, limits, true).is_empty()
}

fn walk(
    bytes: &[u8],
    limits: &Limits,
    is_one_enough: bool,
) -> Vec<Result<Part, (String, Refusal)>> {
    let message = Entity::of_message(bytes);
    if is_bounce(&message) {
        return Vec::new();
    }
    let mut walk = Walk {
        limits,
        is_one_enough,
        parts_left: limits.mime_parts,
        full: false,
        found: Vec::new(),
    };
    walk.entity(message, "", true, 1);
    walk.found
}

/// Where an entity stands in its parent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parent {
    Other,
    Digest,
    Signed,
}

struct Walk<'l> {
    limits: &'l Limits,
    /// Nobody asks what is in the parts.
    is_one_enough: bool,
    parts_left: u32,
    /// The limit on parts is reached and said.
    full: bool,
    found: Vec<Result<Part, (String, Refusal)>>,
}

impl Walk<'_> {
    fn refuse(&mut self, path: &str, code: &'static str, message: String) {
        self.found
            .push(Err((path.to_owned(), Refusal::new(code, message))));
    }

    fn entity(&mut self, entity: Entity<'_>, number: &str, is_message: bool, depth: u32) {
        self.entity_in(Parent::Other, entity, number, is_message, depth);
    }

    fn entity_in(
        &mut self,
        parent: Parent,
        entity: Entity<'_>,
        number: &str,
        is_message: bool,
        depth: u32,
    ) {
        if !self.may_go_on(&entity, number, depth) {
            return;
        }
        let facts = entity.facts();
        if facts.mime_type.starts_with("multipart/")
            && let Some(children) = facts
                .boundary
                .as_deref()
                .and_then(|b| self.children(entity.body, b))
        {
            return self.multipart(&facts, &children, number, depth);
        }
        let number = if is_message {
            join(number, 1)
        } else {
            number.to_owned()
        };
        let nested = matches!(
            facts.mime_type.as_str(),
            "message/rfc822" | "message/global"
        ) || (parent == Parent::Digest && facts.mime_type.is_empty());
        if self.is_one_enough && !nested && leaf::claims_compression(&facts) {
            // It is a report, or refused.
            return self.found.push(Ok(Part::default()));
        }
        let body = decode(entity.body, &facts.encoding);
        if nested {
            return self.entity(Entity::of_message(&body), &number, true, depth + 1);
        }
        let path = leaf_path(&number, &facts);
        let mut found = leaf::judge(&path, &facts, body, parent == Parent::Signed, self.limits);
        if let Some(Ok(part)) = &mut found
            && is_repaired(entity.body, &facts.encoding)
        {
            let (code, detail) = ("base64-repaired", String::new());
            part.oddities.push(Oddity { code, detail });
        }
        self.found.extend(found);
    }

    /// Holds the entity against the limits; says so where it is over one.
    fn may_go_on(&mut self, entity: &Entity<'_>, number: &str, depth: u32) -> bool {
        if self.full || (self.is_one_enough && !self.found.is_empty()) {
            return false;
        }
        let Some(left) = self.parts_left.checked_sub(1) else {
            self.full = true;
            let message = format!(
                "the mail has more than {} parts (limits.mime_parts)",
                self.limits.mime_parts
            );
            self.refuse("", "limit-parts", message);
            return false;
        };
        self.parts_left = left;
        if depth > self.limits.mime_depth {
            let message = format!(
                "parts lie more than {} deep (limits.mime_depth)",
                self.limits.mime_depth
            );
            self.refuse(number, "limit-mime-depth", message);
            return false;
        }
        if entity.header.len() > HEADER_BYTES {
            let message = format!("the header exceeds {HEADER_BYTES} bytes");
            self.refuse(number, "limit-header-bytes", message);
            return false;
        }
        true
    }

    fn multipart(&mut self, facts: &Facts, children: &[&[u8]], number: &str, depth: u32) {
        let children: Vec<Entity<'_>> = children
            .iter()
            .map(|child| Entity::of_part(child))
            .collect();
        let kinds: Vec<Facts> = children
            .iter()
            .take(self.limits.mime_parts as usize)
            .map(Entity::facts)
            .collect();
        let is_notification =
            |kind: &str| kind == "delivery-status" || kind == "disposition-notification";
        let declared = facts.report_type.as_deref().is_some_and(is_notification);
        if declared
            || kinds.iter().any(|kind| {
                kind.mime_type
                    .strip_prefix("message/")
                    .is_some_and(is_notification)
            })
        {
            return;
        }
        if let Some(at) = kinds
            .iter()
            .zip(&children)
            .position(|(kind, child)| failure::is_fields(kind, child))
        {
            let path = leaf_path(&join(number, at + 1), &kinds[at]);
            self.found
                .extend(failure::compose(&path, at, &kinds, &children).map(Ok));
            return;
        }
        let parent = match facts.mime_type.as_str() {
            "multipart/digest" => Parent::Digest,
            "multipart/signed" => Parent::Signed,
            _ => Parent::Other,
        };
        for (at, child) in children.into_iter().enumerate() {
            self.entity_in(parent, child, &join(number, at + 1), false, depth + 1);
        }
    }

    /// Cuts a multipart body at its boundary; `None` where the boundary does not occur. Never more children than may
    /// still be read, and one by which that is noticed.
    fn children<'x>(&self, body: &'x [u8], boundary: &str) -> Option<Vec<&'x [u8]>> {
        let mut children = Vec::new();
        let mut begin = None;
        let mut at = 0;
        while at < body.len() && children.len() <= self.parts_left as usize {
            let line = &body[at..at + line_length(&body[at..])];
            if let Some(is_last) = delimiter(line, boundary) {
                children.extend(begin.map(|begin| without_line_end(&body[begin..at])));
                begin = (!is_last).then_some(at + line.len());
                if is_last {
                    break;
                }
            }
            at += line.len();
        }
        children.extend(
            begin
                .filter(|_| at >= body.len())
                .map(|begin| &body[begin..]),
        );
        (!children.is_empty()).then_some(children)
    }
}

/// `Some(true)` for the closing delimiter, `Some(false)` for another.
fn delimiter(line: &[u8], boundary: &str) -> Option<bool> {
    let rest = line
        .strip_prefix(b"--")?
        .strip_prefix(boundary.as_bytes())?
        .trim_ascii();
    match rest {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// The line end before a delimiter belongs to the delimiter.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

fn join(number: &str, child: usize) -> String {
    if number.is_empty() {
        child.to_string()
    } else {
        format!("{number}.{child}")
    }
}

fn leaf_path(number: &str, facts: &Facts) -> String {
    match facts.file_name.as_deref().map(super::clean) {
        Some(name) if !name.is_empty() => {
            format!("{number} {}", name.chars().take(200).collect::<String>())
        }
        _ => number.to_owned(),
    }
}

/// A mail of a mail system about a mail that could not be delivered, in no standard form.
fn is_bounce(message: &Entity<'_>) -> bool {
    let from = message
        .field(Field::From)
        .unwrap_or_default()
        .to_ascii_lowercase();
    from.windows(14).any(|window| window == b"mailer-daemon@")
}

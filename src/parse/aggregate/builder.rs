//! Tags and text -> the head of a report and its records. Knows what element may stand where, and nothing of how it
//! was written in bytes.

use super::head::HeadDraft;
use super::name::{Name, Spelling};
use super::record::RecordDraft;
use super::schema::{self, Place};
use super::stop::{Modes, Stop};
use crate::model::aggregate::AggregateHead;
use crate::model::limits::Limits;
use crate::parse::RecordSink;
use crate::parse::fingerprint::Fingerprint;
use crate::parse::oddities::{Oddities, quote};

/// Longest element name and longest tag with its attributes. Real ones have under 300 bytes.
const TAG_NAME_BYTES: usize = 256;
const TAG_BYTES: usize = 64 * 1024;
/// Namespace of RFC 9990.
const NAMESPACE: &str = "urn:ietf:params:xml:ns:dmarc-2.0";

/// How strictly end tags must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tolerance {
    /// Any mismatch ends the attempt.
    Strict,
    /// An end tag closes what it can; only a record must be whole.
    Lenient,
}

/// An open element.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) place: Place,
    pub(super) name: Name,
    /// Where the name as written begins in `Builder::names`.
    pub(super) name_at: usize,
}

/// Where in the document the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Before,
    Inside,
    After,
}

/// Settings and outlets of one attempt.
pub(super) struct Attempt<'a> {
    pub(super) limits: &'a Limits,
    pub(super) sink: &'a mut dyn RecordSink,
    pub(super) tolerance: Tolerance,
    /// Alignment modes of the policy, where an earlier attempt found them after the records.
    pub(super) modes: Option<Modes>,
}

/// One attempt at reading a document.
pub(super) struct Builder<'a> {
    pub(super) attempt: Attempt<'a>,
    pub(super) phase: Phase,
    pub(super) open: Vec<Open>,
    pub(super) names: String,
    pub(super) text: String,
    pub(super) text_is_cut: bool,
    pub(super) head: HeadDraft,
    pub(super) record: RecordDraft,
    pub(super) fingerprint: Fingerprint,
    /// Sections seen: metadata, policy.
    pub(super) has_metadata: bool,
    pub(super) has_policy: bool,
    pub(super) has_doctype: bool,
    pub(super) records_before_policy: bool,
    pub(super) is_prefixed: bool,
    pub(super) oddities: Oddities,
}

impl<'a> Builder<'a> {
    pub(super) fn new(attempt: Attempt<'a>) -> Self {
        Self {
            attempt,
            phase: Phase::Before,
            open: Vec::new(),
            names: String::new(),
            text: String::new(),
            text_is_cut: false,
            head: HeadDraft::default(),
            record: RecordDraft::default(),
            fingerprint: Fingerprint::default(),
            has_metadata: false,
            has_policy: false,
            has_doctype: false,
            records_before_policy: false,
            is_prefixed: false,
            oddities: Oddities::default(),
        }
    }

    /// Whether the root element is closed: nothing after it matters.
    pub(super) fn is_done(&self) -> bool {
        self.phase == Phase::After
    }

    /// Whether the root element has not come yet.
    pub(super) fn is_unopened(&self) -> bool {
        self.phase == Phase::Before
    }

    /// Whether text now goes into a field.
    pub(super) fn is_in_leaf(&self) -> bool {
        self.open
            .last()
            .is_some_and(|open| open.place == Place::Leaf)
    }

    /// Whether only the root element is open and records came: the end may be missing without a loss.
    pub(super) fn is_between_records(&self) -> bool {
        self.phase == Phase::Inside && self.open.len() == 1 && self.head.head.record_count > 0
    }

    /// Whether an element of this name is open (by its name as written, where it is unknown).
    pub(super) fn has_open(&self, written: &str) -> bool {
        let (name, _) = Name::read(written);
        self.open.iter().enumerate().any(|(at, open)| {
            open.name == name && (name != Name::Other || self.written(at) == written)
        })
    }

    /// Whether a start tag can mean an element here: inside of a field only one that may follow the field.
    pub(super) fn may_start(&self, name: Name) -> bool {
        if !self.is_in_leaf() {
            return true;
        }
        let around = self
            .open
            .len()
            .checked_sub(2)
            .and_then(|at| self.open.get(at));
        schema::is_section(name)
            || around.is_some_and(|open| schema::child(open.place, open.name, name).is_some())
    }

    /// A document type declaration. It is never read, and a report that has one is refused.
    pub(super) fn doctype(&mut self) -> Result<(), Stop> {
        self.has_doctype = true;
        if self.phase == Phase::Before {
            Ok(())
        } else {
            Err(doctype_refused())
        }
    }

    /// A start tag; `attributes` is what follows the name.
    pub(super) fn start(&mut self, written: &str, attributes: &str) -> Result<(), Stop> {
        if written.len() > TAG_NAME_BYTES || attributes.len() > TAG_BYTES {
            if self.phase == Phase::Before {
                return Ok(());
            }
            return Err(Stop::refuse(
                "limit-tag",
                "an element name or its attributes are longer than any report's",
            ));
        }
        let (name, spelling) = Name::read(written);
        if self.phase == Phase::Before {
            return self.start_root(written, attributes, name, spelling);
        }
        if self.open.len() >= self.attempt.limits.depth as usize {
            let message = format!(
                "elements are nested deeper than {}; raise limits.depth to take it",
                self.attempt.limits.depth
            );
            return Err(Stop::refuse("limit-depth", message));
        }
        if name == Name::Other && self.attempt.tolerance == Tolerance::Strict && !is_name(written) {
            return Err(Stop::Malformed("a raw < stands in a value".to_owned()));
        }
        self.note_spelling(written, spelling);
        let place = self.enter(written, name)?;
        self.push(place, name, written);
        Ok(())
    }

    /// An end tag.
    pub(super) fn end(&mut self, written: &str) -> Result<(), Stop> {
        if self.phase == Phase::Before {
            return Ok(());
        }
        let matches = self
            .open
            .len()
            .checked_sub(1)
            .is_some_and(|top| self.matches(top, written));
        if matches {
            return self.close();
        }
        if self.attempt.tolerance == Tolerance::Strict {
            return Err(Stop::Malformed(format!(
                "the end tag </{}> does not match",
                quote(written)
            )));
        }
        self.end_lenient(written)
    }

    /// The end of the document.
    pub(super) fn finish(mut self, file_name: Option<&str>) -> Result<AggregateHead, Stop> {
        if !self.has_metadata && !self.has_policy && self.head.head.record_count == 0 {
            let message = "the XML has no feedback element with the parts of a DMARC report";
            return Err(Stop::refuse(
                crate::model::outcome::Refusal::NOT_A_REPORT,
                message,
            ));
        }
        let modes = self.head.modes();
        if self.records_before_policy && self.attempt.modes.is_none() && modes != Modes::default() {
            return Err(Stop::Modes(modes));
        }
        self.head.is_rfc9990 |= self.record.is_rfc9990;
        if self.head.head.record_count == 0 {
            self.oddities.note("no-records", String::new);
        }
        let mut head = self.head.finish(file_name, &mut self.oddities)?;
        head.records_sha256 = self.fingerprint.finish();
        if head.report_id.is_empty() {
            self.oddities.note("report-id-missing", String::new);
            head.report_id = super::synthetic_id(&head);
        }
        head.oddities = self.oddities.finish();
        Ok(head)
    }

    fn start_root(
        &mut self,
        written: &str,
        attributes: &str,
        name: Name,
        spelling: Spelling,
    ) -> Result<(), Stop> {
        if name != Name::Feedback {
            self.oddities
                .note("junk-before-root", || format!("<{written}>"));
            return Ok(());
        }
        if self.has_doctype {
            return Err(doctype_refused());
        }
        self.note_spelling(written, spelling);
        self.is_prefixed = spelling == Spelling::Prefixed;
        self.head.is_rfc9990 = attributes.contains(NAMESPACE);
        self.phase = Phase::Inside;
        self.push(Place::Feedback, name, written);
        Ok(())
    }

    fn note_spelling(&mut self, written: &str, spelling: Spelling) {
        match spelling {
            Spelling::Case => self.oddities.note("name-case", || written.to_owned()),
            Spelling::Alias => self.oddities.note("name-alias", || written.to_owned()),
            Spelling::Exact | Spelling::Prefixed => {}
        }
    }

    fn push(&mut self, place: Place, name: Name, written: &str) {
        self.open.push(Open {
            place,
            name,
            name_at: self.names.len(),
        });
        self.names.push_str(written);
    }

    pub(super) fn written(&self, at: usize) -> &str {
        let end = self
            .open
            .get(at + 1)
            .map_or(self.names.len(), |next| next.name_at);
        &self.names[self.open[at].name_at..end]
    }

    pub(super) fn matches(&self, at: usize, written: &str) -> bool {
        self.written(at) == written
            || (self.open[at].name != Name::Other && Name::read(written).0 == self.open[at].name)
    }

    /// What a child becomes, by where it stands.
    fn enter(&mut self, written: &str, name: Name) -> Result<Place, Stop> {
        if self.attempt.tolerance == Tolerance::Lenient {
            self.make_room(name)?;
        }
        let Some(parent) = self.open.last() else {
            return Ok(Place::Skipped);
        };
        Ok(match schema::child(parent.place, parent.name, name) {
            Some(Place::Record) => self.begin_record()?,
            Some(place @ Place::Metadata) => {
                section(&mut self.has_metadata, place, &mut self.oddities, written)
            }
            Some(place @ Place::Policy) => {
                section(&mut self.has_policy, place, &mut self.oddities, written)
            }
            Some(Place::Leaf) => self.begin_leaf(),
            Some(Place::Entry) => {
                self.record
                    .begin_entry(self.attempt.limits.results_per_record)?;
                Place::Entry
            }
            Some(place) => {
                self.head.is_rfc9990 |= name == Name::Extension;
                place
            }
            None => {
                self.note_unknown(written);
                Place::Skipped
            }
        })
    }

    fn note_unknown(&mut self, written: &str) {
        let is_extension = written.contains(':') && !self.is_prefixed;
        match self.open.last().map(|open| open.place) {
            Some(Place::Skipped) => {}
            Some(Place::Leaf) => self
                .oddities
                .note("element-in-text", || format!("<{written}>")),
            _ if is_extension => {}
            _ => self
                .oddities
                .note("element-unknown", || format!("<{written}>")),
        }
    }

    fn begin_leaf(&mut self) -> Place {
        self.text.clear();
        self.text_is_cut = false;
        Place::Leaf
    }

    fn begin_record(&mut self) -> Result<Place, Stop> {
        let head = &mut self.head.head;
        if head.record_count >= self.attempt.limits.records {
            let message = format!(
                "the report has more than {} records; raise limits.records to take it",
                self.attempt.limits.records
            );
            return Err(Stop::refuse("limit-records", message));
        }
        head.record_count += 1;
        self.record.begin(head.record_count);
        Ok(Place::Record)
    }
}

/// A raw `<` in text makes a tag whose name holds another one, or no name at all.
fn is_name(written: &str) -> bool {
    let first = written.chars().next().unwrap_or('<');
    (first.is_alphabetic() || first == '_') && !written.contains(['<', '@', '"', '&'])
}

fn section(seen: &mut bool, place: Place, oddities: &mut Oddities, written: &str) -> Place {
    if std::mem::replace(seen, true) {
        oddities.note("section-repeated", || format!("<{written}>"));
        return Place::Skipped;
    }
    place
}

fn doctype_refused() -> Stop {
    let message =
        "the report has a DOCTYPE, which can define entities and is never read; reports need none";
    Stop::refuse("doctype", message)
}

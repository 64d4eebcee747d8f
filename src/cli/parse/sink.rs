//! Takes the documents of an item, says on standard error what was refused, and has the rest written.

use std::io::{self, Write};

use super::Format;
use crate::job::read::ReadingSink;
use crate::model::aggregate::Record;
use crate::model::outcome::{Outcome, Refusal};
use crate::parse::Report;

/// Where an item came from, as it is printed.
pub(super) struct Input {
    /// The path as given, joined with what lies below a folder.
    pub(super) source: String,
    /// Member of a local archive, message of an mbox.
    pub(super) member: Option<String>,
}

/// A document at its end.
pub(super) struct Ended<'a> {
    pub(super) source: &'a str,
    pub(super) member: Option<String>,
    pub(super) result: &'a Result<Report, Refusal>,
}

pub(super) struct Sink<'a> {
    pub(super) input: &'a Input,
    pub(super) format: &'a mut dyn Format,
    pub(super) out: &'a mut dyn Write,
    /// Set when something was refused.
    pub(super) refused: &'a mut bool,
    /// The first failure to write; nothing is written after it.
    pub(super) result: io::Result<()>,
}

impl Sink<'_> {
    /// The item itself could not be read.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        self.document(String::new(), None, Err(refusal));
    }

    fn complain(&mut self, member: Option<&str>, refusal: &Refusal) {
        let source = crate::cli::parse::values::one_line(&self.input.source);
        let member = member
            .map(|member| format!(" ({member})"))
            .unwrap_or_default();
        eprintln!("{source}{member}: {}: {}", refusal.code, refusal.message);
        *self.refused |= refusal.outcome() == Outcome::Refused;
    }
}

impl ReadingSink for Sink<'_> {
    fn record(&mut self, record: Record) {
        self.format.record(record);
    }

    fn restart(&mut self) {
        self.format.restart();
    }

    fn document(
        &mut self,
        path: String,
        _sha256: Option<[u8; 32]>,
        result: Result<Report, Refusal>,
    ) {
        let inner = (!path.is_empty()).then_some(path);
        let member = match (&self.input.member, inner) {
            (Some(member), Some(inner)) => Some(format!("{member}!{inner}")),
            (member, inner) => inner.or_else(|| member.clone()),
        };
        if let Err(refusal) = &result {
            self.complain(member.as_deref(), refusal);
        }
        if self.result.is_ok() {
            let ended = Ended {
                source: &self.input.source,
                member,
                result: &result,
            };
            self.result = self.format.document(self.out, &ended);
        }
        self.format.restart();
    }
}

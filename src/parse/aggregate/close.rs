//! The end of elements: where fields, entries and records are taken in, and where missing end tags are forgiven.

use super::builder::{Builder, Open, Phase};
use super::head::ErrorsBound;
use super::name::Name;
use super::schema::{self, Place};
use super::stop::Stop;
use super::text::SHORT_TEXTS;

impl Builder<'_> {
    /// Closes the innermost element.
    pub(super) fn close(&mut self) -> Result<(), Stop> {
        let Some(Open {
            place,
            name,
            name_at,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        self.names.truncate(name_at);
        match place {
            Place::Leaf => self.close_leaf(name),
            Place::Entry => self.record.end_entry(name, &mut self.oddities),
            Place::Record => self.close_record(),
            Place::Feedback => self.phase = Phase::After,
            _ => {}
        }
        Ok(())
    }

    fn close_leaf(&mut self, name: Name) {
        let parent = self.open.last().map(|open| (open.place, open.name));
        if matches!(parent, Some((Place::Metadata | Place::Policy, _))) && name != Name::Error {
            self.cut_text(self.attempt.limits.text_bytes / SHORT_TEXTS);
        }
        if self.text_is_cut {
            let kept = self.text.len();
            self.oddities
                .note("text-cut", || format!("{name:?} to {kept} bytes"));
        }
        let Some((place, list)) = parent else {
            return;
        };
        match place {
            Place::Record | Place::Row | Place::Evaluated => {
                self.record.assign(name, &self.text, &mut self.oddities)
            }
            Place::Entry => self
                .record
                .assign_entry(list, name, &self.text, &mut self.oddities),
            _ => {
                let limits = self.attempt.limits;
                let errors = ErrorsBound {
                    texts: limits.results_per_record as usize,
                    bytes: limits.text_bytes,
                };
                self.head
                    .assign(name, &self.text, errors, &mut self.oddities);
            }
        }
    }

    fn close_record(&mut self) {
        self.records_before_policy |= !self.has_policy;
        let modes = self.attempt.modes.unwrap_or_else(|| self.head.modes());
        let record = self.record.finish(modes, &mut self.oddities);
        let head = &mut self.head.head;
        head.messages = head
            .messages
            .saturating_add(record.messages)
            .min(i64::MAX as u64);
        if record.dmarc_pass() {
            head.passed = head
                .passed
                .saturating_add(record.messages)
                .min(i64::MAX as u64);
        }
        head.note_record(head.record_count, record.text_bytes());
        self.fingerprint.add_record(&record);
        self.attempt.sink.record(record);
    }

    /// Closes what is open down to the element that this end tag names; ignores one that names nothing.
    pub(super) fn end_lenient(&mut self, written: &str) -> Result<(), Stop> {
        let Some(at) = (0..self.open.len())
            .rev()
            .find(|at| self.matches(*at, written))
        else {
            self.oddities
                .note("end-tag-ignored", || format!("</{written}>"));
            return Ok(());
        };
        self.close_down_to(at + 1)?;
        self.close()
    }

    /// Makes `len` elements open, as if the end tags of the others were there. Only a record must be whole.
    fn close_down_to(&mut self, len: usize) -> Result<(), Stop> {
        while self.open.len() > len {
            let top = self.open.len() - 1;
            if self.open[top].place == Place::Record {
                let message = format!(
                    "record {} is not closed, so the report has lost its structure; ask the reporter for a new one",
                    self.head.head.record_count
                );
                return Err(Stop::refuse("xml-malformed", message));
            }
            let written = self.written(top).to_owned();
            self.oddities
                .note("end-tag-missing", || format!("</{written}>"));
            self.close()?;
        }
        Ok(())
    }

    /// A section inside of something, or a field inside of a field, means that an end tag is missing.
    pub(super) fn make_room(&mut self, name: Name) -> Result<(), Stop> {
        match self.open.last().map(|open| open.place) {
            None | Some(Place::Skipped) => Ok(()),
            Some(_) if schema::is_section(name) => self.close_down_to(1),
            Some(Place::Leaf) => self.close_down_to(self.open.len() - 1),
            Some(_) => Ok(()),
        }
    }
}

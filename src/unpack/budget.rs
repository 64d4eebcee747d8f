//! What is left of the limits for one item. Shared by all readers of the item, so it counts through `&self`.

use std::cell::{Cell, RefCell};
use std::io;

use crate::model::limits::Limits;
use crate::model::outcome::{Oddity, Refusal};

/// What is left of the limits for one item; shared by all its parts.
#[derive(Debug)]
pub struct Budget {
    pub(super) limits: Limits,
    bytes_left: Cell<u64>,
    entries_left: Cell<u32>,
    /// The refusal behind the last `io::Error`: readers of other crates wrap errors until their cause is lost.
    fault: RefCell<Option<Refusal>>,
    /// Set by a gzip reader whose input ended inside of the compressed data.
    cut: Cell<bool>,
    /// What was forgiven since the last document.
    oddities: RefCell<Vec<Oddity>>,
}

impl Budget {
    /// The budget of one item. `entries` is [`Limits::mail_entries`] or [`Limits::file_entries`].
    pub fn new(limits: &Limits, entries: u32) -> Self {
        Self {
            limits: limits.clone(),
            bytes_left: Cell::new(limits.total_bytes),
            entries_left: Cell::new(entries),
            fault: RefCell::new(None),
            cut: Cell::new(false),
            oddities: RefCell::default(),
        }
    }

    /// A budget without a bound on all bytes together: for local archives, whose members are items of their own.
    pub(super) fn of_items(limits: &Limits) -> Self {
        let budget = Self::new(limits, limits.file_entries);
        budget.bytes_left.set(u64::MAX);
        budget
    }

    /// Takes `count` decompressed bytes.
    pub(super) fn take_bytes(&self, count: u64) -> io::Result<()> {
        match self.bytes_left.get().checked_sub(count) {
            Some(left) => {
                self.bytes_left.set(left);
                Ok(())
            }
            None => {
                self.bytes_left.set(0);
                Err(self.fail(over_total(&self.limits)))
            }
        }
    }

    /// Takes `count` archive entries.
    pub(super) fn take_entries(&self, count: usize) -> Result<(), Refusal> {
        match u32::try_from(count)
            .ok()
            .and_then(|count| self.entries_left.get().checked_sub(count))
        {
            Some(left) => {
                self.entries_left.set(left);
                Ok(())
            }
            None => Err(Refusal::new(
                "limit-entries",
                "the archives hold more entries than limits.*_entries allows",
            )),
        }
    }

    /// Holds `out` bytes that came of `input` bytes against the ratio rule.
    pub(super) fn check_ratio(&self, input: u64, out: u64) -> io::Result<()> {
        if out > self.limits.ratio_from_bytes && out / self.limits.ratio.max(1) > input {
            let message = format!(
                "decompresses to more than {} times its size (limits.ratio)",
                self.limits.ratio
            );
            return Err(self.fail(Refusal::new("limit-ratio", message)));
        }
        Ok(())
    }

    /// Remembers why reading failed and makes the error that readers pass on.
    pub(super) fn fail(&self, refusal: Refusal) -> io::Error {
        let error = io::Error::other(refusal.to_string());
        self.fault.borrow_mut().get_or_insert(refusal);
        error
    }

    /// As [`Budget::fail`], for an error of another crate, unless the reason is known already.
    pub(super) fn damaged(&self, code: &'static str, error: &dyn std::fmt::Display) -> io::Error {
        let refusal = self.refusal(error, code);
        self.fail(refusal)
    }

    /// The refusal behind `error`; `code` where it is of another crate's making.
    pub(super) fn refusal(&self, error: &dyn std::fmt::Display, code: &'static str) -> Refusal {
        let cut = self.cut.replace(false);
        self.fault.borrow_mut().take().unwrap_or_else(|| match cut {
            true => truncated(),
            false => Refusal::new(code, printable_error(error)),
        })
    }

    /// Notes that compressed data ended too early.
    pub(super) fn note_cut(&self) {
        self.cut.set(true);
    }

    /// Notes what is forgiven of the document that is being read; each code once.
    pub(super) fn forgive(&self, code: &'static str) {
        let mut oddities = self.oddities.borrow_mut();
        if oddities.iter().all(|oddity| oddity.code != code) {
            let detail = String::new();
            oddities.push(Oddity { code, detail });
        }
    }

    /// What was forgiven since the last question.
    pub(super) fn take_oddities(&self) -> Vec<Oddity> {
        self.oddities.take()
    }

    /// Whether compressed data ended too early since the last question.
    pub(super) fn was_cut(&self) -> bool {
        self.cut.replace(false)
    }
}

/// The refusal of compressed data that ends too early.
pub(super) fn truncated() -> Refusal {
    Refusal::new(
        "gzip-truncated",
        "the gzip data ends before the document does; it was cut on its way",
    )
}

fn over_total(limits: &Limits) -> Refusal {
    let message = format!(
        "all documents of the item exceed {} bytes (limits.total_bytes)",
        limits.total_bytes
    );
    Refusal::new("limit-total-bytes", message)
}

fn printable_error(error: &dyn std::fmt::Display) -> String {
    super::sniff::printable(error.to_string().as_bytes())
}

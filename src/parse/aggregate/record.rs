//! One `<record>` while it is read.

use super::name::Name;
use super::stop::{Modes, Stop};
use crate::model::aggregate::{Disposition, DkimResult, Reason, Record, SpfResult};
use crate::model::domain;
use crate::parse::oddities::{Oddities, quote};
use crate::parse::values;

const REASONS: [&str; 7] = [
    "forwarded",
    "sampled_out",
    "trusted_forwarder",
    "mailing_list",
    "local_policy",
    "other",
    "policy_test_mode",
];

/// A record, the entry of a list that is open in it, and what was seen.
#[derive(Debug, Default)]
pub(super) struct RecordDraft {
    pub(super) record: Record,
    reason: Reason,
    dkim: DkimResult,
    spf: SpfResult,
    /// One bit for each singleton that had a value: the first one wins.
    seen: u64,
    /// The same for the open entry.
    entry_seen: u64,
    entries: u32,
    /// Bytes of its texts so far; 0 between records.
    pub(super) text_bytes: usize,
    /// Something that only RFC 9990 has.
    pub(super) is_rfc9990: bool,
}

impl RecordDraft {
    /// Starts over.
    pub(super) fn begin(&mut self, record_no: u64) {
        self.record.record_no = record_no;
        self.seen = 0;
        self.entries = 0;
    }

    /// A leaf of `row`, `policy_evaluated` or `identifiers`.
    pub(super) fn assign(&mut self, name: Name, text: &str, oddities: &mut Oddities) {
        self.text_bytes += text.len();
        let text = text.trim();
        let bit = 1u64 << name as u64;
        if self.seen & bit != 0 {
            return note(oddities, "field-repeated", self.record.record_no, text);
        }
        self.seen |= bit;
        let record = &mut self.record;
        let code = match name {
            Name::SourceIp => take(values::source_ip(text), &mut record.source_ip),
            Name::Count => take(values::count(text), &mut record.messages),
            Name::Disposition => take(values::disposition(text), &mut record.disposition),
            Name::Dkim => take(values::evaluated(text), &mut record.dkim_aligned),
            Name::Spf => take(values::evaluated(text), &mut record.spf_aligned),
            Name::HeaderFrom => take_domain(text, &mut record.header_from),
            Name::EnvelopeTo => take_domain(text, &mut record.envelope_to),
            Name::EnvelopeFrom => {
                let (name, code) = values::domain_name(text);
                record.envelope_from = Some(name);
                code
            }
            _ => None,
        };
        if let Some(code) = code {
            note(oddities, code, record.record_no, text);
        }
    }

    /// A new `reason`, `dkim` or `spf`; refuses the one over the limit.
    pub(super) fn begin_entry(&mut self, most: u32) -> Result<(), Stop> {
        self.entry_seen = 0;
        self.entries += 1;
        if self.entries > most {
            let message = format!(
                "record {} has more than {most} DKIM, SPF and reason entries; raise limits.results_per_record to take it",
                self.record.record_no
            );
            return Err(Stop::refuse("limit-results", message));
        }
        Ok(())
    }

    /// A leaf of the open entry.
    pub(super) fn assign_entry(
        &mut self,
        entry: Name,
        name: Name,
        text: &str,
        oddities: &mut Oddities,
    ) {
        self.text_bytes += text.len();
        let text = text.trim();
        let record_no = self.record.record_no;
        let bit = 1u64 << name as u64;
        if text.is_empty() {
            return;
        }
        if self.entry_seen & bit != 0 {
            return note(oddities, "field-repeated", record_no, text);
        }
        self.entry_seen |= bit;
        let code = match (entry, name) {
            (Name::Reason, Name::Type) => self.assign_reason_kind(text),
            (Name::Reason, _) => {
                self.reason.comment = Some(text.to_owned());
                None
            }
            (Name::Dkim, Name::Domain) => take_domain(text, &mut self.dkim.domain),
            (Name::Dkim, Name::Selector) => {
                take((Some(text.to_owned()), None), &mut self.dkim.selector)
            }
            (Name::Dkim, Name::HumanResult) => {
                take((Some(text.to_owned()), None), &mut self.dkim.human_result)
            }
            (Name::Dkim, _) => take(values::auth_result(text), &mut self.dkim.result),
            (_, Name::Domain) => take_domain(text, &mut self.spf.domain),
            (_, Name::Scope) => take(scope(text), &mut self.spf.scope),
            (_, Name::HumanResult) => {
                take((Some(text.to_owned()), None), &mut self.spf.human_result)
            }
            _ => take(values::auth_result(text), &mut self.spf.result),
        };
        if let Some(code) = code {
            note(oddities, code, record_no, text);
        }
    }

    fn assign_reason_kind(&mut self, text: &str) -> Option<&'static str> {
        let (word, code) = values::word(text, &REASONS);
        self.is_rfc9990 |= word == Some("policy_test_mode");
        self.reason.kind = word.unwrap_or("other");
        if word.is_none() {
            Some("reason-unknown")
        } else {
            code
        }
    }

    /// Closes the open entry.
    pub(super) fn end_entry(&mut self, entry: Name, oddities: &mut Oddities) {
        let record_no = self.record.record_no;
        match entry {
            Name::Reason => {
                let mut reason = std::mem::take(&mut self.reason);
                if self.entry_seen == 0 {
                    return note(oddities, "reason-empty", record_no, "");
                }
                if reason.kind.is_empty() {
                    reason.kind = "other";
                }
                push(&mut self.record.reasons, reason);
            }
            _ if self.entry_seen == 0 => note(oddities, "auth-result-empty", record_no, ""),
            Name::Dkim => push(&mut self.record.dkim, std::mem::take(&mut self.dkim)),
            _ => push(&mut self.record.spf, std::mem::take(&mut self.spf)),
        }
    }

    /// The finished record, with alignment explained and contradictions noted.
    pub(super) fn finish(&mut self, modes: Modes, oddities: &mut Oddities) -> Record {
        let record = &mut self.record;
        self.is_rfc9990 |= record.disposition == Some(Disposition::Pass);
        for (name, code, field) in [
            (Name::SourceIp, "source-ip-missing", ""),
            (Name::Count, "count-missing", ""),
            (Name::Disposition, "disposition-missing", ""),
            (Name::Dkim, "evaluated-missing", "dkim"),
            (Name::Spf, "evaluated-missing", "spf"),
        ] {
            if self.seen & (1 << name as u64) == 0 {
                note(oddities, code, record.record_no, field);
            }
        }
        match &record.header_from {
            None => note(oddities, "header-from-missing", record.record_no, ""),
            Some(from) => align(from, modes, &mut record.dkim, &mut record.spf),
        }
        if contradicts(
            record.dkim_aligned,
            record.dkim.iter().map(|dkim| dkim.result),
        ) {
            note(
                oddities,
                "evaluated-contradicts-results",
                record.record_no,
                "dkim",
            );
        }
        if contradicts(record.spf_aligned, record.spf.iter().map(|spf| spf.result)) {
            note(
                oddities,
                "evaluated-contradicts-results",
                record.record_no,
                "spf",
            );
        }
        self.text_bytes = 0;
        std::mem::take(record)
    }
}

/// An evaluated pass without any raw pass, where there are raw results.
fn contradicts<'r>(aligned: bool, results: impl Iterator<Item = Option<&'r str>>) -> bool {
    let mut results = results.peekable();
    aligned && results.peek().is_some() && results.all(|result| result != Some("pass"))
}

fn align(from: &str, modes: Modes, dkim: &mut [DkimResult], spf: &mut [SpfResult]) {
    for result in dkim {
        let name = result.domain.as_deref().unwrap_or_default();
        result.aligned = is_aligned(name, from, modes.strict_dkim);
    }
    for result in spf {
        let name = result.domain.as_deref().unwrap_or_default();
        result.aligned = is_aligned(name, from, modes.strict_spf);
    }
}

/// As [`domain::aligned`]; names that differ in their last two labels need no look at the public suffix list.
fn is_aligned(name: &str, from: &str, strict: bool) -> bool {
    last_two_labels(name) == last_two_labels(from) && domain::aligned(name, from, strict)
}

fn last_two_labels(name: &str) -> &str {
    let mut dots = name
        .bytes()
        .enumerate()
        .rev()
        .filter(|(_, byte)| *byte == b'.');
    dots.nth(1).map_or(name, |(at, _)| &name[at + 1..])
}

/// Most lists have one entry: room for four would be taken from memory for each.
fn push<T>(list: &mut Vec<T>, entry: T) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(entry);
}

fn scope(text: &str) -> values::Read<Option<&'static str>> {
    if text.eq_ignore_ascii_case("mailfrom") {
        return (Some("mfrom"), Some("value-synonym"));
    }
    values::word(text, &["mfrom", "helo"])
}

fn take<T>(read: values::Read<T>, slot: &mut T) -> Option<&'static str> {
    *slot = read.0;
    read.1
}

fn take_domain(text: &str, slot: &mut Option<String>) -> Option<&'static str> {
    let (name, code) = values::domain_name(text);
    *slot = Some(name).filter(|name| !name.is_empty());
    code
}

fn note(oddities: &mut Oddities, code: &'static str, record_no: u64, text: &str) {
    oddities.note(code, || format!("record {record_no} {}", quote(text)));
}

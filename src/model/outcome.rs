//! How the reading of a document can end, and what was forgiven on the way.

use std::fmt;

/// Something a reader forgave. `code` is stable and documented; `detail` quotes the value, cut to 120 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// Kebab-case, such as `timestamp-milliseconds`.
    pub code: &'static str,
    /// What was seen; empty when the code says all.
    pub detail: String,
}

/// Input that was not taken in, with a stable code. Bad input is data, not an error of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Kebab-case, such as `gzip-corrupt` or `limit-ratio`. `not-a-report` is the one code that is not a refusal but
    /// an outcome of its own.
    pub code: &'static str,
    /// One sentence for a person, naming the thing and the way out where there is one; free of control characters.
    pub message: String,
}

impl Refusal {
    /// Code of input that is no report at all (an image, a plain mail, a bounce).
    pub const NOT_A_REPORT: &'static str = "not-a-report";

    /// Code of an item in the archive whose bytes were let go, because it held nothing but reports that are older than
    /// the retention; also an outcome of its own.
    pub const EXPIRED: &'static str = "expired";

    /// Code of a mail that comes again because its mailbox is read anew, and whose bytes were not kept the first time, as
    /// there was nothing like a report in them: a duplicate.
    pub const REPEATED: &'static str = "repeated-mail";

    /// The same of a mail whose bytes were not kept because it was over the limit.
    pub const REPEATED_REFUSAL: &'static str = "repeated-refusal";

    /// Code of a mail or file that is over the limit of one.
    pub const LIMIT_ITEM_BYTES: &'static str = "limit-item-bytes";

    /// A refusal.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The outcome that this refusal means.
    pub fn outcome(&self) -> Outcome {
        if self.code == Self::NOT_A_REPORT {
            Outcome::NotAReport
        } else {
            Outcome::Refused
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Refusal {}

/// The end of every document in the intake list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Counted.
    Accepted,
    /// The same bytes, or the same key with the same records, as an earlier document.
    Duplicate,
    /// The same key as an earlier report, with other records: kept, listed, not counted.
    Conflict,
    /// A valid report without messages; proves the reporter alive.
    NoTraffic,
    /// Nothing in it is a report.
    NotAReport,
    /// A report for a domain that the configuration does not name.
    Foreign,
    /// Older than the retention cut-off.
    Expired,
    /// Looks like a report and cannot be taken in; has a code.
    Refused,
}

impl Outcome {
    /// All outcomes in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Conflict,
        Self::NoTraffic,
        Self::NotAReport,
        Self::Foreign,
        Self::Expired,
        Self::Refused,
    ];

    /// The word used in tables, pages and the last line of `ingest`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::NoTraffic => "no-traffic",
            Self::NotAReport => "not-a-report",
            Self::Foreign => "foreign",
            Self::Expired => "expired",
            Self::Refused => "refused",
        }
    }
}

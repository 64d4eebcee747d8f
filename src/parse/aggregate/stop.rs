//! Why an attempt at reading a document ended before its end.

use crate::model::outcome::Refusal;

/// The end of an attempt. All but [`Stop::Refused`] may lead to another attempt from the first byte.
#[derive(Debug)]
pub(super) enum Stop {
    /// Bytes that are not in the assumed encoding.
    Encoding,
    /// Not well-formed, with what was seen.
    Malformed(String),
    /// Records came before the policy, and the policy changes what they say about alignment.
    Modes(Modes),
    /// Final.
    Refused(Refusal),
}

impl Stop {
    /// A final refusal.
    pub(super) fn refuse(code: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::new(code, message))
    }
}

/// The refusal of a document that lost its end.
pub(super) fn truncated() -> Stop {
    Stop::refuse(
        "xml-truncated",
        "the report ends in the middle, so records are lost; ask the reporter for a new one",
    )
}

/// Alignment modes of the published policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Modes {
    pub(super) strict_dkim: bool,
    pub(super) strict_spf: bool,
}

//! What is wrong with the answer of a rule.

use serde::{Deserialize, Serialize};

/// A kind of fault; those that take the whole answer away first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The database says that it cannot be asked.
    Failed,
    /// It was interrupted.
    TooSlow,
    /// It needs more memory than there is for it.
    TooMuchMemory,
    /// It gives more rows than there may be.
    TooManyRows,
    /// Rows without a day.
    NoDay,
    /// Rows without a subject.
    NoSubject,
    /// Rows about another domain than was asked about, or about none.
    OtherDomain,
    /// Rows whose subject is too long.
    LongSubject,
    /// Rows with a severity that is none.
    OddSeverity,
    /// Rows whose messages are no number.
    OddMessages,
    /// Rows whose end is no day.
    OddEndedDay,
    /// Rows with too much beside.
    WideFacts,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Failed,
        Self::TooSlow,
        Self::TooMuchMemory,
        Self::TooManyRows,
        Self::NoDay,
        Self::NoSubject,
        Self::OtherDomain,
        Self::LongSubject,
        Self::OddSeverity,
        Self::OddMessages,
        Self::OddEndedDay,
        Self::WideFacts,
    ];

    /// The word in tables and JSON. All that takes the whole answer away has the same: which of them it is can be a
    /// matter of the machine, and the ledger has the database's words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed | Self::TooSlow | Self::TooMuchMemory | Self::TooManyRows => "failed",
            Self::NoDay => "no_day",
            Self::NoSubject => "no_subject",
            Self::OtherDomain => "other_domain",
            Self::LongSubject => "long_subject",
            Self::OddSeverity => "odd_severity",
            Self::OddMessages => "odd_messages",
            Self::OddEndedDay => "odd_ended_day",
            Self::WideFacts => "wide_facts",
        }
    }

    /// Whether nothing of the answer counts.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Failed | Self::TooSlow | Self::TooMuchMemory | Self::TooManyRows
        )
    }

    /// What it means for those who read it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Failed | Self::TooSlow | Self::TooMuchMemory | Self::TooManyRows => {
                "it cannot be asked"
            }
            Self::NoDay => "rows that have no day were left out",
            Self::NoSubject => "rows that have no subject were left out",
            Self::OtherDomain => {
                "rows about another domain than was asked about, or about none, were left out"
            }
            Self::LongSubject => "subjects of more than 1,024 characters were cut",
            Self::OddSeverity => {
                "rows with a severity that is none of info, warning and critical have that of the rule"
            }
            Self::OddMessages => "rows whose messages are no number count none",
            Self::OddEndedDay => "rows whose ended_day is no day do not end",
            Self::WideFacts => "facts of more than 16 KiB in one row were left out",
        }
    }
}

/// A fault of a rule, as what is published has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFault {
    /// Name of the query in `queries/alerts`.
    pub rule: String,
    /// One of [`Fault::as_str`].
    pub fault: String,
    /// Whether nothing of its answer counts: it has no alerts until it can be asked.
    pub is_failure: bool,
    /// Rows concerned; `None` where that is not what it is about.
    pub rows: Option<i64>,
    /// What is wrong, for people; where the database said it, in its words. Holds strangers' text.
    pub problem: String,
}

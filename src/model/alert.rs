//! Alerts: what a rule found, how grave it is, and what people did about it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::day::Day;

/// How grave an alert is, the least first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// A person should look at it.
    Warning,
    /// A person should look at it today.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The word in tables, pages and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == word)
            .ok_or(())
    }
}

/// How an alert stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Nobody has looked at it.
    #[default]
    Open,
    /// Somebody knows of it; it opens again when it gets graver.
    Acknowledged,
    /// Done with, by a person or by time; new evidence opens it again.
    Resolved,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Resolved];

    /// The word in tables, pages and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an alert is resolved, or stands as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A person said so.
    Person,
    /// There was no evidence for long.
    Quiet,
    /// The rule says that it is over.
    Ended,
    /// It is not found any more: later reports or the configuration took all its evidence away.
    Withdrawn,
    /// Its rule is not asked any more.
    RuleOff,
    /// Its rule cannot be asked, so nobody knows: it stands as people left it, whether resolved or not.
    RuleFailed,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Person,
        Self::Quiet,
        Self::Ended,
        Self::Withdrawn,
        Self::RuleOff,
        Self::RuleFailed,
    ];

    /// The word in tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Quiet => "quiet",
            Self::Ended => "ended",
            Self::Withdrawn => "withdrawn",
            Self::RuleOff => "rule-off",
            Self::RuleFailed => "rule-failed",
        }
    }
}

/// What a person can do with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Says that it is known; holds until it gets graver.
    Ack,
    /// Says that it is done with; holds until there is newer evidence.
    Resolve,
    /// Takes both back.
    Reopen,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ack, Self::Resolve, Self::Reopen];

    /// The word in paths, commands and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Resolve => "resolve",
            Self::Reopen => "reopen",
        }
    }
}

/// What was done with an alert, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// Number of the ledger's line.
    pub seq: u64,
    /// When, seconds since 1970 UTC.
    pub at_utc_secs: i64,
    /// What.
    pub action: Action,
    /// How grave the alert was.
    pub severity: Severity,
    /// How it stood; `None` where that was not noted.
    pub status: Option<Status>,
    /// The last day of its evidence at that time.
    pub last_day: Day,
    /// What the person had to say. A person's text.
    pub note: Option<String>,
}

/// A day on which a rule found something: a row of table `alert_days`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// UTC day.
    pub day: Day,
    /// How grave.
    pub severity: Severity,
    /// Messages concerned.
    pub messages: i64,
    /// The day from which it is over, where the rule can tell.
    pub ended_day: Option<Day>,
}

/// What the configuration says of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleSettings {
    /// Line in the configuration, from 1.
    pub line: usize,
    /// Not asked at all.
    pub is_off: bool,
    /// How grave all its alerts are, in the place of what the rule says.
    pub severity: Option<Severity>,
    /// Values of its parameters: name, line, text.
    pub params: Vec<(String, usize, String)>,
}

/// What messages and pages say of an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// 32 hex digits: hash of rule, domain and subject; the same for the life of the alert.
    pub id: String,
    /// Name of the query in `queries/alerts`.
    pub rule: String,
    /// Policy domain; `None` for a finding about the whole.
    pub domain: Option<String>,
    /// What it is about: an address, a sender, a reporter, … A stranger's text.
    pub subject: String,
    /// How grave it is at present.
    pub severity: Severity,
    /// How it stands.
    pub status: Status,
    /// First UTC day of its evidence.
    #[serde(with = "super::day::iso")]
    pub first_day: Day,
    /// Last UTC day of its evidence.
    #[serde(with = "super::day::iso")]
    pub last_day: Day,
    /// Messages concerned; 0 where none are.
    pub messages: i64,
    /// One line for people. Holds strangers' text.
    pub title: String,
    /// The values behind it by name, as the rule gave them. Holds strangers' text.
    pub facts: BTreeMap<String, serde_json::Value>,
    /// What to do next, in plain sentences. Holds strangers' text.
    pub advice: Vec<String>,
}

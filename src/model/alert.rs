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

/// What messages and pages say of an alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// 16 hex digits: hash of rule, domain and subject; the same for the life of the alert.
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

//! `/alerts` and `/alerts/{id}`: what was found, what to do, and the forms that say what was done.
//!
//! A page is a function of what is published of an alert ([`AlertFile`]), its panels, and what the ledger says. So the
//! server draws the same page again where somebody acted since the publication.

mod draw;
mod forms;
mod list;
mod page;
mod question;

use serde::{Deserialize, Serialize};

pub use draw::listed;
pub use list::{AlertCount, AlertList, Listed, list_page};
pub use page::page;
pub use question::AlertQuestion;

use crate::model::alert::{Acted, Action, Alert, Evidence, Reason, Severity};
use crate::model::day::Day;

/// Alerts that have a file of their own; of more than these, those that want nobody go first, the oldest of them. The
/// server draws the pages of the others when somebody asks for them.
pub const MOST_ALERTS: usize = 1_000;

/// Where the JSON of an alert lies in a generation: `/api/alerts/{id}`.
pub fn json_path(id: &str) -> String {
    format!("site/api/alerts/{id}.json")
}

/// Where the page of an alert lies in a generation.
pub fn page_path(id: &str) -> String {
    format!("site/alerts/{id}.html")
}

/// Where the panels of an alert lie in a generation, apart from its page: the server puts them into a page of its own.
pub fn panels_path(id: &str) -> String {
    format!("alerts/{id}.html")
}

/// Everything that is published of an alert, panels aside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFile {
    /// What is said of it.
    #[serde(flatten)]
    pub alert: Alert,
    /// Why it is resolved.
    pub reason: Option<Reason>,
    /// How often it came up; 0 where later reports took all evidence away.
    pub occurrences: u64,
    /// Days of evidence in order, the newest 400.
    pub evidence: Vec<EvidenceDay>,
    /// What people did, in order.
    pub actions: Vec<Done>,
}

/// A day of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceDay {
    /// UTC day.
    #[serde(with = "crate::model::day::iso")]
    pub day: Day,
    /// How grave.
    pub severity: Severity,
    /// Messages concerned.
    pub messages: i64,
    /// The day from which it is over, where the rule can tell.
    #[serde(with = "crate::model::day::iso_option", default)]
    pub ended_day: Option<Day>,
}

/// Something that a person did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Number of the ledger's line.
    pub seq: u64,
    /// When, seconds since 1970 UTC.
    pub at_utc_secs: i64,
    /// What.
    pub action: Action,
    /// How grave the alert was.
    pub severity: Severity,
    /// The last day of its evidence at that time.
    #[serde(with = "crate::model::day::iso")]
    pub last_day: Day,
    /// What the person had to say.
    pub note: Option<String>,
}

impl From<&EvidenceDay> for Evidence {
    fn from(day: &EvidenceDay) -> Self {
        Self {
            day: day.day,
            severity: day.severity,
            messages: day.messages,
            ended_day: day.ended_day,
        }
    }
}

impl From<&Acted> for Done {
    fn from(acted: &Acted) -> Self {
        Self {
            seq: acted.seq,
            at_utc_secs: acted.at_utc_secs,
            action: acted.action,
            severity: acted.severity,
            last_day: acted.last_day,
            note: acted.note.clone(),
        }
    }
}

impl AlertFile {
    /// Why nobody can do anything with an alert without evidence.
    pub fn gone_words(&self) -> &'static str {
        match self.reason {
            Some(Reason::RuleOff) => "its rule is switched off",
            _ => {
                "it is no longer found, because later reports or the configuration took its evidence away"
            }
        }
    }

    /// The bytes of [`json_path`].
    pub fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        super::json::to_bytes(self)
    }
}

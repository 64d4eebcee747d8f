//! What people did with alerts, when mailboxes could not be read and rules not be asked: what shapes alerts beside the tables.

use serde::{Deserialize, Serialize};

use super::view::View;
use super::{Entry, Event};
use crate::model::alert::{Acted, Action, Severity, Status};
use crate::model::day::Day;

/// An action on an alert, and what the alert was like: later reports may take its evidence away, and what was done stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertActed {
    /// Id of the alert.
    pub id: String,
    /// What was done.
    pub action: Action,
    /// Rule that found it.
    pub rule: String,
    /// Policy domain; `None` for a finding about the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What it is about.
    pub subject: String,
    /// Its line for people.
    pub title: String,
    /// How grave it was.
    pub severity: Severity,
    /// How it stood; `None` in lines of old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// First day of its evidence.
    #[serde(with = "crate::model::day::iso")]
    pub first_day: Day,
    /// Last day of its evidence.
    #[serde(with = "crate::model::day::iso")]
    pub last_day: Day,
    /// What the person had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// All that was done with one alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertLine {
    /// What the alert was like at the last action.
    pub last: AlertActed,
    /// The actions in their order.
    pub actions: Vec<Acted>,
}

/// A time in which a mailbox could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Name of the configured inbox.
    pub inbox: String,
    /// When it was last read, or when it was noted first, seconds since 1970 UTC.
    pub since_utc_secs: i64,
    /// When it could be read again; `None`: it still cannot.
    pub until_utc_secs: Option<i64>,
    /// When it was last found that it cannot, seconds since 1970 UTC.
    pub last_utc_secs: i64,
    /// What the server said last.
    pub error: String,
    /// Trying again is of no use until a person mends something.
    pub needs_a_person: bool,
}

/// A time in which a rule could not be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleOutage {
    /// Number of the last line about it.
    pub seq: u64,
    /// Name of the query in `queries/alerts`.
    pub rule: String,
    /// The day for which things were judged when it failed first.
    pub since_day: Day,
    /// That of when it could be asked again, or was not asked any more; `None`: it still fails.
    pub until_day: Option<Day>,
    /// File, line where it is known, and what the database says. May quote strangers.
    pub problem: String,
}

impl Event {
    /// Whether alerts depend on it.
    pub fn shapes_alerts(&self) -> bool {
        matches!(
            self,
            Self::AlertActed(_)
                | Self::MailboxUnreachable { .. }
                | Self::MailboxReached { .. }
                | Self::RuleFailed { .. }
                | Self::RuleMended { .. }
        )
    }
}

impl View {
    pub(super) fn apply_to_alerts(&mut self, entry: &Entry, event: &Event) {
        if event.shapes_alerts() {
            self.last_alert_seq = entry.seq;
        }
        match event {
            Event::AlertActed(acted) => self.acted(entry, acted),
            Event::MailboxUnreachable {
                inbox,
                since_utc_secs,
                error,
                needs_a_person,
            } => self.unreachable(Outage {
                inbox: inbox.clone(),
                since_utc_secs: *since_utc_secs,
                until_utc_secs: None,
                last_utc_secs: entry.at_utc_secs.max(*since_utc_secs),
                error: error.clone(),
                needs_a_person: *needs_a_person,
            }),
            Event::MailboxReached { inbox } => {
                if let Some(outage) = self.open_outage(inbox) {
                    outage.until_utc_secs = Some(entry.at_utc_secs.max(outage.since_utc_secs));
                }
            }
            Event::RuleFailed { rule, day, problem } => self.failed(RuleOutage {
                seq: entry.seq,
                rule: rule.clone(),
                since_day: *day,
                until_day: None,
                problem: problem.clone(),
            }),
            Event::RuleMended { rule, day } => {
                if let Some(outage) = self.open_rule_outage(rule) {
                    outage.seq = entry.seq;
                    outage.until_day = Some((*day).max(outage.since_day));
                }
            }
            _ => {}
        }
    }

    /// One that goes on has one row, however often its problem changes.
    fn failed(&mut self, now: RuleOutage) {
        if let Some(outage) = self.open_rule_outage(&now.rule) {
            let since_day = outage.since_day;
            *outage = RuleOutage { since_day, ..now };
        } else {
            self.rule_outages.push(now);
        }
    }

    fn open_rule_outage(&mut self, rule: &str) -> Option<&mut RuleOutage> {
        let mut outages = self.rule_outages.iter_mut().rev();
        outages.find(|outage| outage.rule == rule && outage.until_day.is_none())
    }

    /// Rules that cannot be asked at present.
    pub fn failing_rules(&self) -> impl Iterator<Item = &RuleOutage> {
        let outages = self.rule_outages.iter();
        outages.filter(|outage| outage.until_day.is_none())
    }

    fn acted(&mut self, entry: &Entry, acted: &AlertActed) {
        let done = Acted {
            seq: entry.seq,
            at_utc_secs: entry.at_utc_secs,
            action: acted.action,
            severity: acted.severity,
            status: acted.status,
            last_day: acted.last_day,
            note: acted.note.clone(),
        };
        let line = self
            .alerts
            .entry(acted.id.clone())
            .or_insert_with(|| AlertLine {
                last: acted.clone(),
                actions: Vec::new(),
            });
        line.last = acted.clone();
        line.actions.push(done);
    }

    /// One that goes on has one row, however often it is noted.
    fn unreachable(&mut self, now: Outage) {
        if let Some(outage) = self.open_outage(&now.inbox) {
            let since_utc_secs = outage.since_utc_secs;
            *outage = Outage {
                since_utc_secs,
                ..now
            };
        } else {
            self.outages.push(now);
        }
    }

    fn open_outage(&mut self, inbox: &str) -> Option<&mut Outage> {
        let mut outages = self.outages.iter_mut().rev();
        outages.find(|outage| outage.inbox == inbox && outage.until_utc_secs.is_none())
    }
}

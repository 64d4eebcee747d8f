//! The days of an alert and what people did -> how it stands.

use crate::model::alert::{Acted, Action, Evidence, Reason, Severity, Status};
use crate::model::day::{Day, days_after};

/// How an alert stands at a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Open, acknowledged or resolved.
    pub status: Status,
    /// Why it is resolved; `None` where it is not.
    pub reason: Option<Reason>,
    /// The gravest of the days that it is about at present.
    pub severity: Severity,
    /// Those days: a range of indices into its evidence. Earlier days are history.
    pub days: std::ops::Range<usize>,
    /// How often it came up, the present time among them.
    pub occurrences: usize,
}

/// Folds the evidence (in the order of days) and the actions (in the order of the ledger) of one alert. Evidence that is
/// more than `resolve_after_days` days apart, or behind a day that a resolution covered, is another occurrence; 0 days
/// means that time resolves nothing.
///
/// An action is about the evidence that its person saw: it neither takes back what was said of an earlier occurrence,
/// nor says something of a later one.
pub fn fold(
    evidence: &[Evidence],
    actions: &[Acted],
    as_of: Day,
    resolve_after_days: u64,
) -> State {
    let said = Said::of(actions);
    let starts = starts(evidence, &said.covered, resolve_after_days);
    let Some(last) = evidence.last() else {
        let severity = actions
            .last()
            .map_or(Severity::Info, |acted| acted.severity);
        return State {
            status: Status::Resolved,
            reason: Some(Reason::Withdrawn),
            severity,
            days: 0..0,
            occurrences: 0,
        };
    };
    let first = starts.last().copied().unwrap_or(0);
    let days = first..evidence.len();
    let current = &evidence[days.clone()];
    let severity = current
        .iter()
        .map(|day| day.severity)
        .max()
        .unwrap_or_default();
    let is_quiet = resolve_after_days > 0 && days_after(last.day, resolve_after_days) < as_of;
    let has_ended = last.ended_day.is_some_and(|day| day <= as_of);
    let is_acknowledged = said.acknowledged.is_some_and(|(known, day)| {
        known >= severity && current.first().is_some_and(|first| day >= first.day)
    });
    // Of this occurrence, not of one before.
    let is_held =
        (said.held).is_some_and(|day| current.first().is_some_and(|first| day >= first.day));
    let (status, reason) = if said.covers(last.day) {
        (Status::Resolved, Some(Reason::Person))
    } else if has_ended && !is_held {
        (Status::Resolved, Some(Reason::Ended))
    } else if is_quiet && !is_held {
        (Status::Resolved, Some(Reason::Quiet))
    } else if is_acknowledged {
        (Status::Acknowledged, None)
    } else {
        (Status::Open, None)
    };
    State {
        status,
        reason,
        severity,
        days,
        occurrences: starts.len(),
    }
}

/// Where occurrences begin.
fn starts(evidence: &[Evidence], covered: &[Day], resolve_after_days: u64) -> Vec<usize> {
    let mut starts = Vec::new();
    for (at, day) in evidence.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| evidence.get(before));
        let begins = before.is_none_or(|before| {
            let is_apart =
                resolve_after_days > 0 && days_after(before.day, resolve_after_days) < day.day;
            let next = covered.partition_point(|covered| *covered < before.day);
            let is_behind = covered.get(next).is_some_and(|covered| day.day > *covered);
            is_apart || is_behind
        });
        if begins {
            starts.push(at);
        }
    }
    starts
}

/// What people said, up to the last word.
#[derive(Default)]
struct Said {
    /// Evidence up to each of these days is done with, rising: the ends of occurrences that a person resolved.
    covered: Vec<Day>,
    /// Known at this severity, by evidence up to this day.
    acknowledged: Option<(Severity, Day)>,
    /// Was resolved, and was reopened with evidence up to this day: stays open until a person says otherwise.
    held: Option<Day>,
}

impl Said {
    fn of(actions: &[Acted]) -> Self {
        let mut said = Self::default();
        for acted in actions {
            match acted.action {
                Action::Ack => said.acknowledged = Some((acted.severity, acted.last_day)),
                Action::Resolve => {
                    // Another word on what is resolved already moves nothing.
                    if !said.covers(acted.last_day) {
                        said.covered.push(acted.last_day);
                    }
                    said.acknowledged = None;
                    said.held = None;
                }
                Action::Reopen => {
                    // What was resolved before the evidence that is wanted again stays resolved.
                    said.covered.retain(|covered| *covered < acted.last_day);
                    said.acknowledged = None;
                    // Time goes on for what is open or known: only what was resolved is wanted open.
                    if acted.status.is_none_or(|was| was == Status::Resolved) {
                        said.held = Some(acted.last_day);
                    }
                }
            }
        }
        said
    }

    fn covers(&self, day: Day) -> bool {
        self.covered.last().is_some_and(|covered| day <= *covered)
    }
}

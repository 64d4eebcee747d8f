//! What became of the alerts of a message while it waited, and messages that wait together.

use std::collections::{BTreeMap, BTreeSet};

use super::Round;
use super::compose::named;
use super::due::MOST_ALERTS;
use crate::ledger::{AlertTold, NoticePlanned};
use crate::model::alert::{Alert, Status};
use crate::model::notice::NoticeKind;

/// Gives alerts by their ids in full, as they stand now; those that are no more are left out.
pub type Find<'a> = &'a mut dyn FnMut(&[&str]) -> Result<Vec<Alert>, String>;

/// The alerts of a planned message as they stand.
pub(super) struct Standing {
    /// Those that it names, in full.
    pub(super) found: BTreeMap<String, Alert>,
    /// Those of all its alerts that are still open, in its order.
    pub(super) open: Vec<AlertTold>,
    /// How many of these it only counts.
    pub(super) more: usize,
    /// Those whose rule cannot be asked: how they stand nobody knows.
    pub(super) unknown: Vec<AlertTold>,
}

/// Whether the rule of an alert cannot be asked.
pub(super) fn is_unknown(round: &Round<'_>, told: &AlertTold) -> bool {
    round.failing_rules.contains(&told.rule)
}

/// Whether a message is about nothing but alerts whose rules cannot be asked.
pub(super) fn waits_for_rules(round: &Round<'_>, owed: &NoticePlanned) -> bool {
    owed.kind == NoticeKind::Alerts && owed.alerts.iter().all(|told| is_unknown(round, told))
}

/// Looks at the alerts of a message. One that somebody knows of meanwhile, or that is over, needs nobody any more.
pub(super) fn standing(
    round: &Round<'_>,
    planned: &NoticePlanned,
    find: Find<'_>,
) -> Result<Standing, String> {
    let is_open = |alert: &Alert| alert.status == Status::Open;
    let open: BTreeSet<&str> = round
        .alerts
        .iter()
        .filter(|alert| is_open(alert))
        .map(|alert| alert.id.as_str())
        .collect();
    let names = named(planned);
    let counted = planned.alerts.iter().skip(names.len());
    // The round may be about the gravest alone.
    let unknown = counted.filter(|told| !open.contains(told.id.as_str()));
    let mut asked: Vec<&str> = names.iter().chain(unknown).map(|t| t.id.as_str()).collect();
    asked.sort_unstable();
    asked.dedup();
    let mut found = by_id(find(&asked)?);
    let asked: BTreeSet<&str> = asked.into_iter().collect();
    let is_left = |told: &&AlertTold| match asked.contains(told.id.as_str()) {
        true => found.get(&told.id).is_some_and(is_open),
        false => open.contains(told.id.as_str()),
    };
    let (unknown, known): (Vec<&AlertTold>, Vec<&AlertTold>) =
        (planned.alerts.iter()).partition(|told| is_unknown(round, told));
    let open: Vec<AlertTold> = known.into_iter().filter(is_left).cloned().collect();
    // Those move up that were only counted.
    let is_new = |told: &&AlertTold| !found.contains_key(&told.id);
    let up = open.iter().take(names.len()).filter(is_new);
    let up: Vec<&str> = up.map(|told| told.id.as_str()).collect();
    if !up.is_empty() {
        found.extend(by_id(find(&up)?));
    }
    Ok(Standing {
        more: open.len().saturating_sub(names.len()),
        unknown: unknown.into_iter().cloned().collect(),
        open,
        found,
    })
}

fn by_id(alerts: Vec<Alert>) -> BTreeMap<String, Alert> {
    let alerts = alerts.into_iter();
    alerts.map(|alert| (alert.id.clone(), alert)).collect()
}

/// Messages about alerts that wait: one tells of all of theirs. What may have been on its way already stays as it is.
pub(super) fn together<'a>(
    owed: impl Iterator<Item = &'a NoticePlanned>,
) -> Option<(Vec<&'a NoticePlanned>, Vec<AlertTold>)> {
    let mut plans = Vec::new();
    let mut alerts: BTreeMap<&str, AlertTold> = BTreeMap::new();
    for planned in owed.filter(|owed| owed.held && owed.kind == NoticeKind::Alerts) {
        if !plans.is_empty() && alerts.len() + planned.alerts.len() > MOST_ALERTS {
            break;
        }
        for told in &planned.alerts {
            let first = alerts.get(told.id.as_str()).map(|first| first.occasion);
            let occasion = first.unwrap_or(told.occasion);
            alerts.insert(
                &told.id,
                AlertTold {
                    occasion,
                    ..told.clone()
                },
            );
        }
        plans.push(planned);
    }
    let mut alerts: Vec<AlertTold> = alerts.into_values().collect();
    alerts.sort_by(|a, b| (b.severity, b.last_day, &a.id).cmp(&(a.severity, a.last_day, &b.id)));
    (plans.len() > 1).then_some((plans, alerts))
}

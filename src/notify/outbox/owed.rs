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
    let found: BTreeMap<String, Alert> = find(&asked)?
        .into_iter()
        .map(|alert| (alert.id.clone(), alert))
        .collect();
    let asked: BTreeSet<&str> = asked.into_iter().collect();
    let is_left = |told: &&AlertTold| match asked.contains(told.id.as_str()) {
        true => found.get(&told.id).is_some_and(is_open),
        false => open.contains(told.id.as_str()),
    };
    Ok(Standing {
        open: planned.alerts.iter().filter(is_left).cloned().collect(),
        found,
    })
}

/// Messages about alerts that have waited behind another one: one message tells of all of theirs. What is sent first
/// stays as it is, because it may have been on its way already.
pub(super) fn together(owed: &[NoticePlanned]) -> Option<(Vec<&NoticePlanned>, Vec<AlertTold>)> {
    let mut plans = Vec::new();
    let mut alerts: BTreeMap<&str, AlertTold> = BTreeMap::new();
    let waiting = owed.iter().filter(|owed| owed.kind == NoticeKind::Alerts);
    for planned in waiting.skip(1) {
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

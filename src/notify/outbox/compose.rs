//! What was planned -> a notice.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::Round;
use crate::ledger::{AlertTold, NoticePlanned};
use crate::model::alert::Alert;
use crate::model::hex::hex;
use crate::model::notice::{AlertNotice, NoticeKind, Occasion, Told};

/// A message about alerts: `found` is how those stand that it names.
pub(super) fn alert_notice(
    round: &Round<'_>,
    planned: &NoticePlanned,
    found: &BTreeMap<String, Alert>,
) -> AlertNotice {
    let alerts = named(planned).iter().filter_map(|one| {
        let alert = found.get(&one.id)?.clone();
        Some(told(round, one, alert))
    });
    AlertNotice {
        key: planned.key.clone(),
        at_utc_secs: planned.date_utc_secs,
        alerts: alerts.collect(),
        more: planned.more,
    }
}

/// The alerts that a message names; it counts the others.
pub(super) fn named(planned: &NoticePlanned) -> &[AlertTold] {
    let named = planned.alerts.len().saturating_sub(planned.more);
    planned.alerts.get(..named).unwrap_or_default()
}

/// As grave, and up to the day, that it was when the message was planned.
fn told(round: &Round<'_>, told: &AlertTold, mut alert: Alert) -> Told {
    alert.severity = told.severity;
    alert.last_day = told.last_day;
    Told {
        url: round
            .base_url
            .map(|base| format!("{base}/alerts/{}", alert.id)),
        alert,
        occasion: told.occasion,
    }
}

/// Names a message: the same composition at another place of the ledger is another one.
pub(super) fn key(
    channel: &str,
    kind: NoticeKind,
    at_utc_secs: i64,
    alerts: &[AlertTold],
    position: u64,
) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update(format!("{} ", text.len()));
        hash.update(text);
    };
    field(channel);
    field(kind.as_str());
    field(&at_utc_secs.to_string());
    field(&position.to_string());
    for told in alerts {
        field(&told.id);
        field(told.severity.as_str());
        field(&told.last_day.to_string());
        field(match told.occasion {
            Occasion::New => "new",
            Occasion::Graver => "graver",
            Occasion::Reopened => "reopened",
        });
    }
    hex(&hash.finalize()[..16])
}

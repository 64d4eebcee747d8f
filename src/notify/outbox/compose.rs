//! What was planned -> a notice, the same each time as far as the alerts are still known.

use sha2::{Digest as _, Sha256};

use super::Round;
use crate::ledger::{AlertTold, NoticePlanned};
use crate::model::alert::Alert;
use crate::model::hex::hex;
use crate::model::notice::{AlertNotice, NoticeKind, Occasion, Told};

/// A message about alerts.
pub(super) fn alert_notice(round: &Round<'_>, planned: &NoticePlanned) -> AlertNotice {
    let named = planned.alerts.len().saturating_sub(planned.more);
    let alerts = planned.alerts.iter().take(named);
    AlertNotice {
        key: planned.key.clone(),
        at_utc_secs: planned.date_utc_secs,
        alerts: alerts.map(|one| told(round, one)).collect(),
        more: planned.more,
    }
}

/// An alert as it was when the message was planned, as far as that is known.
fn told(round: &Round<'_>, told: &AlertTold) -> Told {
    let found = round.alerts.iter().find(|alert| alert.id == told.id);
    let mut alert = found.cloned().unwrap_or_else(|| Alert {
        id: told.id.clone(),
        first_day: told.last_day,
        title: "An alert that newer reports have withdrawn".to_owned(),
        ..Alert::default()
    });
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

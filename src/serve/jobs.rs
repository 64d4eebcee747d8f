//! Import jobs as JSON.

use serde_json::{Map, Value, json};

use super::status::rfc3339;
use crate::model::outcome::Outcome;
use crate::model::standing::{Job, JobState};

/// A job.
pub(crate) fn json(job: &Job) -> Value {
    let mut counts = Map::new();
    counts.insert("seen".to_owned(), job.seen.into());
    for outcome in Outcome::ALL {
        counts.insert(count_name(outcome).to_owned(), job.count(outcome).into());
    }
    let is_running = job.state == JobState::Running;
    json!({
        "id": (!job.id.is_empty()).then_some(&job.id),
        "kind": job.kind,
        "parameters": job.parameters,
        "state": job.state.as_str(),
        "requested_at": job.requested.map(rfc3339),
        "started_at": job.started.map(rfc3339),
        "duration_ms": job.duration_ms,
        "counts": counts,
        "progress": is_running.then(|| json!({ "archived": job.archived, "wanted": job.wanted })),
        "error": job.error,
        "detail": job.detail,
    })
}

/// Counts are plural.
fn count_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Duplicate => "duplicates",
        Outcome::Conflict => "conflicts",
        Outcome::NoTraffic => "no_traffic",
        Outcome::NotAReport => "not_reports",
        Outcome::Foreign => "foreign",
        Outcome::Expired => "expired",
        Outcome::Refused => "refused",
    }
}

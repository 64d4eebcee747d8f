//! How things stand, as JSON: `/health`, `/api/status`, and the homepage JSON with the time of the last check.

use chrono::{DateTime, SecondsFormat, Utc};
use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::jobs;
use super::published::Current;
use crate::model::standing::{ChannelStatus, Health, Mailbox, Standing};
use crate::render::homepage;

/// What was published cannot be read; the log says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// What is published; `None` before the first time.
pub(crate) type Published<'a> = Result<Option<&'a Current>, Unreadable>;

/// `ok`, `degraded`, `failing` or `starting`: the worst that holds. Who waits for the first publication while nothing
/// can be fetched waits for ever.
pub(crate) fn health_word(
    is_published: Result<bool, Unreadable>,
    standing: &Standing,
) -> &'static str {
    match (is_published, standing.health) {
        (Err(Unreadable), _) | (_, Health::Failing) => "failing",
        (Ok(false), _) => "starting",
        (Ok(true), Health::Degraded) => "degraded",
        (Ok(true), Health::Ok) => "ok",
    }
}

/// Public: says how it goes and no more.
pub(crate) fn health(word: &'static str) -> Answer {
    let status = match word {
        "ok" | "degraded" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Answer::state(status, &json!({ "status": word }))
}

/// What is published and how old it is, and how fetching goes.
pub(crate) fn status(
    published: Published<'_>,
    standing: &Standing,
    last_check: Option<DateTime<Utc>>,
    now_utc: DateTime<Utc>,
) -> Answer {
    let current = published.ok().flatten();
    let word = health_word(published.map(|current| current.is_some()), standing);
    let inboxes: Vec<Value> = standing.mailboxes.iter().map(mailbox).collect();
    let run_error = standing.run_error.as_ref();
    let value = json!({
        "status": word,
        "health": word,
        "reasons": reasons(published, standing),
        "generation": current.map(|c| c.generation.number),
        "as_of": current.map(|c| c.generation.manifest.values.as_of.to_string()),
        "archive_position": current.map(|c| c.generation.manifest.values.archive_position),
        "published_at": current.map(|c| rfc3339(c.published_utc)),
        "age_secs": current.map(|c| (now_utc - c.published_utc).num_seconds().max(0)),
        "last_check_at": last_check.map(rfc3339),
        "inboxes": inboxes,
        "channels": standing.channels.iter().map(channel).collect::<Vec<_>>(),
        "low_disk": standing.low_disk,
        "disk_error": standing.disk_error,
        "run_failures": standing.run_failures,
        "last_run_error": run_error.map(|(_, error)| error),
        "last_run_error_at": run_error.map(|(at, _)| rfc3339(*at)),
        "heartbeat_error": standing.heartbeat_error,
        "failing_rules": standing.failing_rules.iter().map(failing_rule).collect::<Vec<_>>(),
        "owed_jobs": standing.owed_jobs,
        "running_job": standing.running.as_ref().map(jobs::json),
    });
    Answer::state(StatusCode::OK, &value)
}

fn mailbox(mailbox: &Mailbox) -> Value {
    let folders = mailbox.folders.iter().map(|folder| {
        json!({
            "folder": folder.name,
            "uidvalidity": folder.uidvalidity,
            "uid": folder.uid,
            "messages": folder.messages,
        })
    });
    json!({
        "name": mailbox.name,
        "state": mailbox.state.as_str(),
        "failures": mailbox.failures,
        "last_success_at": mailbox.last_success.map(rfc3339),
        "last_error_at": mailbox.last_error.as_ref().map(|(at, _)| rfc3339(*at)),
        "last_error": mailbox.last_error.as_ref().map(|(_, error)| error),
        "next_try_at": mailbox.next_try.map(rfc3339),
        "is_watched": mailbox.is_watched,
        "messages": mailbox.messages(),
        "folders": folders.collect::<Vec<_>>(),
    })
}

fn channel(channel: &ChannelStatus) -> Value {
    json!({
        "name": channel.name,
        "kind": channel.kind,
        "failures": channel.failures,
        "last_success_at": channel.last_success.map(rfc3339),
        "last_error_at": channel.last_error.as_ref().map(|(at, _)| rfc3339(*at)),
        "last_error": channel.last_error.as_ref().map(|(_, error)| error),
        "next_try_at": channel.next_try.map(rfc3339),
        "waiting": channel.waiting,
    })
}

fn failing_rule((rule, problem): &(String, String)) -> Value {
    json!({ "rule": rule, "problem": problem })
}

/// Why it is not well, in words.
fn reasons(published: Published<'_>, standing: &Standing) -> Vec<String> {
    let mut reasons = Vec::new();
    match published {
        Err(Unreadable) => reasons.push("what was published cannot be read".to_owned()),
        Ok(None) => reasons.push("nothing is published yet".to_owned()),
        Ok(Some(_)) => {}
    }
    if let Some(words) = &standing.low_disk {
        reasons.push(format!("nothing is fetched: {words}"));
    }
    if let Some(error) = &standing.disk_error {
        reasons.push(format!("how full the disk is cannot be told: {error}"));
    }
    if standing.run_failures > 0 {
        let times = standing.run_failures;
        reasons.push(format!("runs failed {times} time(s) in a row"));
    }
    for mailbox in standing
        .mailboxes
        .iter()
        .filter(|mailbox| mailbox.failures > 0)
    {
        let Mailbox { name, failures, .. } = mailbox;
        reasons.push(format!(
            "inbox \"{name}\" failed {failures} time(s) in a row"
        ));
    }
    for channel in (standing.channels.iter()).filter(|channel| channel.failures > 0) {
        let ChannelStatus { name, failures, .. } = channel;
        reasons.push(format!(
            "channel \"{name}\" failed {failures} time(s) in a row"
        ));
    }
    for (rule, _) in &standing.failing_rules {
        reasons.push(format!(
            "the rule {rule} cannot be asked: its alerts are not shown"
        ));
    }
    if standing.heartbeat_error.is_some() {
        reasons.push("the heartbeat address cannot be called".to_owned());
    }
    reasons
}

/// The published homepage JSON with `last_check_at` of the last run, at the top and in each domain. Unknown stays as
/// published.
pub(crate) fn homepage_with_last_check(
    published: &[u8],
    last_check: Option<DateTime<Utc>>,
) -> anyhow::Result<Vec<u8>> {
    match last_check {
        Some(last_check) => homepage::with_last_check(published, &rfc3339(last_check)),
        None => Ok(published.to_vec()),
    }
}

/// An instant to the second.
pub(crate) fn rfc3339(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_check_is_put_into_published_json_and_nothing_else_changes() {
        let mut page = homepage::Homepage::default();
        page.totals.status = "ok".to_owned();
        page.domains.push(homepage::DomainTotals::default());
        let published = serde_json::to_string(&page).unwrap();
        let at = DateTime::from_timestamp(1_700_000_000, 0);
        let found = homepage_with_last_check(published.as_bytes(), at).unwrap();
        let expect = published.replace(
            "\"last_check_at\":\"\"",
            "\"last_check_at\":\"2023-11-14T22:13:20Z\"",
        );
        assert_eq!(String::from_utf8(found).unwrap().trim_end(), expect);
        assert!(expect.starts_with("{\"status\":\"ok\""), "{expect}");
    }

    #[test]
    fn an_unknown_last_check_leaves_the_bytes_alone() {
        assert_eq!(homepage_with_last_check(b"{ }", None).unwrap(), b"{ }");
    }

    #[test]
    fn damaged_homepage_json_is_an_error_not_an_empty_answer() {
        assert!(homepage_with_last_check(b"[", DateTime::from_timestamp(0, 0)).is_err());
    }
}

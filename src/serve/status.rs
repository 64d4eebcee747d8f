//! Routes that are not files: `/health`, `/api/status`, and the homepage JSON with the time of the last check.

use chrono::{DateTime, SecondsFormat, Utc};
use hyper::StatusCode;
use serde_json::json;

use super::answer::Answer;
use super::published::Current;
use crate::render::homepage;

/// Public: says that it works and no more.
pub(crate) fn health(current: &Result<bool, ()>) -> Answer {
    let (status, word) = match current {
        Ok(true) => (StatusCode::OK, "ok"),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        Err(()) => (StatusCode::SERVICE_UNAVAILABLE, "degraded"),
    };
    Answer::state(status, &json!({ "status": word }))
}

/// What is published and how old it is.
pub(crate) fn status(
    current: Result<Option<&Current>, ()>,
    last_check: Option<DateTime<Utc>>,
    now_utc: DateTime<Utc>,
) -> Answer {
    let last_check_at = last_check.map(rfc3339);
    let (word, current) = match current {
        Ok(Some(current)) => ("ok", Some(current)),
        Ok(None) => ("starting", None),
        Err(_) => ("degraded", None),
    };
    let value = json!({
        "status": word,
        "generation": current.map(|c| c.generation.number),
        "as_of": current.map(|c| c.generation.manifest.values.as_of.to_string()),
        "archive_position": current.map(|c| c.generation.manifest.values.archive_position),
        "published_at": current.map(|c| rfc3339(c.published_utc)),
        "age_secs": current.map(|c| (now_utc - c.published_utc).num_seconds().max(0)),
        "last_check_at": last_check_at,
    });
    Answer::state(StatusCode::OK, &value)
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

fn rfc3339(instant: DateTime<Utc>) -> String {
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

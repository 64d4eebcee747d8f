//! `work/inboxes.json`: how mailboxes fared, for other programs than this one. Derived and private.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::status::Status;

/// A mailbox as a daemon last knew it; instants are seconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedInbox {
    /// Name of the inbox.
    pub name: String,
    /// What it was doing: `watching`, `failing`, …
    pub state: String,
    /// When it was last read to its end.
    pub last_success_utc_secs: Option<i64>,
    /// When it last failed.
    pub last_error_utc_secs: Option<i64>,
    /// Why.
    pub last_error: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// When it will be looked into next.
    pub next_try_utc_secs: i64,
}

/// What a status says of mailboxes.
pub(super) fn of(status: &Status) -> Vec<NotedInbox> {
    let noted = status.inboxes.iter().map(|inbox| {
        let slot = &inbox.slot;
        NotedInbox {
            name: slot.name.clone(),
            state: inbox.state().as_str().to_owned(),
            last_success_utc_secs: slot.last_success.map(|at| at.timestamp()),
            last_error_utc_secs: slot.last_error.as_ref().map(|(at, _)| at.timestamp()),
            last_error: slot.last_error.as_ref().map(|(_, error)| error.clone()),
            failures: slot.failures,
            next_try_utc_secs: slot.next_try.timestamp(),
        }
    });
    noted.collect()
}

/// Writes the file. Nobody depends on it: where it cannot be written, it is not.
pub(super) fn write(work: &Path, noted: &[NotedInbox]) {
    let temp = work.join("inboxes.json.tmp");
    let text = serde_json::to_vec(noted).unwrap_or_default();
    let written = fs::create_dir_all(work)
        .and_then(|()| fs::write(&temp, text))
        .and_then(|()| fs::rename(&temp, work.join("inboxes.json")));
    if let Err(error) = written {
        tracing::debug!(%error, "noting how mailboxes fare");
    }
}

/// Reads the file; nothing where there is none, or none of this version.
pub fn read_noted(work: &Path) -> Vec<NotedInbox> {
    let text = fs::read(work.join("inboxes.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

//! Where actions on alerts go, and where alerts come from that the ledger says more of than what is published.

use crate::model::alert::Action;
use crate::render::alerts::AlertQuestion;

/// Form of an answer about alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertForm {
    /// `/alerts…`
    Page,
    /// `/api/alerts…`
    Json,
}

/// Alerts, and what people do with them. Runs on threads that may block.
pub trait AlertDesk: Send + Sync {
    /// What is asked for; without a question the beginning of all alerts, where the ledger says more than what is
    /// published. `None`: what is published says all.
    fn list(
        &self,
        asked: Option<&AlertQuestion>,
        form: AlertForm,
    ) -> anyhow::Result<Option<Vec<u8>>>;

    /// One alert, where the ledger says more of it than what is published; `None`: what is published says all.
    fn one(&self, id: &str, form: AlertForm) -> anyhow::Result<Option<Vec<u8>>>;

    /// One alert as it stands, drawn now, whether it has a file of its own or not; `None`: there is none of that id.
    /// `refused` says why an action was not taken; a page has that on top.
    fn drawn(
        &self,
        id: &str,
        form: AlertForm,
        refused: Option<&str>,
    ) -> anyhow::Result<Option<Vec<u8>>>;

    /// Does something with an alert; it is durable on return.
    fn act(&self, id: &str, action: Action, note: Option<&str>) -> Result<(), Undone>;
}

/// Why nothing was done with an alert.
#[derive(Debug, thiserror::Error)]
pub enum Undone {
    /// There is none of that id.
    #[error("there is no such alert")]
    Unknown,
    /// It makes no sense for the alert as it stands; in words.
    #[error("{0}")]
    Conflict(String),
    /// A value means nothing here; in words that name its key.
    #[error("{0}")]
    Value(String),
    /// It could not be noted.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

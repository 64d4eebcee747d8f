//! Where wishes go and where the answers to "how do things stand" come from: the server knows no mailbox and no job.

use std::collections::BTreeMap;

use crate::model::standing::{Job, Standing};

/// What the server asks beside published files. Runs on threads that may block.
pub trait Desk: Send + Sync {
    /// Mailboxes, and what is going on.
    fn standing(&self) -> Standing;

    /// The newest jobs.
    fn jobs(&self, most: usize) -> anyhow::Result<Jobs>;

    /// A job by its name.
    fn job(&self, id: &str) -> anyhow::Result<Option<Job>>;

    /// Takes on a job and gives its name; it is durable on return.
    fn ask(&self, kind: Kind, parameters: BTreeMap<String, String>) -> Result<String, Declined>;
}

/// The newest jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Jobs {
    /// The newest first.
    pub newest: Vec<Job>,
    /// How many there are.
    pub total: usize,
}

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Mailboxes are looked into now.
    ProcessNow,
    /// Old mail is fetched.
    Backlog,
}

impl Kind {
    /// Its name in the ledger and in paths.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProcessNow => "process-now",
            Self::Backlog => "backlog",
        }
    }
}

/// Why a job is not taken on.
#[derive(Debug, thiserror::Error)]
pub enum Declined {
    /// There is no mailbox; in words, with the way out.
    #[error("{0}")]
    NoMailbox(String),
    /// A value means nothing here; in words that name its key.
    #[error("{0}")]
    Value(String),
    /// Not now; in words.
    #[error("{0}")]
    Busy(String),
    /// It could not be noted.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

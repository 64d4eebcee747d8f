//! How sending ended.

use super::harmless::said;

/// A message is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Who took it, for people: host names of servers, and how many recipients.
    pub words: String,
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// By itself, perhaps soon.
    Soon,
    /// The server asks for so many seconds of patience.
    After(u64),
    /// Not before somebody changes something.
    NeedsPerson,
}

/// Why a message is not on its way; says nothing secret and names no person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct SendError {
    /// What is wrong.
    pub words: String,
    /// Whether trying again can help.
    pub retry: Retry,
    /// Some recipients have it, and others do not.
    pub is_partial: bool,
}

impl SendError {
    /// What may go by itself.
    pub fn soon(words: impl Into<String>) -> Self {
        Self::new(words, Retry::Soon)
    }

    /// What somebody has to change.
    pub fn needs_person(words: impl Into<String>) -> Self {
        Self::new(words, Retry::NeedsPerson)
    }

    /// What is wrong, and whether trying again can help.
    pub fn new(words: impl Into<String>, retry: Retry) -> Self {
        Self {
            words: said(&words.into(), &[]),
            retry,
            is_partial: false,
        }
    }
}

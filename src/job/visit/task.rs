//! What is done with a message on the server, by how it ended.

use crate::model::inbox::{After, Inbox};

/// What is done with messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// They are marked as read.
    MarkSeen,
    /// They go into this folder, as the user names it.
    Move(String),
    /// They are deleted for good.
    Delete,
}

/// How a message ended, for what is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It held a report.
    Report,
    /// What it held was refused.
    Refused,
    /// It held none.
    NoReport,
}

/// What is done with a message; nothing that would lose bytes which the archive does not keep.
pub fn task(inbox: &Inbox, ending: Ending, is_kept: bool) -> Option<Task> {
    let after = match ending {
        Ending::Report | Ending::Refused => inbox.after,
        Ending::NoReport => inbox.without_report,
    };
    let folder = match ending {
        Ending::Report => &inbox.processed_folder,
        Ending::Refused | Ending::NoReport => &inbox.failed_folder,
    };
    match after {
        After::Nothing => None,
        After::MarkSeen => Some(Task::MarkSeen),
        After::Move => Some(Task::Move(folder.clone())),
        After::Delete => is_kept.then_some(Task::Delete),
    }
}

//! What the threads of the daemon have in common, and what they do by themselves: look into a mailbox, call a watchdog.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use anyhow::{Context as _, Result};

use super::status::Status;
use super::time::Time;
use super::watch::Watchers;
use crate::archive::Archive;
use crate::http;
use crate::job::folders::Folders;
use crate::job::positions::Positions;
use crate::job::visit::{Known, Selection, Visit};
use crate::model::inbox::Inbox;
use crate::model::limits::Limits;
use crate::model::secret::Secret;
use crate::source::imap::Tokens;
use crate::tls::Trust;

/// What all mailboxes have in common.
pub struct Common {
    /// All mailboxes.
    pub inboxes: Vec<Inbox>,
    /// The data folder.
    pub folders: Folders,
    /// Bounds on a message.
    pub limits: Limits,
    /// The clock.
    pub time: Arc<dyn Time>,
    /// How far the archive is, as far as was looked.
    pub positions: Mutex<Positions>,
    /// Access tokens that are still good.
    pub tokens: Tokens,
    /// Called when all is well.
    pub heartbeat: Option<Secret>,
    /// The disk is too full with less than this left.
    pub min_free_bytes: u64,
    /// How things stand, for everybody.
    pub status: RwLock<Status>,
    /// Wait for news.
    pub watchers: Watchers,
    /// Ends what is going on, cleanly.
    pub stop: Arc<AtomicBool>,
}

impl Common {
    /// Finds out what is new in a mailbox.
    pub fn look(&self, index: usize) -> Result<Visit> {
        let inbox = self.inboxes.get(index).context("there is no such inbox")?;
        let archive = self.read_positions()?;
        let positions = {
            let positions = self.positions.lock();
            positions
                .unwrap_or_else(PoisonError::into_inner)
                .of(&inbox.name)
        };
        let known = Known {
            archive: &archive,
            positions: &positions,
            limits: &self.limits,
        };
        Visit::begin(inbox, &Selection::default(), &known, &self.tokens)
    }

    /// Reads on how far the archive is.
    pub fn read_positions(&self) -> Result<Archive> {
        let archive = Archive::open(&self.folders.archive()).context("opening the archive")?;
        let positions = self.positions.lock();
        let mut positions = positions.unwrap_or_else(PoisonError::into_inner);
        positions
            .update(&archive)
            .context("reading the positions of the mailboxes")?;
        Ok(archive)
    }
}

/// Calls a heartbeat address.
pub fn call(url: &str) -> Result<(), String> {
    let trust = Trust::new(None).map_err(|error| error.to_string())?;
    let reply = http::get(&trust, url).map_err(|error| error.to_string())?;
    if reply.is_success() {
        Ok(())
    } else {
        Err(format!("it answers with status {}", reply.status))
    }
}

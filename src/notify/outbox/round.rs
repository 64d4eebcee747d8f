//! A round over all channels.

use std::collections::BTreeSet;
use std::io;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::due::Window;
use super::memory::Memory;
use super::owed::Find;
use super::turn::Turn;
use crate::ledger::{Ledger, Notices};
use crate::model::alert::Alert;
use crate::model::channel::Channel;
use crate::model::day::Day;
use crate::model::notice::{Digest, Notice};
use crate::model::standing::ChannelStatus;
use crate::notify::fate::{Delivery, SendError};

/// What a round is about.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// All channels.
    pub channels: &'a [Channel],
    /// Those that are open, as they stand; of very many the gravest. Words, facts and advice may be left out.
    pub alerts: &'a [Alert],
    /// Rules that cannot be asked: how their alerts stand nobody knows.
    pub failing_rules: &'a BTreeSet<String>,
    /// Where people reach the dashboard, without a slash at the end.
    pub base_url: Option<&'a str>,
    /// The day for which things are judged.
    pub as_of: Day,
    /// Evidence that ended more days before is history.
    pub within_days: u64,
    /// Time zone of quiet hours and digests.
    pub zone: Tz,
}

/// What a round needs of the world.
pub struct Wires<'a> {
    /// Sends a notice.
    pub send: &'a mut dyn FnMut(&Channel, &Notice) -> Result<Delivery, SendError>,
    /// The content of a digest for a channel; its key and instant are put in behind.
    pub digest: &'a mut dyn FnMut(&Channel, &Window) -> Result<Digest, String>,
    /// Gives the alerts that a message names.
    pub find: Find<'a>,
    /// The present instant.
    pub now: &'a dyn Fn() -> DateTime<Utc>,
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// Messages that were sent.
    pub sent: usize,
    /// Channels that failed in this round.
    pub failed: usize,
    /// Somebody else is sending: nothing was done.
    pub is_busy: bool,
    /// When there will be something to do, as far as is known now.
    pub next: Option<DateTime<Utc>>,
    /// How each channel fares, in their order; empty where nothing was done.
    pub channels: Vec<ChannelStatus>,
}

/// Does a round: sends what is due, and notes it. Takes no longer than the sends; one channel that fails leaves the
/// others alone. An error is one of the ledger, after every channel had its turn.
pub fn pass(
    round: &Round<'_>,
    ledger: &Ledger,
    memory: &mut Memory,
    wires: &mut Wires<'_>,
) -> io::Result<Passed> {
    let mut passed = Passed::default();
    let Some(_lock) = ledger.lock_notices()? else {
        passed.is_busy = true;
        return Ok(passed);
    };
    let (entries, position) = ledger.read(None)?;
    let mut turn = Turn {
        round,
        ledger,
        memory,
        wires,
        notices: Notices::fold(&entries),
        position,
        passed: &mut passed,
    };
    let mut first_error = None;
    for channel in round.channels {
        if let Err(error) = turn.channel(channel) {
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or(Ok(passed), Err)
}

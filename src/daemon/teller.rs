//! Tells people, beside everything else: a channel that hangs delays no run and no publication.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use super::drive::Message;
use super::time::{Time, receive};
use crate::model::standing::ChannelStatus;

/// How long nobody looks where nothing is known to be due.
const LONGEST_SECS: i64 = 900;
/// A round that failed as a whole, or that somebody else is doing, is begun again after so long.
const AGAIN_SECS: i64 = 60;

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// When there will be something to do, as far as is known.
    pub next: Option<DateTime<Utc>>,
    /// Somebody else is sending.
    pub is_busy: bool,
    /// Messages that were sent.
    pub sent: usize,
    /// Channels that failed.
    pub failed: usize,
    /// How each channel fares.
    pub channels: Vec<ChannelStatus>,
}

/// Sends what is due.
pub type Tell = Box<dyn FnMut() -> Result<Told> + Send>;

/// A word to the thread that tells: something may be due.
pub(super) struct Due;

/// Tells until nobody gives it a word any more.
pub(super) fn run(
    mut tell: Tell,
    time: &Arc<dyn Time>,
    words: &Receiver<Due>,
    to_driver: &Sender<Message>,
) {
    loop {
        let told = tell();
        let now = time.now();
        let next = match told {
            Ok(told) => {
                if told.sent > 0 {
                    tracing::info!("people were told: {} messages", told.sent);
                }
                let next = told.next;
                let is_busy = told.is_busy;
                if !is_busy && to_driver.send(Message::Told(told.channels)).is_err() {
                    return;
                }
                next.filter(|_| !is_busy).unwrap_or(
                    now + Duration::seconds(if is_busy { AGAIN_SECS } else { LONGEST_SECS }),
                )
            }
            Err(error) => {
                tracing::error!("people cannot be told: {error:#}");
                now + Duration::seconds(AGAIN_SECS)
            }
        };
        let next = next.clamp(
            now + Duration::seconds(1),
            now + Duration::seconds(LONGEST_SECS),
        );
        if !wait(time, words, next) {
            return;
        }
    }
}

/// Until something may be due; `false` at the end.
pub(super) fn wait(time: &Arc<dyn Time>, words: &Receiver<Due>, until: DateTime<Utc>) -> bool {
    loop {
        if let Some(Due) = receive(&**time, words, until) {
            // Several words are one.
            while words.try_recv().is_ok() {}
            return true;
        }
        match words.try_recv() {
            Ok(Due) => return true,
            Err(std::sync::mpsc::TryRecvError::Disconnected) => return false,
            Err(std::sync::mpsc::TryRecvError::Empty) if time.now() >= until => return true,
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
        }
    }
}

//! Looks up names of hosts, beside everything else: a DNS server that hangs delays no run and no publication.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender};

use anyhow::Result;
use chrono::Duration;

use super::drive::Message;
use super::teller::{Due, wait};
use super::time::Time;

/// How long nobody looks where no run says that something is new: failures are tried again, and old answers.
const LONGEST_SECS: i64 = 1_800;

/// Looks up what is due, until it is told to stop; whether a name is another than before.
pub type LookUp = Box<dyn FnMut(&AtomicBool) -> Result<bool> + Send>;

/// Looks up until nobody gives it a word any more.
pub(super) fn run(
    mut look_up: LookUp,
    time: &Arc<dyn Time>,
    stop: &AtomicBool,
    words: &Receiver<Due>,
    to_driver: &Sender<Message>,
) {
    loop {
        match look_up(stop) {
            Ok(true) if to_driver.send(Message::Named).is_err() => return,
            Ok(_) => {}
            Err(error) => tracing::error!("names of hosts cannot be looked up: {error:#}"),
        }
        if !wait(time, words, time.now() + Duration::seconds(LONGEST_SECS)) {
            return;
        }
    }
}

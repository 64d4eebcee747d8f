//! The clock that drives the schedule.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::clock;

/// Tells the time and waits. Another one than [`System`] can let a week pass in seconds.
pub trait Time: Send + Sync {
    /// The present instant.
    fn now(&self) -> DateTime<Utc>;

    /// The longest that a wait for something else may last until the time is looked at again; `None`: whoever turns the
    /// clock wakes those who wait.
    fn patience(&self, until: DateTime<Utc>) -> Option<Duration>;
}

/// The time of the system.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Time for System {
    fn now(&self) -> DateTime<Utc> {
        clock::now()
    }

    fn patience(&self, until: DateTime<Utc>) -> Option<Duration> {
        // A system that slept, or whose clock was set, is noticed within a minute.
        const LONGEST: Duration = Duration::from_secs(60);
        let wait = (until - self.now()).to_std().unwrap_or(Duration::ZERO);
        Some(wait.min(LONGEST))
    }
}

/// The next message, or `None` where the time may have come.
pub fn receive<T>(time: &dyn Time, messages: &Receiver<T>, until: DateTime<Utc>) -> Option<T> {
    match time.patience(until) {
        None => messages.recv().ok(),
        Some(wait) => match messages.recv_timeout(wait) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        },
    }
}

//! Waits on a connection of its own for a server to tell of new mail. Polls go on beside it: a watcher that fails makes
//! mail late, never lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::backoff::{longest_retry_at, retry_at};
use super::drive::Message;
use super::time::{Time, receive};
use crate::model::inbox::Inbox;
use crate::source::imap::{ImapError, News, Session, Stopper, Tokens};

/// A wait is begun anew after this time: routers forget silent connections, servers end them after half an hour.
const WAIT: Duration = Duration::from_secs(9 * 60);

/// Ends all watchers.
#[derive(Clone, Default)]
pub struct Watchers {
    is_over: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<Option<Stopper>>>>,
    alarms: Arc<Mutex<Vec<Sender<()>>>>,
}

/// What a watcher needs.
pub struct Watch {
    /// Its mailbox.
    pub index: usize,
    /// Its mailbox.
    pub inbox: Inbox,
    /// The folder that it watches, as configured.
    pub folder: String,
    /// Whom it tells.
    pub tell: Sender<Message>,
    /// Access tokens that are still good.
    pub tokens: Tokens,
    /// The clock.
    pub time: Arc<dyn Time>,
}

impl Watchers {
    /// Ends every connection and every wait.
    pub fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        for stopper in self.lock_connections().iter().flatten() {
            stopper.stop();
        }
        self.ring();
    }

    /// Wakes those who wait for the time to come.
    pub fn ring(&self) {
        let alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        for alarm in alarms.iter() {
            // One that has ended need not be woken.
            let _ = alarm.send(());
        }
    }

    fn lock_connections(&self) -> std::sync::MutexGuard<'_, Vec<Option<Stopper>>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches until everything ends, or the server cannot tell.
    pub fn watch(&self, watch: &Watch) {
        let (alarm, alarms) = channel();
        self.alarms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(alarm);
        let number = {
            let mut connections = self.lock_connections();
            connections.push(None);
            connections.len() - 1
        };
        let mut failures = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let ended = self.connection(watch, number, &mut failures);
            self.lock_connections()[number] = None;
            let _ = watch.tell.send(Message::Watching(watch.index, false));
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            match ended {
                Ok(()) => return,
                Err(error) => {
                    failures += 1;
                    tracing::debug!(inbox = watch.inbox.name, %error, "watching for new mail");
                    self.wait(watch, &alarms, failures, error.needs_a_person());
                }
            }
        }
    }

    /// One connection, to its end. `Ok`: the server cannot tell of new mail.
    fn connection(
        &self,
        watch: &Watch,
        number: usize,
        failures: &mut u32,
    ) -> Result<(), ImapError> {
        let mut session = Session::open(&watch.inbox, &watch.tokens, 0)?;
        if !session.can("IDLE") {
            session.close();
            return Ok(());
        }
        self.lock_connections()[number] = Some(session.stopper()?);
        if self.is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        let folder = session.find_folder(&watch.folder)?;
        session.select(&folder, false)?;
        let tell = |message| {
            // Nobody to tell means that everything ends.
            let _ = watch.tell.send(message);
        };
        tell(Message::Watching(watch.index, true));
        // Mail may have come while nobody watched.
        tell(Message::News(watch.index));
        loop {
            let news = session.wait_for_news(WAIT)?;
            *failures = 0;
            if news == News::Mail {
                tell(Message::News(watch.index));
            }
        }
    }

    fn wait(&self, watch: &Watch, alarms: &Receiver<()>, failures: u32, needs_a_person: bool) {
        let name = format!("{} {}", watch.inbox.name, watch.folder);
        let until = retry_at(&name, failures, needs_a_person, watch.time.now());
        let waits = |now| now < until && until <= longest_retry_at(now);
        // A clock that was set back ends it, too.
        while waits(watch.time.now()) && !self.is_over.load(Ordering::Relaxed) {
            receive(&*watch.time, alarms, until);
        }
    }
}

//! Messages of the open folder, in the order of their numbers, in batches that suit the server.
//!
//! A batch grows while all goes well and is one message after a failure. A message that fails twice by itself, while
//! another one can be read, is refused, so that those behind it are not held up; where none can be read it is the server
//! that fails, and nothing is said of any message.

use std::collections::VecDeque;
use std::time::Duration;

use super::search::uid_set;
use super::{ANSWER_BYTES, ImapError, Session, Wanted};
use crate::clock;
use crate::model::outcome::Refusal;

/// Messages whose sizes are asked for at a time.
const SIZES: usize = 1_000;
/// Messages of a batch at most.
const BATCH_MESSAGES: usize = 256;
/// Bytes of a batch at most, unless one message is larger.
const BATCH_BYTES: u64 = 2 << 20;
/// Bytes of the first batch, and of those of a slow server.
const SLOW_BATCH_BYTES: u64 = 256 << 10;
/// A batch that takes less is followed by a larger one, one that takes four times as long by a smaller one.
const BATCH_TIME: Duration = Duration::from_secs(2);
/// What an answer may have beside the bytes of its messages.
const SLACK_BYTES: u64 = 256 << 10;
/// Longest header block that is read of a message that is not.
const HEAD_BYTES: u64 = 64 << 10;
/// Failures of one message by itself after which it is refused.
const TRIES: u32 = 2;
/// Other messages that are tried to see whether any can be read.
const WITNESSES: usize = 3;

/// A message as fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its number in the folder.
    pub uid: u32,
    /// Its bytes, or why they were not read, with the size where the server says it.
    pub content: Result<Vec<u8>, (Refusal, u64)>,
    /// Its header block, where the rest was not read.
    pub head: Vec<u8>,
}

/// Messages that are still to be fetched.
#[derive(Debug)]
pub struct Fetching {
    /// Numbers whose sizes are not known yet, ascending.
    uids: VecDeque<u32>,
    /// Those behind it, with their sizes where the server says them.
    sized: VecDeque<(u32, Option<u64>)>,
    /// Messages whose sizes are asked for next, at most.
    size_messages: usize,
    /// Messages of the next batch at most.
    batch_messages: usize,
    /// Bytes of the next batch at most, unless one message is larger.
    batch_bytes: u64,
    /// The message that failed last by itself.
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    uid: u32,
    size: Option<u64>,
    tries: u32,
    /// Other messages that were tried and failed too.
    witnesses: usize,
    /// What was said last.
    cause: String,
}

impl Fetching {
    /// All of these messages, ascending.
    pub fn new(uids: Vec<u32>) -> Self {
        Self {
            uids: uids.into(),
            sized: VecDeque::new(),
            size_messages: SIZES,
            batch_messages: BATCH_MESSAGES,
            batch_bytes: SLOW_BATCH_BYTES,
            failing: None,
        }
    }

    /// Messages that are still to come.
    pub fn left(&self) -> usize {
        self.uids.len() + self.sized.len()
    }

    /// The next messages in order; empty when there are no more. One that somebody removed meanwhile is passed over.
    /// After an error that ended the session, another session may go on.
    pub fn next(&mut self, session: &mut Session) -> Result<Vec<Fetched>, ImapError> {
        while self.left() > 0 {
            if self.sized.is_empty() {
                self.ask_sizes(session)?;
                continue;
            }
            if let Some(refused) = self.given_up(session)? {
                return Ok(vec![refused]);
            }
            let batch = self.batch(session.limit_item_bytes);
            let began = clock::instant();
            match session.bodies(&batch) {
                Ok(found) => {
                    self.took(clock::instant().duration_since(began));
                    let good = self.arrived(session, &batch, found)?;
                    if !good.is_empty() {
                        return Ok(good);
                    }
                }
                Err(error) => self.failed(&batch, error)?,
            }
        }
        Ok(Vec::new())
    }

    /// Some servers read a message to tell its size, and fail at odd ones. A message without a size is fetched by itself.
    fn ask_sizes(&mut self, session: &mut Session) -> Result<(), ImapError> {
        let count = self.uids.len().min(self.size_messages);
        let asked: Vec<u32> = self.uids.iter().take(count).copied().collect();
        match session.sizes(&asked) {
            Ok(mut sizes) => {
                // What a server leaves out may be gone, or there and without a size.
                let named: Vec<u32> = sizes.iter().map(|(uid, _)| *uid).collect();
                let mut unnamed = asked;
                unnamed.retain(|uid| named.binary_search(uid).is_err());
                sizes.extend(
                    session
                        .still_there(&unnamed)?
                        .into_iter()
                        .map(|uid| (uid, None)),
                );
                sizes.sort_unstable();
                self.uids.drain(..count);
                self.sized = sizes.into();
                self.size_messages = (self.size_messages * 4).min(SIZES);
                Ok(())
            }
            Err(error) => {
                self.size_messages = 1;
                if let &[uid] = asked.as_slice() {
                    self.uids.pop_front();
                    self.sized.push_back((uid, None));
                }
                if error.is_answer() {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    /// The next few, at least one.
    fn batch(&self, limit_item_bytes: u64) -> Vec<(u32, Option<u64>)> {
        let mut bytes = 0_u64;
        let mut batch = Vec::new();
        for &(uid, size) in self.sized.iter().take(self.batch_messages) {
            let is_alone = size.is_none_or(|size| size > limit_item_bytes);
            bytes = bytes.saturating_add(size.unwrap_or(0));
            if !batch.is_empty() && (is_alone || bytes > self.batch_bytes) {
                break;
            }
            batch.push((uid, size));
            if is_alone {
                break;
            }
        }
        batch
    }

    /// Fits the next batch to the pace of the server.
    fn took(&mut self, time: Duration) {
        if time < BATCH_TIME {
            self.batch_bytes = (self.batch_bytes * 2).min(BATCH_BYTES);
        } else if time > BATCH_TIME * 4 {
            self.batch_bytes = (self.batch_bytes / 2).max(SLOW_BATCH_BYTES / 8);
        }
    }

    /// What of a batch can be given: all up to the first that is missing.
    fn arrived(
        &mut self,
        session: &mut Session,
        batch: &[(u32, Option<u64>)],
        mut found: Vec<Fetched>,
    ) -> Result<Vec<Fetched>, ImapError> {
        let pairs = batch.iter().zip(&found);
        let good = pairs
            .take_while(|((uid, _), fetched)| fetched.uid == *uid)
            .count();
        self.batch_messages = if good == batch.len() {
            (self.batch_messages * 2).min(BATCH_MESSAGES)
        } else {
            1
        };
        found.truncate(good);
        self.sized.drain(..good);
        if good > 0 {
            self.failing = None;
            return Ok(found);
        }
        let (uid, _) = batch[0];
        if session.still_there(&[uid])?.is_empty() {
            // Somebody removed it.
            self.sized.pop_front();
        } else {
            let cause = format!("message {uid} comes without its bytes");
            let doing = "fetch messages";
            self.failed(batch, ImapError::Unreadable { doing, cause })
                .or_else(|error| match error {
                    ImapError::Unreadable { .. } => Ok(()),
                    other => Err(other),
                })?;
        }
        Ok(found)
    }

    /// Notes a failure; an error where the session may have ended with it.
    fn failed(&mut self, batch: &[(u32, Option<u64>)], error: ImapError) -> Result<(), ImapError> {
        self.batch_messages = 1;
        if let &[(uid, size)] = batch {
            let before = self.failing.take().filter(|failing| failing.uid == uid);
            self.failing = Some(Failing {
                uid,
                size,
                tries: before.map_or(0, |failing| failing.tries) + 1,
                witnesses: 0,
                cause: error.to_string(),
            });
        }
        if error.is_answer() {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// The next message, refused, where it has failed often enough and another one can be read. Where none can be read
    /// it is not the message's fault.
    fn given_up(&mut self, session: &mut Session) -> Result<Option<Fetched>, ImapError> {
        let next = self.sized.front().map(|(uid, _)| *uid);
        let is_it = |one: &&mut Failing| Some(one.uid) == next && one.tries >= TRIES;
        let Some(failing) = self.failing.as_mut().filter(is_it) else {
            return Ok(None);
        };
        let others = session.others(failing.uid)?;
        loop {
            let Some(other) = others.get(failing.witnesses) else {
                let cause = failing.cause.clone();
                return Err(ImapError::Stuck { cause });
            };
            // Counted first: it may end the session.
            failing.witnesses += 1;
            if session.is_readable(*other)? {
                break;
            }
        }
        let message = format!("the server does not give it away: {}", failing.cause);
        let refusal = Refusal::new("fetch-failed", message);
        let refused = Fetched {
            uid: failing.uid,
            content: Err((refusal, failing.size.unwrap_or(0))),
            head: Vec::new(),
        };
        self.sized.pop_front();
        self.failing = None;
        Ok(Some(refused))
    }
}

impl Session {
    /// Those of the messages that nobody has removed, ascending.
    fn still_there(&mut self, uids: &[u32]) -> Result<Vec<u32>, ImapError> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let criteria = format!("UID {}", uid_set(uids));
        let found = self.command("search the folder", ANSWER_BYTES, |imap| {
            imap.uid_search(&criteria)
        })?;
        Ok(uids
            .iter()
            .copied()
            .filter(|uid| found.contains(uid))
            .collect())
    }

    /// Numbers and sizes of those of the messages that the server names, ascending.
    fn sizes(&mut self, uids: &[u32]) -> Result<Vec<(u32, Option<u64>)>, ImapError> {
        let set = uid_set(uids);
        let doing = "name the sizes of messages";
        let all = self.fetch(doing, ANSWER_BYTES, &set, "(UID RFC822.SIZE)")?;
        let mut sizes: Vec<(u32, Option<u64>)> = all
            .iter()
            .filter_map(|said| Some((said.uid?, said.size.map(u64::from))))
            .filter(|(uid, _)| uids.binary_search(uid).is_ok())
            .collect();
        sizes.sort_unstable();
        sizes.dedup_by_key(|(uid, _)| *uid);
        Ok(sizes)
    }

    /// The messages of a batch that came with their bytes, in the order asked for.
    fn bodies(&mut self, batch: &[(u32, Option<u64>)]) -> Result<Vec<Fetched>, ImapError> {
        let limit = self.limit_item_bytes;
        if let &[(uid, Some(size))] = batch
            && size > limit
        {
            return self.head(uid, size).map(|head| vec![head]);
        }
        let uids: Vec<u32> = batch.iter().map(|(uid, _)| *uid).collect();
        // A size may be wrong; a message by itself may have what any message may have.
        let bytes = match batch {
            [_] => limit,
            _ => batch.iter().filter_map(|(_, size)| *size).sum(),
        };
        let set = uid_set(&uids);
        let query = "(UID BODY.PEEK[])";
        let all = self.fetch("fetch messages", bytes + SLACK_BYTES, &set, query)?;
        let mut found: Vec<Fetched> = all
            .into_iter()
            .filter_map(|said| {
                Some(Fetched {
                    uid: said.uid.filter(|uid| uids.binary_search(uid).is_ok())?,
                    content: Ok(said.bytes?),
                    head: Vec::new(),
                })
            })
            .collect();
        found.sort_by_key(|fetched| fetched.uid);
        found.dedup_by_key(|fetched| fetched.uid);
        Ok(found)
    }

    /// The header of a message that is too large.
    fn head(&mut self, uid: u32, size: u64) -> Result<Fetched, ImapError> {
        let query = format!("(UID BODY.PEEK[HEADER]<0.{HEAD_BYTES}>)");
        let bytes = HEAD_BYTES + SLACK_BYTES;
        let all = self.fetch("fetch a header", bytes, &uid.to_string(), &query)?;
        let head = all
            .into_iter()
            .filter(|said| said.uid == Some(uid))
            .find_map(|said| said.bytes)
            .unwrap_or_default();
        let message = format!(
            "{size} bytes, more than limits.item_bytes ({}) allows",
            self.limit_item_bytes
        );
        Ok(Fetched {
            uid,
            content: Err((Refusal::new(Refusal::LIMIT_ITEM_BYTES, message), size)),
            head,
        })
    }

    /// A few messages of the open folder beside this one, from its whole range.
    fn others(&mut self, uid: u32) -> Result<Vec<u32>, ImapError> {
        let mut all = self.search(&Wanted::default())?;
        all.retain(|other| *other != uid);
        let last = all.len().saturating_sub(1);
        let mut others: Vec<u32> = [last, 0, last / 2]
            .iter()
            .filter_map(|at| all.get(*at).copied())
            .collect();
        others.dedup();
        others.truncate(WITNESSES);
        Ok(others)
    }

    /// Whether the server gives the beginning of a message away.
    fn is_readable(&mut self, uid: u32) -> Result<bool, ImapError> {
        let (set, query) = (uid.to_string(), "(UID BODY.PEEK[]<0.64>)");
        match self.fetch("fetch another message", SLACK_BYTES, &set, query) {
            Ok(all) => Ok(all.iter().any(|said| said.bytes.is_some())),
            Err(error) if error.is_answer() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

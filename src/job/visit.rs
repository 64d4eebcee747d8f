//! A mailbox that is looked into: which messages are wanted, and what is done with them once their items are durable.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use anyhow::{Result, anyhow};

use super::positions::{Place, Positions};
use super::repeated::Repeated;
use super::threads::spawn;
use crate::archive::Archive;
use crate::model::day::Day;
use crate::model::inbox::Inbox;
use crate::model::item::ItemNo;
use crate::model::limits::Limits;
use crate::source::imap::{ImapError, Opened, Session, Tokens};
use task::Task;

mod look;
mod settle;
mod task;

/// Which messages of a mailbox are wanted, where it is not just what is new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// This folder instead of the configured ones.
    pub folder: Option<String>,
    /// Every message that the archive does not have, read by somebody or not, new or old.
    pub is_all: bool,
    /// Those that arrived on this day or later.
    pub since: Option<Day>,
    /// Those that arrived before this day.
    pub before: Option<Day>,
    /// So many at most, the oldest first.
    pub limit: Option<u64>,
    /// Also those that the archive knows without their bytes.
    pub is_again: bool,
    /// They are marked as seen afterwards, whatever the configuration says.
    pub is_marking: bool,
}

impl Selection {
    /// Whether it is what a pass takes: what is new.
    pub(super) fn is_new(&self) -> bool {
        !self.is_all && !self.is_again
    }

    /// Whether messages may be left out that lie before others.
    pub(super) fn is_by_day(&self) -> bool {
        self.since.is_some() || self.before.is_some()
    }
}

/// A folder and what is wanted of it.
pub(super) struct Sighting {
    pub(super) opened: Opened,
    pub(super) place: Place,
    /// Mails of earlier items are of another account.
    first_item: ItemNo,
    /// Wanted messages, ascending.
    pub(super) uids: Vec<u32>,
    /// Those of them that the archive knows, without their bytes.
    pub(super) known_already: BTreeSet<u32>,
    /// What the archive knows of its messages from when they had other numbers.
    pub(super) repeated: Repeated,
    /// Archived by earlier runs, still there, and perhaps not treated as configured yet.
    remaining: Vec<u32>,
    /// Those of them that are read already, where others leave: there is nothing to be marked.
    seen: BTreeSet<u32>,
    /// What this run has archived.
    pub(super) fetched: Vec<u32>,
    /// What is to be done with messages.
    tasks: Vec<(Task, Vec<u32>)>,
    /// Those with which nothing is to be done.
    left: BTreeSet<u32>,
    /// Those with which all was done, as far as the server says; they may be as they were.
    settled: BTreeSet<u32>,
}

/// Archived messages for which no run is worth while, by folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Nothing is to be done with them.
    idle: BTreeMap<Place, BTreeSet<u32>>,
    /// All was done with them.
    settled: BTreeMap<Place, BTreeSet<u32>>,
}

/// A mailbox with a session.
pub struct Visit {
    pub(super) inbox: Inbox,
    pub(super) selection: Selection,
    pub(super) session: Session,
    pub(super) sightings: Vec<Sighting>,
    pub(super) limit_item_bytes: u64,
}

/// What a visit needs to know of the archive.
pub struct Known<'a> {
    /// The archive.
    pub archive: &'a Archive,
    /// How far it is.
    pub positions: &'a Positions,
    /// Bounds on a message.
    pub limits: &'a Limits,
}

/// Looks into several mailboxes side by side: one whose server does not answer holds up none of the others. In the order
/// given; the outer error is that of a thread that could not be started.
pub fn look_into(
    inboxes: &[Inbox],
    selection: &Selection,
    known: &Known,
    tokens: &Tokens,
) -> Result<Vec<Result<Visit>>> {
    thread::scope(|scope| {
        let look = |inbox| {
            spawn(scope, "look", move || {
                Visit::begin(inbox, selection, known, tokens)
            })
        };
        let looks: Vec<_> = inboxes.iter().map(look).collect::<Result<_>>()?;
        let ended = looks.into_iter().map(|look| {
            let look = look.join();
            look.unwrap_or_else(|_| Err(anyhow!("looking into the mailbox stopped short")))
        });
        Ok(ended.collect())
    })
}

impl Visit {
    /// Connects, and finds out what is wanted. Changes nothing.
    pub fn begin(
        inbox: &Inbox,
        selection: &Selection,
        known: &Known,
        tokens: &Tokens,
    ) -> Result<Self> {
        let limit_item_bytes = known.limits.item_bytes;
        let session = Session::open(inbox, tokens, limit_item_bytes)?;
        let mut visit = Self {
            inbox: inbox.clone(),
            selection: selection.clone(),
            session,
            sightings: Vec::new(),
            limit_item_bytes,
        };
        let folders = match &selection.folder {
            Some(folder) => std::slice::from_ref(folder),
            None => inbox.folders.as_slice(),
        };
        for name in folders {
            let folder = visit.session.find_folder(name)?;
            if visit
                .sightings
                .iter()
                .any(|one| one.opened.folder == folder)
            {
                // Two names of one folder.
                continue;
            }
            let sighting = visit.look(&folder, known)?;
            visit.sightings.push(sighting);
        }
        visit.truncate(selection.limit.unwrap_or(u64::MAX));
        Ok(visit)
    }

    /// Name of the inbox.
    pub fn name(&self) -> &str {
        &self.inbox.name
    }

    /// Its folders, with the number of messages in each.
    pub fn folders(&self) -> Vec<String> {
        let shown = |one: &Sighting| {
            format!(
                "{}: {} messages",
                one.opened.folder.name, one.opened.messages
            )
        };
        self.sightings.iter().map(shown).collect()
    }

    /// Whether the server can tell of new mail.
    pub fn tells_of_news(&self) -> bool {
        self.inbox.idle && self.session.can("IDLE")
    }

    /// Messages that are wanted.
    pub fn wanted(&self) -> u64 {
        self.sightings.iter().map(|one| one.uids.len() as u64).sum()
    }

    /// Keeps so many of the wanted messages, the oldest of each folder first.
    pub fn truncate(&mut self, messages: u64) {
        let mut left = messages;
        for sighting in &mut self.sightings {
            let count = usize::try_from(left).unwrap_or(usize::MAX);
            sighting.uids.truncate(count);
            left -= sighting.uids.len() as u64;
        }
    }

    /// Whether there are messages that earlier runs may not have treated as configured, beside those that were found to
    /// need nothing.
    pub fn is_owing(&self, left: &Left) -> bool {
        let idle = &left.idle;
        let is_left = |place: &Place, uid: &u32| idle.get(place).is_some_and(|l| l.contains(uid));
        self.sightings.iter().any(|one| {
            let mut remaining = one.remaining.iter();
            remaining.any(|uid| !is_left(&one.place, uid))
        })
    }

    /// Leaves alone what an earlier run has done and the server has not: done again at each look, it would be done for
    /// ever. How many messages that are.
    pub fn let_be(&mut self, left: &Left) -> usize {
        let mut count = 0;
        for sighting in &mut self.sightings {
            let Some(settled) = left.settled.get(&sighting.place) else {
                continue;
            };
            let unheeded = sighting
                .remaining
                .extract_if(.., |uid| settled.contains(uid));
            sighting.settled.extend(unheeded);
            count += sighting.settled.len();
        }
        count
    }

    /// What this run found to need nothing, or has done.
    pub fn left(&self) -> Left {
        let by_place = |of: fn(&Sighting) -> &BTreeSet<u32>| {
            let folders = self.sightings.iter();
            folders
                .map(|one| (one.place.clone(), of(one).clone()))
                .collect()
        };
        Left {
            idle: by_place(|one| &one.left),
            settled: by_place(|one| &one.settled),
        }
    }

    /// Says good-bye to the server.
    pub fn close(self) {
        self.session.close();
    }

    /// A session in the place of one that ended, with the same folder open. Numbers of messages must have kept their
    /// meaning.
    pub(super) fn reopen(&mut self, index: usize, tokens: &Tokens) -> Result<(), ImapError> {
        self.session = Session::open(&self.inbox, tokens, self.limit_item_bytes)?;
        self.select(index)
    }

    /// Opens a folder again.
    pub(super) fn select(&mut self, index: usize) -> Result<(), ImapError> {
        let is_changing = self.is_changing();
        let before = &self.sightings[index].opened;
        let now = self.session.select(&before.folder, is_changing)?;
        if now.uidvalidity != before.uidvalidity {
            return Err(ImapError::Unreadable {
                doing: "open the folder again",
                cause: "the numbers of its messages have changed meanwhile".to_owned(),
            });
        }
        Ok(())
    }
}

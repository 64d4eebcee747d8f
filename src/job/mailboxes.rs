//! A run over mailboxes: messages -> archive -> rows -> generation, and then what the configuration wants done with
//! them. One mailbox that fails leaves the others alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::collect::{Sink, Source};
use super::disk;
use super::folders::Folders;
use super::positions::{Archived, Positions};
use super::repeated::Repeated;
use super::run::{Done, Progress, Run, take_in, take_in_only};
use super::visit::Visit;
use crate::archive::Archive;
use crate::clock;
use crate::mail;
use crate::model::item::{ItemKind, Provenance};
use crate::source::FoundItem;
use crate::source::imap::{Fetched, Fetching, ImapError, Tokens};
use crate::store::mail_endings::WouldBe;
use crate::store::working::Store;

/// How long fetched messages may wait to be durable.
const REST_EVERY: Duration = Duration::from_secs(2);
/// Failures in a row after which a mailbox is left for this time; an odd message beside other odd ones takes seven.
const FAILURES: u32 = 8;

/// How a run over mailboxes is held.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// Ends it early, and cleanly.
    pub stop: &'a AtomicBool,
    /// How long each mailbox may take, so that a slow one holds up the others no longer; the rest is for the next run.
    pub longest: Duration,
    /// It ends where less than this is left on the disk beside the size of the database.
    pub min_free_bytes: u64,
}

/// What became of a mailbox in a run.
#[derive(Debug)]
pub struct Visited {
    /// Name of the inbox.
    pub inbox: String,
    /// Messages that were wanted.
    pub wanted: u64,
    /// Messages that are in the archive now.
    pub fetched: u64,
    /// Messages that were marked, moved or deleted.
    pub settled: u64,
    /// Whether its turn ended before its messages.
    pub has_more: bool,
    /// Why it was not read to the end, or not all was done that the configuration wants.
    pub failed: Option<ImapError>,
}

/// What a run over mailboxes did.
#[derive(Debug)]
pub struct Fetch {
    /// Counts and the generation.
    pub done: Done,
    /// Of each mailbox, in the order given.
    pub visited: Vec<Visited>,
}

/// Fetches what the visits found, and does all that follows. The caller holds the run lock.
pub fn fetch(
    run: &Run,
    visits: &mut [Visit],
    tokens: &Tokens,
    turn: Turn,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fetch> {
    let (_, mut reading) = Reading::begin(run, visits, tokens, turn)?;
    let done = take_in(run, &mut reading, progress)?;
    let mut visited = reading.visited;
    for (visit, visited) in visits.iter_mut().zip(&mut visited) {
        match visit.settle(tokens) {
            Ok(settled) => visited.settled = settled,
            Err(error) => {
                visited.failed.get_or_insert(error);
            }
        }
    }
    Ok(Fetch { done, visited })
}

/// As [`fetch`], without a generation and without a change on the server: says what each document became.
pub(super) fn fetch_into(
    run: &Run,
    visits: &mut [Visit],
    tokens: &Tokens,
    turn: Turn,
) -> Result<(Fetch, Vec<WouldBe>)> {
    let (archive, mut reading) = Reading::begin(run, visits, tokens, turn)?;
    let (done, became) = take_in_only(run, &mut reading, archive)?;
    let visited = reading.visited;
    Ok((Fetch { done, visited }, became))
}

/// Another run may have fetched meanwhile what was wanted.
fn forget_what_is_there(archive: &Archive, visits: &mut [Visit]) -> std::io::Result<()> {
    let positions = Positions::read(archive)?;
    for visit in visits {
        let selection = &visit.selection;
        let account = visit.inbox.account();
        for sighting in &mut visit.sightings {
            if sighting.uids.is_empty() {
                continue;
            }
            if selection.is_new() {
                let front = positions.front(&sighting.place, &account);
                sighting.uids.retain(|uid| !front.is_past(*uid));
            } else {
                let archived = Archived::of(archive, &sighting.place, &account)?;
                let is_again = selection.is_again;
                sighting.uids.retain(|uid| !archived.has(*uid, is_again));
            }
            if !sighting.uids.is_empty() && positions.was_other(&sighting.place, &account) {
                let front = positions.front(&sighting.place, &account);
                sighting.repeated = Repeated::of(archive, &sighting.place, &front)?;
            }
        }
    }
    Ok(())
}

impl Visited {
    fn of(visit: &Visit) -> Self {
        Self {
            inbox: visit.name().to_owned(),
            wanted: visit.wanted(),
            fetched: 0,
            settled: 0,
            has_more: false,
            failed: None,
        }
    }
}

/// The visits as a source of items.
struct Reading<'a> {
    visits: &'a mut [Visit],
    visited: Vec<Visited>,
    tokens: &'a Tokens,
    turn: Turn<'a>,
    /// When the turn of the present mailbox began.
    began: Instant,
    /// When the sink last rested.
    rested: Instant,
    folders: Folders,
    /// Why nothing more is fetched from any mailbox.
    shortage: Option<String>,
}

impl Source for Reading<'_> {
    fn is_endless(&self) -> bool {
        // Each command to a server ends after a while, and then the source learns whether anybody listens.
        false
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn items(&mut self, sink: &mut dyn Sink) -> Result<()> {
        for index in 0..self.visits.len() {
            self.began = clock::instant();
            if !self.mailbox(index, sink) {
                break;
            }
        }
        match self.shortage.take() {
            Some(words) => bail!("nothing more is fetched: {words}"),
            None => Ok(()),
        }
    }

    fn loaded(&mut self, store: &Store) -> Result<()> {
        self.visits
            .iter_mut()
            .try_for_each(|visit| visit.decide(store))
    }
}

impl<'a> Reading<'a> {
    /// Leaves out what another run has fetched meanwhile.
    fn begin(
        run: &Run,
        visits: &'a mut [Visit],
        tokens: &'a Tokens,
        turn: Turn<'a>,
    ) -> Result<(Archive, Self)> {
        let archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
        forget_what_is_there(&archive, visits).context("reading the archive")?;
        let now = clock::instant();
        let reading = Self {
            visited: visits.iter().map(Visited::of).collect(),
            visits,
            tokens,
            turn,
            began: now,
            rested: now,
            folders: run.folders.clone(),
            shortage: None,
        };
        Ok((archive, reading))
    }

    /// `false` when nobody wants more.
    fn mailbox(&mut self, index: usize, sink: &mut dyn Sink) -> bool {
        for folder in 0..self.visits[index].sightings.len() {
            match self.folder(index, folder, sink) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(error) => {
                    self.visited[index].failed = Some(error);
                    return true;
                }
            }
        }
        true
    }

    fn folder(
        &mut self,
        index: usize,
        folder: usize,
        sink: &mut dyn Sink,
    ) -> Result<bool, ImapError> {
        let visit = &mut self.visits[index];
        let uids = std::mem::take(&mut visit.sightings[folder].uids);
        if uids.is_empty() {
            return Ok(true);
        }
        if visit.sightings.len() > 1 && visit.select(folder).is_err() {
            // The server may have ended a session that waited long.
            visit.reopen(folder, self.tokens)?;
        }
        let mut fetching = Fetching::new(uids);
        let mut failures = 0;
        while fetching.left() > 0 {
            if self.turn.stop.load(Ordering::Relaxed) || !self.has_room() {
                return Ok(false);
            }
            // A failure is followed to its end: cut off there, a server that hangs would pass for one that was read, and
            // a message that cannot be had would be met anew in each turn.
            let is_over = clock::instant().duration_since(self.began) > self.turn.longest;
            if is_over && failures == 0 {
                self.visited[index].has_more = true;
                return Ok(true);
            }
            let visit = &mut self.visits[index];
            match fetching.next(&mut visit.session) {
                Ok(messages) => {
                    failures = 0;
                    if !self.hand_over(index, folder, messages, sink) {
                        return Ok(false);
                    }
                }
                Err(error) => {
                    failures += 1;
                    if failures > FAILURES || error.is_final() {
                        return Err(error);
                    }
                    tracing::warn!(inbox = visit.name(), %error, "fetching again");
                    // A connection may take long to come back.
                    if !sink.rest() {
                        return Ok(false);
                    }
                    visit.reopen(folder, self.tokens)?;
                }
            }
        }
        Ok(true)
    }

    /// A mailbox may hold more than the disk. One that cannot be looked at has room, as far as anybody knows.
    fn has_room(&mut self) -> bool {
        let shortage = disk::shortage(&self.folders, self.turn.min_free_bytes);
        self.shortage = shortage.unwrap_or_else(|error| {
            tracing::debug!(%error, "looking at the disk");
            None
        });
        self.shortage.is_none()
    }

    /// A message that is fetched again and comes without anything new is not archived once more.
    fn is_known_already(&self, index: usize, folder: usize, message: &Fetched) -> bool {
        let brings_bytes = || {
            let content = message.content.as_ref();
            content.is_ok_and(|bytes| mail::may_hold_report(bytes))
        };
        let sighting = &self.visits[index].sightings[folder];
        sighting.known_already.contains(&message.uid) && !brings_bytes()
    }

    fn hand_over(
        &mut self,
        index: usize,
        folder: usize,
        messages: Vec<Fetched>,
        sink: &mut dyn Sink,
    ) -> bool {
        for message in messages {
            if self.is_known_already(index, folder, &message) {
                continue;
            }
            let visit = &mut self.visits[index];
            let uid = message.uid;
            let message = visit.sightings[folder].repeated.told_of(message);
            let item = found(visit, folder, message);
            let sighting = &mut visit.sightings[folder];
            if !sink.take(item) {
                return false;
            }
            sighting.fetched.push(uid);
            self.visited[index].fetched += 1;
        }
        let now = clock::instant();
        if now.duration_since(self.rested) < REST_EVERY {
            return true;
        }
        self.rested = now;
        sink.rest()
    }
}

fn found(visit: &Visit, folder: usize, message: Fetched) -> FoundItem {
    let place = &visit.sightings[folder].place;
    FoundItem {
        kind: ItemKind::Mail,
        provenance: Provenance {
            source: "imap".to_owned(),
            inbox: Some(place.inbox.clone()),
            folder: Some(place.folder.clone()),
            uidvalidity: Some(place.uidvalidity),
            uid: Some(message.uid),
            account: Some(visit.inbox.account()),
            is_chosen: visit.selection.is_by_day(),
            ..Provenance::default()
        },
        content: message.content,
        head: message.head,
    }
}

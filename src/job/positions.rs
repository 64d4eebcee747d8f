//! How far each folder of each mailbox is in the archive, and nowhere else.

use std::collections::BTreeMap;
use std::io;

use crate::archive::Archive;
use crate::model::item::ItemNo;

/// A folder whose messages have lasting numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the configured inbox.
    pub inbox: String,
    /// Folder, as the server names it, in Unicode.
    pub folder: String,
    /// The numbers hold as long as this does.
    pub uidvalidity: u32,
}

/// What the archive has of a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// Its highest message.
    pub uid: u32,
    /// How many of its messages.
    pub messages: u64,
}

/// How far each folder is in the archive.
#[derive(Debug, Default)]
pub struct Positions {
    read_to: ItemNo,
    reached: BTreeMap<Place, Reached>,
}

impl Positions {
    /// Reads all of an archive.
    pub fn read(archive: &Archive) -> io::Result<Self> {
        let mut positions = Self::default();
        positions.update(archive)?;
        Ok(positions)
    }

    /// Reads on from where it read last.
    pub fn update(&mut self, archive: &Archive) -> io::Result<()> {
        if archive.position() < self.read_to {
            // Another archive was put in its place.
            *self = Self::default();
        }
        // Neighbours are mostly of one folder.
        let mut last: Option<(Place, Reached)> = None;
        let all = &mut self.reached;
        archive.fetched_mails(self.read_to, &mut |mail| {
            let is_same = |(place, _): &&mut (Place, Reached)| {
                place.folder == mail.folder
                    && place.inbox == mail.inbox
                    && place.uidvalidity == mail.uidvalidity
            };
            let reached = match last.as_mut().filter(is_same) {
                Some((_, reached)) => reached,
                None => {
                    if let Some((place, reached)) = last.take() {
                        all.insert(place, reached);
                    }
                    let place = Place {
                        inbox: mail.inbox.to_owned(),
                        folder: mail.folder.to_owned(),
                        uidvalidity: mail.uidvalidity,
                    };
                    let before = all.get(&place).copied().unwrap_or_default();
                    &mut last.insert((place, before)).1
                }
            };
            reached.uid = reached.uid.max(mail.uid);
            reached.messages += 1;
        })?;
        all.extend(last);
        self.read_to = archive.position();
        Ok(())
    }

    /// The highest message of a folder that is archived, 0 where none is.
    pub fn highest(&self, place: &Place) -> u32 {
        self.reached.get(place).map_or(0, |reached| reached.uid)
    }

    /// Those of one inbox, to keep.
    pub fn of(&self, inbox: &str) -> Self {
        let reached = self.of_inbox(inbox);
        Self {
            read_to: self.read_to,
            reached: reached.map(|(p, r)| (p.clone(), *r)).collect(),
        }
    }

    /// Every folder of an inbox.
    pub fn of_inbox<'a>(
        &'a self,
        inbox: &'a str,
    ) -> impl Iterator<Item = (&'a Place, &'a Reached)> {
        let is_of = move |(place, _): &(&Place, &Reached)| place.inbox == inbox;
        self.reached.iter().filter(is_of)
    }
}

/// The messages of one folder that are archived.
#[derive(Debug, Default)]
pub struct Archived(BTreeMap<u32, Again>);

/// Whether fetching a message again may bring something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Its bytes are kept.
    No,
    /// They are not: they were over a limit, or looked like no report, or the server did not give them.
    Maybe,
}

impl Archived {
    /// Those of a folder.
    pub fn of(archive: &Archive, place: &Place) -> io::Result<Self> {
        let mut archived = BTreeMap::new();
        archive.fetched_mails(0, &mut |mail| {
            let is_here = mail.inbox == place.inbox
                && mail.folder == place.folder
                && mail.uidvalidity == place.uidvalidity;
            if is_here {
                let again = match mail.dropped_code {
                    None | Some("expired") => Again::No,
                    Some(_) => Again::Maybe,
                };
                let known = archived.entry(mail.uid).or_insert(again);
                if again == Again::No {
                    *known = again;
                }
            }
        })?;
        Ok(Self(archived))
    }

    /// How many of the messages that a pass would take lie below the last of those that will be archived, and are not
    /// among them: passes go on above it. Both ascending.
    pub fn passed_over(&self, found: &[u32], chosen: &[u32]) -> usize {
        let last = chosen.last().copied().unwrap_or(0);
        let is_left = |uid: &&u32| chosen.binary_search(uid).is_err() && !self.has(**uid, false);
        found
            .iter()
            .take_while(|uid| **uid < last)
            .filter(is_left)
            .count()
    }

    /// Whether a message is there; with `is_again`, one whose bytes are not does not count.
    pub fn has(&self, uid: u32, is_again: bool) -> bool {
        match self.0.get(&uid) {
            None => false,
            Some(Again::No) => true,
            Some(Again::Maybe) => !is_again,
        }
    }
}

//! How far each folder of each mailbox is in the archive, and nowhere else.

use std::collections::BTreeMap;
use std::io;

use super::uid_set::UidSet;
use crate::archive::{Archive, FetchedMail};
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

impl Place {
    fn is_of(&self, mail: &FetchedMail) -> bool {
        self.folder == mail.folder
            && self.inbox == mail.inbox
            && self.uidvalidity == mail.uidvalidity
    }
}

/// What the archive has of a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// Its highest message.
    pub uid: u32,
    /// How many of its messages.
    pub messages: u64,
}

/// How far a folder is in the archive, for those who go on from there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// Up to here, every message was taken that was wanted.
    passed: u32,
    /// Those above it that are archived: they were chosen by their days, and say nothing of those before them.
    chosen: UidSet,
    /// Mails of earlier items are of another account.
    first_item: ItemNo,
}

impl Front {
    /// Passes look for messages above this one.
    pub fn passed(&self) -> u32 {
        self.passed
    }

    /// Whether a pass is past a message, or the archive has it.
    pub fn is_past(&self, uid: u32) -> bool {
        uid <= self.passed || self.chosen.contains(uid)
    }

    /// The highest message that may be archived.
    pub fn last(&self) -> u32 {
        self.passed.max(self.chosen.last())
    }

    /// The first message that a pass may want; `None` where there can be none.
    pub fn next(&self) -> Option<u32> {
        self.chosen.first_missing_above(self.passed)
    }

    /// Items before this one hold mails of another account.
    pub fn first_item(&self) -> ItemNo {
        self.first_item
    }

    fn take(&mut self, uid: u32, is_chosen: bool) {
        if uid <= self.passed {
            return;
        }
        if is_chosen {
            self.chosen.insert(uid);
        } else {
            self.passed = uid;
            self.chosen.forget_up_to(uid);
        }
    }
}

/// A folder of one account.
#[derive(Debug, Clone, Default)]
struct Progress {
    /// As far as it was noted.
    account: Option<String>,
    /// Whether it was of another one before.
    was_other: bool,
    reached: Reached,
    front: Front,
}

impl Progress {
    /// The inbox became another account: nothing counts that was before.
    fn take(&mut self, mail: &FetchedMail) {
        if is_other(self.account.as_deref(), mail.account) {
            *self = Self {
                was_other: true,
                ..Self::default()
            };
        }
        if let (None, Some(account)) = (&self.account, mail.account) {
            self.account = Some(account.to_owned());
        }
        if self.reached.messages == 0 {
            self.front.first_item = mail.item_no;
        }
        self.reached.uid = self.reached.uid.max(mail.uid);
        self.reached.messages += 1;
        self.front.take(mail.uid, mail.is_chosen);
    }
}

/// Whether two accounts are not the same; one that was not noted may be any.
fn is_other(known: Option<&str>, account: Option<&str>) -> bool {
    known.zip(account).is_some_and(|(one, other)| one != other)
}

/// How far each folder is in the archive.
#[derive(Debug, Default)]
pub struct Positions {
    read_to: ItemNo,
    folders: BTreeMap<Place, Progress>,
}

impl Positions {
    /// Reads all of an archive.
    pub fn read(archive: &Archive) -> io::Result<Self> {
        let mut positions = Self::default();
        positions.update(archive)?;
        Ok(positions)
    }

    /// Reads on from where it read last. After an error it knows how far it came, and goes on from there.
    pub fn update(&mut self, archive: &Archive) -> io::Result<()> {
        if archive.position() < self.read_to {
            // Another archive was put in its place.
            *self = Self::default();
        }
        // Neighbours are mostly of one folder.
        let mut last: Option<(Place, Progress)> = None;
        let (all, read_to) = (&mut self.folders, &mut self.read_to);
        let read = archive.fetched_mails(*read_to, &mut |mail| {
            let is_same = |(place, _): &&mut (Place, Progress)| place.is_of(&mail);
            let progress = match last.as_mut().filter(is_same) {
                Some((_, progress)) => progress,
                None => {
                    all.extend(last.take());
                    let place = Place {
                        inbox: mail.inbox.to_owned(),
                        folder: mail.folder.to_owned(),
                        uidvalidity: mail.uidvalidity,
                    };
                    let before = all.remove(&place).unwrap_or_default();
                    &mut last.insert((place, before)).1
                }
            };
            progress.take(&mail);
            *read_to = mail.item_no;
        });
        self.folders.extend(last);
        read?;
        self.read_to = archive.position();
        Ok(())
    }

    /// Whether a folder was read before under other numbers, or of another account.
    pub fn was_other(&self, place: &Place, account: &str) -> bool {
        let is_same_folder =
            |other: &Place| other.inbox == place.inbox && other.folder == place.folder;
        let mut others = self
            .folders
            .iter()
            .filter(|(other, _)| is_same_folder(other));
        others.any(|(other, progress)| {
            other != place
                || progress.was_other
                || is_other(progress.account.as_deref(), Some(account))
        })
    }

    /// How far a folder of an account is.
    pub fn front(&self, place: &Place, account: &str) -> Front {
        let known = self.folders.get(place);
        match known.filter(|known| !is_other(known.account.as_deref(), Some(account))) {
            Some(progress) => progress.front.clone(),
            None => Front {
                first_item: self.read_to + 1,
                ..Front::default()
            },
        }
    }

    /// Those of one inbox, to keep.
    pub fn of(&self, inbox: &str) -> Self {
        let is_of = |(place, _): &(&Place, &Progress)| place.inbox == inbox;
        let folders = self.folders.iter().filter(is_of);
        Self {
            read_to: self.read_to,
            folders: folders.map(|(p, r)| (p.clone(), r.clone())).collect(),
        }
    }

    /// Every folder of an inbox.
    pub fn of_inbox<'a>(&'a self, inbox: &'a str) -> impl Iterator<Item = (&'a Place, Reached)> {
        let is_of = move |(place, _): &(&Place, &Progress)| place.inbox == inbox;
        let folders = self.folders.iter().filter(is_of);
        folders.map(|(place, progress)| (place, progress.reached))
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
    /// Those of a folder of an account.
    pub fn of(archive: &Archive, place: &Place, account: &str) -> io::Result<Self> {
        let mut archived = BTreeMap::new();
        let mut owner: Option<String> = None;
        archive.fetched_mails(0, &mut |mail| {
            if !place.is_of(&mail) {
                return;
            }
            if is_other(owner.as_deref(), mail.account) {
                archived.clear();
            }
            if let Some(noted) = mail
                .account
                .filter(|noted| owner.as_deref() != Some(*noted))
            {
                owner = Some(noted.to_owned());
            }
            let again = match mail.dropped_code {
                None | Some("expired") => Again::No,
                Some(_) => Again::Maybe,
            };
            let known = archived.entry(mail.uid).or_insert(again);
            if again == Again::No {
                *known = again;
            }
        })?;
        if is_other(owner.as_deref(), Some(account)) {
            archived.clear();
        }
        Ok(Self(archived))
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

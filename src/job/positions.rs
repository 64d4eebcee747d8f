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

/// The highest message of each folder that is archived.
#[derive(Debug, Default)]
pub struct Positions {
    read_to: ItemNo,
    highest: BTreeMap<Place, u32>,
}

impl Positions {
    /// Reads on from where it read last.
    pub fn update(&mut self, archive: &Archive) -> io::Result<()> {
        let mut last: Option<(Place, u32)> = None;
        let highest = &mut self.highest;
        let mut note = |place: Place, uid: u32| {
            let known = highest.entry(place).or_default();
            *known = uid.max(*known);
        };
        archive.fetched_mails(self.read_to, &mut |mail| match &mut last {
            Some((place, uid))
                if place.folder == mail.folder
                    && place.inbox == mail.inbox
                    && place.uidvalidity == mail.uidvalidity =>
            {
                *uid = mail.uid.max(*uid);
            }
            other => {
                let place = Place {
                    inbox: mail.inbox.to_owned(),
                    folder: mail.folder.to_owned(),
                    uidvalidity: mail.uidvalidity,
                };
                if let Some((place, uid)) = other.replace((place, mail.uid)) {
                    note(place, uid);
                }
            }
        })?;
        if let Some((place, uid)) = last {
            note(place, uid);
        }
        self.read_to = archive.position();
        Ok(())
    }

    /// The highest message of a folder that is archived, 0 where none is.
    pub fn highest(&self, place: &Place) -> u32 {
        self.highest.get(place).copied().unwrap_or(0)
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

    /// Whether a message is there; with `is_again`, one whose bytes are not does not count.
    pub fn has(&self, uid: u32, is_again: bool) -> bool {
        match self.0.get(&uid) {
            None => false,
            Some(Again::No) => true,
            Some(Again::Maybe) => !is_again,
        }
    }
}

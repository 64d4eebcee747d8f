//! The ledger as others write it: what people did with alerts while the daemon was busy with something else.

use std::fs;
use std::io;

use crate::job::folders::Folders;
use crate::ledger::{Ledger, Place, View};

/// The ledger, as far as it was read.
pub(super) struct Followed {
    folders: Folders,
    /// Bytes of the file when it was last read.
    bytes: u64,
    place: Place,
    view: View,
}

impl Followed {
    /// Reads nothing yet.
    pub(super) fn new(folders: Folders) -> Self {
        Self {
            folders,
            bytes: 0,
            place: Place::default(),
            view: View::default(),
        }
    }

    /// What it says, as far as it was read.
    pub(super) fn view(&self) -> &View {
        &self.view
    }

    /// Reads on; whether there is something that alerts depend on.
    pub(super) fn look(&mut self) -> io::Result<bool> {
        let path = self.folders.ledger().join("events.jsonl");
        let bytes = match fs::metadata(path) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        if bytes == self.bytes {
            return Ok(false);
        }
        if bytes < self.place.offset {
            // Somebody took a copy of before.
            (self.place, self.view) = (Place::default(), View::default());
        }
        let ledger = Ledger::open(&self.folders.ledger())?;
        let (entries, place) = ledger.read_behind(self.place)?;
        self.view.fold_more(&entries);
        // Of runs, jobs and what is gone, nothing is asked here.
        self.view.runs.clear();
        (self.bytes, self.place) = (bytes, place);
        Ok(entries.iter().any(|entry| entry.event.shapes_alerts()))
    }
}

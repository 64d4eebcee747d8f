//! Which messages of a folder are wanted, and which of those that the archive has may still have to be treated.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::{Known, Sighting, Visit};
use crate::job::positions::{Archived, Front, Place};
use crate::job::repeated::Repeated;
use crate::model::inbox::After;
use crate::source::imap::{Folder, ImapError, Opened, Wanted};

impl Visit {
    pub(super) fn look(&mut self, folder: &Folder, known: &Known) -> Result<Sighting> {
        let opened = self.session.select(folder, self.is_changing())?;
        let place = Place {
            inbox: self.inbox.name.clone(),
            folder: folder.name.clone(),
            uidvalidity: opened.uidvalidity,
        };
        let account = self.inbox.account();
        let front = known.positions.front(&place, &account);
        not_put_back(&opened, front.last())?;
        let selection = &self.selection;
        let is_new = selection.is_new();
        let wanted = Wanted {
            above_uid: if is_new { front.passed() } else { 0 },
            only_unseen: self.inbox.only_unseen && !selection.is_all,
            recipient: self.inbox.recipient.clone(),
            since: selection.since,
            before: selection.before,
        };
        let is_below = |next: u32| opened.uid_next == 0 || next < opened.uid_next;
        let has_nothing = opened.messages == 0 || (is_new && !front.next().is_some_and(is_below));
        let mut uids = if has_nothing {
            Vec::new()
        } else {
            self.session.search(&wanted)?
        };
        let mut known_already = BTreeSet::new();
        if is_new {
            uids.retain(|uid| !front.is_past(*uid));
        } else if !uids.is_empty() {
            let archived = Archived::of(known.archive, &place, &account);
            let archived = archived.context("reading the archive")?;
            uids.retain(|uid| !archived.has(*uid, self.selection.is_again));
            known_already.extend(uids.iter().filter(|uid| archived.has(**uid, false)));
        }
        let remaining = if self.is_changing() && opened.messages > 0 {
            self.remaining(wanted, &front)?
        } else {
            Vec::new()
        };
        let seen = self.seen(&remaining, front.last())?;
        Ok(Sighting {
            opened,
            place,
            first_item: front.first_item(),
            uids,
            known_already,
            repeated: Repeated::default(),
            remaining,
            seen,
            fetched: Vec::new(),
            tasks: Vec::new(),
            left: BTreeSet::new(),
            settled: BTreeSet::new(),
        })
    }

    /// Those that are archived and that earlier runs may not have treated as they should.
    fn remaining(&mut self, wanted: Wanted, front: &Front) -> Result<Vec<u32>, ImapError> {
        let mut uids = if !self.selection.is_marking {
            let only_unseen = !self.is_moving();
            self.session.remaining(front.last(), only_unseen)?
        } else if self.selection.limit.is_some() {
            // Those that an earlier run had within its limit are not known any more.
            Vec::new()
        } else {
            // Marked are those that were chosen, and no others.
            let chosen = Wanted {
                above_uid: 0,
                only_unseen: true,
                ..wanted
            };
            self.session.search(&chosen)?
        };
        uids.retain(|uid| front.is_past(*uid));
        Ok(uids)
    }

    /// Those of the remaining ones that are read already. Where others leave, all that stay remain: they would be marked
    /// anew by each run.
    fn seen(&mut self, remaining: &[u32], last_uid: u32) -> Result<BTreeSet<u32>, ImapError> {
        let after = [self.inbox.after, self.inbox.without_report];
        if remaining.is_empty() || !self.is_moving() || !after.contains(&After::MarkSeen) {
            return Ok(BTreeSet::new());
        }
        let unseen = self.session.remaining(last_uid, true)?;
        let is_seen = |uid: &u32| unseen.binary_search(uid).is_err();
        Ok(remaining.iter().copied().filter(is_seen).collect())
    }

    /// Whether messages are changed at all.
    pub(super) fn is_changing(&self) -> bool {
        self.selection.is_marking
            || [self.inbox.after, self.inbox.without_report] != [After::Nothing; 2]
    }

    /// Whether messages leave the folder.
    pub(super) fn is_moving(&self) -> bool {
        let leaves = |after| matches!(after, After::Move | After::Delete);
        !self.selection.is_marking
            && (leaves(self.inbox.after) || leaves(self.inbox.without_report))
    }
}

/// Under numbers that are archived, new messages would be taken for old ones.
fn not_put_back(opened: &Opened, last: u32) -> Result<(), ImapError> {
    match opened.uid_next {
        next if next == 0 || next > last => Ok(()),
        next => Err(ImapError::PutBack {
            folder: opened.folder.name.clone(),
            next,
            last,
        }),
    }
}

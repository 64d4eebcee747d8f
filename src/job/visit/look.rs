//! Which messages of a folder are wanted, and which of those that the archive has may still have to be treated.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::{Known, Sighting, Visit};
use crate::job::positions::{Archived, Place};
use crate::model::inbox::After;
use crate::source::imap::{Folder, ImapError, Wanted};

impl Visit {
    pub(super) fn look(&mut self, folder: &Folder, known: &Known) -> Result<Sighting> {
        let opened = self.session.select(folder, self.is_changing())?;
        let place = Place {
            inbox: self.inbox.name.clone(),
            folder: folder.name.clone(),
            uidvalidity: opened.uidvalidity,
        };
        let highest = known.positions.highest(&place);
        let selection = &self.selection;
        let is_new = !selection.is_all && !selection.is_again;
        let wanted = Wanted {
            above_uid: if is_new { highest } else { 0 },
            only_unseen: self.inbox.only_unseen && !selection.is_all,
            recipient: self.inbox.recipient.clone(),
            since: selection.since,
            before: selection.before,
        };
        let has_nothing_above = opened.messages == 0
            || (is_new && opened.uid_next != 0 && opened.uid_next - 1 <= highest);
        let mut uids = if has_nothing_above {
            Vec::new()
        } else {
            self.session.search(&wanted)?
        };
        let mut known_already = BTreeSet::new();
        if !is_new && !uids.is_empty() {
            let archived = Archived::of(known.archive, &place).context("reading the archive")?;
            uids.retain(|uid| !archived.has(*uid, selection.is_again));
            self.tell_of_gap(&uids, highest, &archived)?;
            known_already.extend(uids.iter().filter(|uid| archived.has(**uid, false)));
        }
        let remaining = if self.is_changing() && opened.messages > 0 {
            self.remaining(wanted, highest)?
        } else {
            Vec::new()
        };
        Ok(Sighting {
            opened,
            place,
            uids,
            known_already,
            remaining,
            fetched: Vec::new(),
            tasks: Vec::new(),
            left: BTreeSet::new(),
        })
    }

    /// Says so where days leave out messages that no pass will come back to.
    fn tell_of_gap(
        &mut self,
        uids: &[u32],
        highest: u32,
        archived: &Archived,
    ) -> Result<(), ImapError> {
        if self.selection.since.or(self.selection.before).is_none() {
            return Ok(());
        }
        let found = self.session.search(&Wanted {
            above_uid: highest,
            only_unseen: self.inbox.only_unseen,
            recipient: self.inbox.recipient.clone(),
            ..Wanted::default()
        })?;
        let passed_over = archived.passed_over(&found, uids);
        if passed_over > 0 {
            tracing::warn!(
                inbox = self.inbox.name,
                "{passed_over} messages that are not chosen lie before the last one that is: a pass will not take them \
                 any more, `sentinel backlog` without days does"
            );
        }
        Ok(())
    }

    /// Those up to a number that earlier runs may not have treated as they should.
    fn remaining(&mut self, wanted: Wanted, highest: u32) -> Result<Vec<u32>, ImapError> {
        if !self.selection.is_marking {
            let only_unseen = !self.is_moving();
            return self.session.remaining(highest, only_unseen);
        }
        if self.selection.limit.is_some() {
            // Those that an earlier run had within its limit are not known any more.
            return Ok(Vec::new());
        }
        // Marked are those that were chosen, and no others.
        let chosen = Wanted {
            above_uid: 0,
            only_unseen: true,
            ..wanted
        };
        let mut uids = self.session.search(&chosen)?;
        uids.retain(|uid| *uid <= highest);
        Ok(uids)
    }

    /// Whether messages are changed at all.
    pub(super) fn is_changing(&self) -> bool {
        self.selection.is_marking
            || [self.inbox.after, self.inbox.without_report] != [After::Nothing; 2]
    }

    /// Whether messages leave the folder.
    fn is_moving(&self) -> bool {
        let leaves = |after| matches!(after, After::Move | After::Delete);
        !self.selection.is_marking
            && (leaves(self.inbox.after) || leaves(self.inbox.without_report))
    }
}

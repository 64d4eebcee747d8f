//! What is done with messages on the server once their items are durable and read.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Visit;
use super::task::{Ending, Task, task};
use crate::source::imap::{ImapError, Tokens};
use crate::store::working::Store;

impl Visit {
    /// Decides what is done with messages, by how their documents ended.
    pub(in crate::job) fn decide(&mut self, store: &Store) -> Result<()> {
        if !self.is_changing() {
            return Ok(());
        }
        let (inbox, is_marking) = (&self.inbox, self.selection.is_marking);
        for sighting in &mut self.sightings {
            let mut uids = std::mem::take(&mut sighting.remaining);
            uids.extend(&sighting.fetched);
            uids.sort_unstable();
            uids.dedup();
            let place = &sighting.place;
            let mut tasks: BTreeMap<Task, Vec<u32>> = BTreeMap::new();
            sighting.left = uids.iter().copied().collect();
            let first_item = sighting.first_item;
            let ended = store.mail_endings(
                &place.inbox,
                &place.folder,
                place.uidvalidity,
                first_item,
                &uids,
            )?;
            for mail in ended {
                let ending = if mail.has_report {
                    Ending::Report
                } else if mail.has_refusal {
                    Ending::Refused
                } else {
                    Ending::NoReport
                };
                let task = if is_marking {
                    Some(Task::MarkSeen)
                } else {
                    task(inbox, ending, mail.is_kept)
                };
                let is_done = task == Some(Task::MarkSeen) && sighting.seen.contains(&mail.uid);
                if let Some(task) = task.filter(|_| !is_done) {
                    sighting.left.remove(&mail.uid);
                    tasks.entry(task).or_default().push(mail.uid);
                }
            }
            sighting.tasks = tasks.into_iter().collect();
        }
        Ok(())
    }

    /// Does what was decided; what fails is decided anew by the next run.
    pub(in crate::job) fn settle(&mut self, tokens: &Tokens) -> Result<u64, ImapError> {
        let mut settled = 0;
        let is_moving = self.is_moving();
        for index in 0..self.sightings.len() {
            let tasks = std::mem::take(&mut self.sightings[index].tasks);
            if tasks.is_empty() {
                continue;
            }
            // The server may have ended the session while the store worked.
            if self.select(index).is_err() {
                self.reopen(index, tokens)?;
            }
            for (task, uids) in tasks {
                let stays = is_moving && task == Task::MarkSeen;
                match task {
                    Task::MarkSeen => self.session.mark_seen(&uids)?,
                    Task::Delete => self.session.delete(&uids)?,
                    Task::Move(name) => {
                        let folder = self.session.make_folder(&name)?;
                        let sighting = &mut self.sightings[index];
                        if folder == sighting.opened.folder {
                            // Moved there again, they would be new ones for ever.
                            sighting.left.extend(uids);
                            continue;
                        }
                        self.session.move_to(&uids, &folder)?;
                    }
                }
                settled += uids.len() as u64;
                let sighting = &mut self.sightings[index];
                if stays {
                    // Where others leave, it remains for the next look, marked or not: that is no sign of a deaf server.
                    sighting.left.extend(uids);
                } else {
                    sighting.settled.extend(uids);
                }
            }
        }
        Ok(settled)
    }
}

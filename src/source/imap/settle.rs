//! What is done to messages that have been read: marked, moved, deleted.

use super::search::uid_set;
use super::{ANSWER_BYTES, Folder, ImapError, Session};

/// Messages that one command changes.
const PIECE: usize = 500;

impl Session {
    /// The messages of the open folder that nobody has read, or all that are there, among those up to `last_uid`.
    pub fn remaining(&mut self, last_uid: u32, only_unseen: bool) -> Result<Vec<u32>, ImapError> {
        if last_uid == 0 {
            return Ok(Vec::new());
        }
        let unseen = if only_unseen { " UNSEEN" } else { "" };
        let criteria = format!("UID 1:{last_uid} UNDELETED{unseen}");
        let found = self.command("search the folder", ANSWER_BYTES, |imap| {
            imap.uid_search(&criteria)
        })?;
        let mut uids: Vec<u32> = found.into_iter().filter(|uid| *uid <= last_uid).collect();
        uids.sort_unstable();
        Ok(uids)
    }

    /// Gives messages of the open folder the flag `\Seen`.
    pub fn mark_seen(&mut self, uids: &[u32]) -> Result<(), ImapError> {
        for piece in uids.chunks(PIECE) {
            self.flag("mark messages", piece, "\\Seen")?;
        }
        Ok(())
    }

    /// Moves messages of the open folder into another (RFC 6851, or copied and deleted where the server cannot).
    pub fn move_to(&mut self, uids: &[u32], folder: &Folder) -> Result<(), ImapError> {
        let to = folder.wire_name.as_str();
        for piece in uids.chunks(PIECE) {
            let set = uid_set(piece);
            if self.can("MOVE") {
                self.command("move messages", ANSWER_BYTES, |imap| imap.uid_mv(&set, to))?;
            } else {
                self.command("copy messages", ANSWER_BYTES, |imap| {
                    imap.uid_copy(&set, to)
                })?;
                self.expunge(piece)?;
            }
        }
        Ok(())
    }

    /// Deletes messages of the open folder for good.
    pub fn delete(&mut self, uids: &[u32]) -> Result<(), ImapError> {
        for piece in uids.chunks(PIECE) {
            self.expunge(piece)?;
        }
        Ok(())
    }

    fn flag(
        &mut self,
        doing: &'static str,
        uids: &[u32],
        flag: &'static str,
    ) -> Result<(), ImapError> {
        let set = uid_set(uids);
        let query = format!("+FLAGS.SILENT ({flag})");
        self.command(doing, ANSWER_BYTES, |imap| imap.uid_store(&set, &query))
            .map(drop)
    }

    /// Without UIDPLUS (RFC 4315) a server can only remove all that is marked as deleted. What somebody else has marked
    /// is not ours to remove: then ours stays marked, and out of sight, until they do.
    fn expunge(&mut self, uids: &[u32]) -> Result<(), ImapError> {
        const DOING: &str = "delete messages";
        self.flag(DOING, uids, "\\Deleted")?;
        if self.can("UIDPLUS") {
            let set = uid_set(uids);
            return self
                .command(DOING, ANSWER_BYTES, |imap| imap.uid_expunge(&set))
                .map(drop);
        }
        let marked = self.command(DOING, ANSWER_BYTES, |imap| imap.uid_search("DELETED"))?;
        if marked.iter().all(|uid| uids.binary_search(uid).is_ok()) {
            self.command(DOING, ANSWER_BYTES, |imap| imap.expunge())
                .map(drop)?;
        }
        Ok(())
    }
}

//! Which messages of which mailboxes the archive holds: the position of every mailbox is read from here.

use std::io;

use duckdb::arrow::array::{BooleanArray, Int64Array, RecordBatch, StringArray};

use super::decode::{is_set, later, present, text_at, typed};
use super::read::OpenSegment;
use super::{Archive, columns};
use crate::model::item::ItemNo;

/// Columns that say where a mail came from, and whether its bytes are there.
const COLUMNS: [&str; 8] = [
    "inbox",
    "folder",
    "uidvalidity",
    "uid",
    columns::ACCOUNT,
    columns::IS_CHOSEN,
    columns::STORED,
    "dropped_code",
];

/// Columns that say more of those whose bytes are not.
const OF_DROPPED: [&str; 3] = [columns::SHA256, columns::BYTES, "message_id"];

/// A mail that was fetched from a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchedMail<'a> {
    /// Its number in the archive.
    pub item_no: ItemNo,
    /// Name of the configured inbox.
    pub inbox: &'a str,
    /// Folder, as the server names it, in Unicode.
    pub folder: &'a str,
    /// UIDVALIDITY of the folder.
    pub uidvalidity: u32,
    /// UID.
    pub uid: u32,
    /// Account that the inbox was; `None` where it was not noted.
    pub account: Option<&'a str>,
    /// Whether it was chosen by its day, without those before it.
    pub is_chosen: bool,
    /// Why its bytes are not kept; `None` where they are, with it or with an earlier item.
    pub dropped_code: Option<&'a str>,
}

impl Archive {
    /// Tells of every mail from a mailbox above `after`, in order. Reads no content.
    pub fn fetched_mails(
        &self,
        after: ItemNo,
        found: &mut dyn FnMut(FetchedMail),
    ) -> io::Result<()> {
        self.groups_of_mails(after, &COLUMNS, &mut |batch, first, after| {
            of_group(batch, first, after, &mut |_, mail| found(mail))
        })
    }

    /// Tells of every mail from a mailbox whose bytes are not kept, in order.
    pub fn dropped_mails(&self, found: &mut dyn FnMut(DroppedMail)) -> io::Result<()> {
        let columns = [COLUMNS.as_slice(), &OF_DROPPED].concat();
        self.groups_of_mails(0, &columns, &mut |batch, first, after| {
            let text = |name| typed::<StringArray>(batch, name);
            let (hashes, message_ids) = (text(columns::SHA256)?, text(OF_DROPPED[2])?);
            let sizes = typed::<Int64Array>(batch, columns::BYTES)?;
            of_group(batch, first, after, &mut |row, mail| {
                if let Some(code) = mail.dropped_code {
                    found(DroppedMail {
                        mail,
                        code,
                        sha256: hashes.value(row),
                        bytes: present(sizes, row, sizes.value(row)).map_or(0, i64::unsigned_abs),
                        message_id: text_at(Some(message_ids), row),
                    });
                }
            })
        })
    }

    /// Reads columns of all row groups with items above `after`; tells of each with its first item and of those that are
    /// known already.
    fn groups_of_mails(
        &self,
        after: ItemNo,
        columns: &[&str],
        group_of: &mut dyn FnMut(&RecordBatch, ItemNo, ItemNo) -> Result<(), String>,
    ) -> io::Result<()> {
        let mut after = after;
        for segment in self.above(after) {
            // Segments may have been joined since they were listed.
            if segment.last <= after {
                continue;
            }
            let open = OpenSegment::holding(segment, segment.first.max(after + 1))?;
            for group in 0..open.groups() {
                let batch = open.group(group, columns)?;
                group_of(&batch, open.first_of(group), after)
                    .map_err(|error| open.damaged(&error))?;
            }
            after = open.first_of(open.groups()) - 1;
        }
        Ok(())
    }
}

/// A mail from a mailbox whose bytes are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DroppedMail<'a> {
    /// Where it came from.
    pub mail: FetchedMail<'a>,
    /// Why its bytes are not kept.
    pub code: &'a str,
    /// SHA-256 of its bytes, hex digits; of nothing where they were never read.
    pub sha256: &'a str,
    /// Its size.
    pub bytes: u64,
    /// `Message-ID` without `<>`.
    pub message_id: Option<&'a str>,
}

fn of_group(
    batch: &RecordBatch,
    first: ItemNo,
    after: ItemNo,
    found: &mut dyn FnMut(usize, FetchedMail),
) -> Result<(), String> {
    let text = |name| typed::<StringArray>(batch, name);
    let (inboxes, folders) = (text("inbox")?, text("folder")?);
    let (stored, codes) = (text(columns::STORED)?, text("dropped_code")?);
    let [uidvalidities, uids] = ["uidvalidity", "uid"].map(|name| typed::<Int64Array>(batch, name));
    let (uidvalidities, uids) = (uidvalidities?, uids?);
    let accounts = later::<StringArray>(batch, columns::ACCOUNT)?;
    let chosen = later::<BooleanArray>(batch, columns::IS_CHOSEN)?;
    for (row, item_no) in (0..batch.num_rows()).zip(first..) {
        let number = |column: &Int64Array| {
            let value = present(column, row, column.value(row))?;
            u32::try_from(value).ok()
        };
        let (Some(inbox), Some(folder), Some(uidvalidity), Some(uid)) = (
            present(inboxes, row, inboxes.value(row)),
            present(folders, row, folders.value(row)),
            number(uidvalidities),
            number(uids),
        ) else {
            continue;
        };
        if item_no <= after {
            continue;
        }
        let is_dropped = present(stored, row, stored.value(row)) == Some("dropped");
        let code = present(codes, row, codes.value(row));
        let mail = FetchedMail {
            item_no,
            inbox,
            folder,
            uidvalidity,
            uid,
            account: text_at(accounts, row),
            is_chosen: is_set(chosen, row),
            dropped_code: code.filter(|_| is_dropped),
        };
        found(row, mail);
    }
    Ok(())
}

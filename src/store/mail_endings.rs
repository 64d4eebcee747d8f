//! How mails from a mailbox ended: decides what is done with them there.

use anyhow::{Context, Result};
use duckdb::params;

use super::working::Store;

/// How the documents of a mail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailEnding {
    /// Its number in the folder.
    pub uid: u32,
    /// One of them is a report, counted or not.
    pub has_report: bool,
    /// One of them was refused.
    pub has_refusal: bool,
    /// The archive has its bytes.
    pub is_kept: bool,
}

const ENDINGS: &str = "select uid,
        bool_or(outcome not in ('refused', 'not-a-report')) as has_report,
        bool_or(outcome = 'refused') as has_refusal,
        bool_or(content <> 'dropped') as is_kept
    from items join documents using (item_no)
    where inbox = ? and folder = ? and uidvalidity = ? and uid between ? and ?
    group by uid
    order by uid";

impl Store {
    /// Of those of the mails that are loaded, ascending; `uids` are ascending.
    pub fn mail_endings(
        &self,
        inbox: &str,
        folder: &str,
        uidvalidity: u32,
        uids: &[u32],
    ) -> Result<Vec<MailEnding>> {
        let (Some(first), Some(last)) = (uids.first(), uids.last()) else {
            return Ok(Vec::new());
        };
        let mut statement = self.connection.prepare(ENDINGS)?;
        let rows =
            statement.query_map(params![inbox, folder, uidvalidity, first, last], |row| {
                Ok(MailEnding {
                    uid: row.get(0)?,
                    has_report: row.get(1)?,
                    has_refusal: row.get(2)?,
                    is_kept: row.get(3)?,
                })
            })?;
        let mut endings = Vec::new();
        for ending in rows {
            let ending = ending.context("reading how mails ended")?;
            if uids.binary_search(&ending.uid).is_ok() {
                endings.push(ending);
            }
        }
        Ok(endings)
    }
}

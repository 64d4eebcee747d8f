//! How mails from a mailbox ended: decides what is done with them there.

use anyhow::{Context, Result};
use duckdb::params;

use super::working::Store;
use crate::model::item::ItemNo;

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

/// What a document of a mail became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldBe {
    /// Folder of the mail.
    pub folder: String,
    /// Its number there.
    pub uid: u32,
    /// Subject, a stranger's words.
    pub subject: String,
    /// `accepted`, `duplicate`, …
    pub outcome: String,
    /// Code of a refusal.
    pub code: Option<String>,
    /// What it is about, or why it was refused.
    pub detail: String,
}

const BECAME: &str = "select coalesce(items.folder, ''), coalesce(items.uid, 0), coalesce(items.subject, ''),
        outcome, code, coalesce(
            (select org_name || ' about ' || domain || ', ' || day from reports where reports.id = documents.report),
            (select org_name || ' about TLS' from tls_reports where tls_reports.id = documents.report),
            detail, '')
    from items join documents using (item_no)
    where item_no > ?
    order by item_no, documents.path, outcome";

const ENDINGS: &str = "select uid,
        bool_or(outcome not in ('refused', 'not-a-report') and coalesce(code, '') not like 'repeated-%') as has_report,
        bool_or(outcome = 'refused' or coalesce(code, '') = 'repeated-refusal') as has_refusal,
        bool_or(content <> 'dropped' and coalesce(code, '') <> 'archive-incomplete') as is_kept
    from items join documents using (item_no)
    where inbox = ? and folder = ? and uidvalidity = ? and item_no >= ? and uid between ? and ?
    group by uid
    order by uid";

impl Store {
    /// Of those of the mails that are loaded, ascending; `uids` are ascending. Items before `first_item` were mails of
    /// another account.
    pub fn mail_endings(
        &self,
        inbox: &str,
        folder: &str,
        uidvalidity: u32,
        first_item: ItemNo,
        uids: &[u32],
    ) -> Result<Vec<MailEnding>> {
        let (Some(first), Some(last)) = (uids.first(), uids.last()) else {
            return Ok(Vec::new());
        };
        let mut statement = self.connection.prepare(ENDINGS)?;
        let rows = statement.query_map(
            params![inbox, folder, uidvalidity, first_item, first, last],
            |row| {
                Ok(MailEnding {
                    uid: row.get(0)?,
                    has_report: row.get(1)?,
                    has_refusal: row.get(2)?,
                    is_kept: row.get(3)?,
                })
            },
        )?;
        let mut endings = Vec::new();
        for ending in rows {
            let ending = ending.context("reading how mails ended")?;
            if uids.binary_search(&ending.uid).is_ok() {
                endings.push(ending);
            }
        }
        Ok(endings)
    }

    /// Every document of the mails behind an item, in order.
    pub fn became(&self, after: ItemNo) -> Result<Vec<WouldBe>> {
        let mut statement = self.connection.prepare(BECAME)?;
        let rows = statement.query_map(params![after], |row| {
            Ok(WouldBe {
                folder: row.get(0)?,
                uid: row.get(1)?,
                subject: row.get(2)?,
                outcome: row.get(3)?,
                code: row.get(4)?,
                detail: row.get(5)?,
            })
        })?;
        rows.collect::<duckdb::Result<_>>()
            .context("reading what documents became")
    }
}

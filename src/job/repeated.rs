//! Mails that come again because their folder is read anew, under other numbers or of another account, and whose bytes
//! are not there to know them by: they are told of once.

use std::collections::BTreeSet;
use std::io;

use sha2::{Digest as _, Sha256};

use super::positions::{Front, Place};
use crate::archive::Archive;
use crate::mail;
use crate::model::hex::hex;
use crate::model::outcome::Refusal;
use crate::source::imap::Fetched;

/// What the archive knows of mails of a folder whose bytes it does not keep.
#[derive(Debug, Default)]
pub(super) struct Repeated(BTreeSet<String>);

impl Repeated {
    /// Those that came under other numbers than the folder has now.
    pub(super) fn of(archive: &Archive, place: &Place, front: &Front) -> io::Result<Self> {
        let mut known = BTreeSet::new();
        archive.dropped_mails(&mut |dropped| {
            let mail = &dropped.mail;
            let is_other = mail.inbox == place.inbox
                && mail.folder == place.folder
                && (mail.uidvalidity != place.uidvalidity || mail.item_no < front.first_item());
            match dropped.code {
                _ if !is_other => {}
                Refusal::NOT_A_REPORT => {
                    known.insert(dropped.sha256.to_owned());
                }
                Refusal::LIMIT_ITEM_BYTES => {
                    known.extend(by_name(dropped.bytes, dropped.message_id));
                }
                _ => {}
            }
        })?;
        Ok(Self(known))
    }

    /// The message as it is archived: one that is known comes without its bytes.
    pub(super) fn told_of(&self, message: Fetched) -> Fetched {
        match self.code(&message) {
            Some(code) => without_bytes(message, code),
            None => message,
        }
    }

    fn code(&self, message: &Fetched) -> Option<&'static str> {
        if self.0.is_empty() {
            return None;
        }
        match &message.content {
            Ok(bytes) => {
                let is_known =
                    !mail::may_hold_report(bytes) && self.0.contains(&hex(&Sha256::digest(bytes)));
                is_known.then_some(Refusal::REPEATED)
            }
            Err((refusal, bytes)) if refusal.code == Refusal::LIMIT_ITEM_BYTES => {
                let name = by_name(*bytes, mail::header(&message.head).message_id.as_deref())?;
                let is_known = self.0.contains(&name);
                is_known.then_some(Refusal::REPEATED_REFUSAL)
            }
            Err(_) => None,
        }
    }
}

/// Bytes that were never read have no hash.
fn by_name(bytes: u64, message_id: Option<&str>) -> Option<String> {
    message_id.map(|message_id| format!("{bytes} {message_id}"))
}

fn without_bytes(message: Fetched, code: &'static str) -> Fetched {
    let (head, bytes) = match message.content {
        Ok(content) => {
            let bytes = content.len() as u64;
            (content, bytes)
        }
        Err((_, bytes)) => (message.head, bytes),
    };
    // The archive keeps the code alone.
    let content = Err((Refusal::new(code, ""), bytes));
    Fetched {
        content,
        head,
        ..message
    }
}

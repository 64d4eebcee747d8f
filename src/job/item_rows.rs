//! An item of the archive -> its row, and why it has no bytes to read.

use std::sync::Arc;

use super::units::Bytes;
use crate::archive::{Content, Item};
use crate::model::item::ItemNo;
use crate::model::outcome::Refusal;
use crate::store::batch::ItemRow;
use crate::store::decide::Refused;

/// What the row of an item says whose bytes are with it.
pub(super) const KEPT: &str = "kept";

/// Why an item is refused whose bytes should be there.
pub(super) fn missing() -> Refused {
    Refusal::new(
        "archive-incomplete",
        "the archive refers to bytes of an earlier item that it does not hold",
    )
    .into()
}

/// The row of an item, and its own bytes or why it has none.
pub(super) fn item_row(
    item_no: ItemNo,
    item: Item,
    bytes: &Bytes,
) -> (ItemRow, Result<Arc<Vec<u8>>, Refused>) {
    let (content, size, own) = match item.content {
        Content::Kept(kept) => (KEPT, kept.len() as u64, Ok(kept)),
        Content::Known => match bytes {
            Bytes::Earlier(earlier) => ("known", earlier.len() as u64, Err(missing())),
            Bytes::Expired(size) => ("known", *size, Err(Refused::expired())),
            _ => ("known", 0, Err(missing())),
        },
        Content::Dropped { code, bytes } if code == Refusal::EXPIRED => {
            (Refusal::EXPIRED, bytes, Err(Refused::expired()))
        }
        Content::Dropped { code, bytes } => ("dropped", bytes, Err(dropped(code, bytes))),
    };
    let mut header = item.header;
    header.headers = None;
    let row = ItemRow {
        item_no,
        sha256: item.sha256,
        kind: item.kind,
        content,
        bytes: size,
        provenance: item.provenance,
        header,
        received_utc_secs: item.received_utc_secs,
    };
    (row, own)
}

/// The archive keeps the code alone: what it means is said here.
fn dropped(code: String, bytes: u64) -> Refused {
    let message = match code.as_str() {
        Refusal::NOT_A_REPORT => "nothing in it looks like a report; its bytes are not kept".into(),
        Refusal::REPEATED | Refusal::REPEATED_REFUSAL => {
            "the same mail came before, and its bytes were not kept: see there".into()
        }
        Refusal::LIMIT_ITEM_BYTES => {
            format!("its {bytes} bytes are more than limits.item_bytes allows; they are not kept")
        }
        "read-failed" => "it could not be read; make it readable and ingest it again".into(),
        "fetch-failed" => {
            "the mail server did not give it away; `sentinel backlog --reprocess` tries again"
                .into()
        }
        "zip-path" => "its name leads out of the archive; it was not unpacked".into(),
        _ => format!("it was not taken in; its {bytes} bytes are not kept"),
    };
    Refused { code, message }
}

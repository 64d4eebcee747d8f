//! Item bytes of a mail -> its header and its parts. The only user of `mail-parser`.

use crate::model::item::MailHeader;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;

/// One leaf of the MIME tree, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Position in the tree, `1.2` style; the file name is appended for people (`1.2 google.com!a!1!2.zip`).
    pub path: String,
    /// Decoded bytes. For a failure report: the fields of `message/feedback-report`, an empty line, and the header
    /// of the reported message.
    pub bytes: Vec<u8>,
}

/// Header facts of a mail: cheap, never fails, empty for bytes that are no mail.
pub fn header(_bytes: &[u8]) -> MailHeader {
    todo!()
}

/// Parts that may hold reports, in document order; each refused part has its path.
pub fn parts(_bytes: &[u8], _limits: &Limits) -> Vec<Result<Part, (String, Refusal)>> {
    todo!()
}

/// Whether anything in a mail looks like a report: decides whether the archive keeps its body.
pub fn may_hold_report(_bytes: &[u8]) -> bool {
    todo!()
}

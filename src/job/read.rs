//! (stub until branch `reading` is merged)

use crate::model::aggregate::Record;
use crate::model::item::ItemKind;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::parse::Report;

/// Takes what reading finds.
pub trait ReadingSink {
    /// One record.
    fn record(&mut self, record: Record);
    /// The records so far are void.
    fn restart(&mut self);
    /// A document ended.
    fn document(&mut self, path: String, sha256: Option<[u8; 32]>, result: Result<Report, Refusal>);
}

/// Reads an item.
pub fn read_item(_: ItemKind, _: &[u8], _: Option<&str>, _: &Limits, _: &mut dyn ReadingSink) {
    todo!()
}

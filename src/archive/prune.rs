//! Bytes that nobody needs any more are let go: the items stay, with headers, hash and size.

use std::io;
use std::ops::RangeInclusive;

use super::compact::is_closed;
use super::read::OpenSegment;
use super::rewrite::Rewritten;
use super::{Archive, Content, Item};
use crate::model::item::ItemNo;

impl Archive {
    /// Lets go of the bytes of items in `ranges`, which are in order: [`Content::Kept`] becomes [`Content::Dropped`]
    /// with `code`. Segments with an item of the UTC month of `now_utc_secs` are left for later, and what has nothing to
    /// let go is not rewritten. A crash on the way leaves some of the bytes.
    ///
    /// The caller holds the run lock, and has made sure that no other item refers to these bytes and needs them.
    pub fn prune(
        &mut self,
        now_utc_secs: i64,
        ranges: &[RangeInclusive<ItemNo>],
        code: &str,
    ) -> io::Result<Rewritten> {
        let _lock = self.tidy()?;
        let mut done = Rewritten::default();
        for segment in self.segments.clone() {
            let begin = ranges.partition_point(|range| *range.end() < segment.first);
            let end = ranges.partition_point(|range| *range.start() <= segment.last);
            if begin >= end || !is_closed(&segment, now_utc_secs)? {
                continue;
            }
            let is_meant = |item_no| is_within(item_no, &ranges[begin..end]);
            let (pruned_items, pruned_bytes) = OpenSegment::open(&segment)?.kept(is_meant)?;
            if pruned_items > 0 {
                let change = |item_no, item| match is_meant(item_no) {
                    true => without_bytes(item, code),
                    false => item,
                };
                done.add(&Rewritten {
                    pruned_items,
                    pruned_bytes,
                    ..self.replace(&[segment], &change)?
                });
            }
        }
        Ok(done)
    }
}

fn is_within(item_no: ItemNo, ranges: &[RangeInclusive<ItemNo>]) -> bool {
    let index = ranges.partition_point(|range| *range.end() < item_no);
    ranges
        .get(index)
        .is_some_and(|range| range.contains(&item_no))
}

fn without_bytes(item: Item, code: &str) -> Item {
    let Content::Kept(kept) = &item.content else {
        return item;
    };
    let content = Content::Dropped {
        code: code.to_owned(),
        bytes: kept.len() as u64,
    };
    Item { content, ..item }
}

//! Numbers of messages, mostly neighbours: kept as ranges.

use std::collections::BTreeMap;

/// A set of numbers: the first of each range, and its last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct UidSet(BTreeMap<u32, u32>);

impl UidSet {
    /// Adds a number.
    pub(super) fn insert(&mut self, uid: u32) {
        let before = self.range_before(uid);
        if before.is_some_and(|(_, last)| uid <= last) {
            return;
        }
        let after = uid.checked_add(1).and_then(|next| self.0.remove(&next));
        let first = match before {
            Some((first, last)) if last.checked_add(1) == Some(uid) => first,
            _ => uid,
        };
        self.0.insert(first, after.unwrap_or(uid));
    }

    /// Whether a number is in it.
    pub(super) fn contains(&self, uid: u32) -> bool {
        self.range_before(uid).is_some_and(|(_, last)| uid <= last)
    }

    /// The highest number, 0 where there is none.
    pub(super) fn last(&self) -> u32 {
        self.0.last_key_value().map_or(0, |(_, last)| *last)
    }

    /// The first number above `uid` that is not in it; `None` where there is no such number.
    pub(super) fn first_missing_above(&self, uid: u32) -> Option<u32> {
        let mut next = uid.checked_add(1)?;
        while let Some((_, last)) = self.range_before(next).filter(|(_, last)| next <= *last) {
            next = last.checked_add(1)?;
        }
        Some(next)
    }

    /// Forgets what nobody asks for any more: numbers up to `uid`.
    pub(super) fn forget_up_to(&mut self, uid: u32) {
        while let Some(range) = self.0.first_entry()
            && *range.key() <= uid
        {
            let last = range.remove();
            if last > uid {
                self.0.insert(uid + 1, last);
            }
        }
    }

    fn range_before(&self, uid: u32) -> Option<(u32, u32)> {
        let (first, last) = self.0.range(..=uid).next_back()?;
        Some((*first, *last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(uids: &[u32]) -> UidSet {
        let mut set = UidSet::default();
        uids.iter().for_each(|uid| set.insert(*uid));
        set
    }

    #[test]
    fn neighbours_are_one_range_whatever_their_order() {
        for (uids, expect) in [
            (&[][..], &[][..]),
            (&[1, 2, 3], &[(1, 3)]),
            (&[3, 1, 2, 2], &[(1, 3)]),
            (&[1, 3, 7, 6], &[(1, 1), (3, 3), (6, 7)]),
            (&[u32::MAX, u32::MAX - 1], &[(u32::MAX - 1, u32::MAX)]),
        ] {
            let ranges: Vec<(u32, u32)> = of(uids).0.into_iter().collect();
            assert_eq!(ranges, expect, "{uids:?}");
        }
    }

    #[test]
    fn the_first_missing_one_is_behind_the_neighbours() {
        let set = of(&[4, 5, 6, 8, u32::MAX]);
        for (uid, expect) in [
            (2, Some(3)),
            (3, Some(7)),
            (5, Some(7)),
            (7, Some(9)),
            (u32::MAX - 1, None),
            (u32::MAX, None),
        ] {
            assert_eq!(set.first_missing_above(uid), expect, "{uid}");
        }
    }

    proptest! {
        #[test]
        fn what_was_added_is_in_it_and_nothing_else(uids in prop::collection::vec(1..40_u32, 0..40), cut in 0..40_u32) {
            let mut set = of(&uids);
            prop_assert_eq!(set.last(), uids.iter().copied().max().unwrap_or(0));
            set.forget_up_to(cut);
            for uid in cut + 1..42 {
                prop_assert_eq!(set.contains(uid), uids.contains(&uid));
            }
        }
    }
}

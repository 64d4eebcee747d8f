//! Which messages of a folder are wanted.

use super::{ANSWER_BYTES, ImapError, Session};
use crate::model::day::Day;

/// What messages have to be to be fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Their numbers are above this one.
    pub above_uid: u32,
    /// Nobody has read them.
    pub only_unseen: bool,
    /// They are addressed to this address.
    pub recipient: Option<String>,
    /// They arrived on this day or later, as the server counts days.
    pub since: Option<Day>,
    /// They arrived before this day.
    pub before: Option<Day>,
}

impl Wanted {
    /// The criteria of a SEARCH command (RFC 3501 section 6.4.4).
    fn criteria(&self) -> String {
        let mut criteria = vec![format!("UID {}:*", self.above_uid.saturating_add(1))];
        if self.only_unseen {
            criteria.push("UNSEEN".to_owned());
        }
        for (word, day) in [("SINCE", self.since), ("BEFORE", self.before)] {
            if let Some(day) = day {
                criteria.push(format!("{word} {}", day.format("%-d-%b-%Y")));
            }
        }
        if let Some(address) = &self.recipient {
            // An address holds neither quotes nor backslashes: the configuration sees to it.
            criteria.push(format!(
                "OR OR TO \"{address}\" CC \"{address}\" \
                 OR HEADER \"Delivered-To\" \"{address}\" HEADER \"X-Original-To\" \"{address}\""
            ));
        }
        criteria.join(" ")
    }
}

impl Session {
    /// The numbers of the wanted messages of the open folder, ascending.
    pub fn search(&mut self, wanted: &Wanted) -> Result<Vec<u32>, ImapError> {
        if wanted.above_uid == u32::MAX {
            return Ok(Vec::new());
        }
        let criteria = wanted.criteria();
        let found = self.command("search the folder", ANSWER_BYTES, |imap| {
            imap.uid_search(&criteria)
        })?;
        // `7:*` names the last message too where that is the third: its number is in no order.
        let mut uids: Vec<u32> = found
            .into_iter()
            .filter(|uid| *uid > wanted.above_uid)
            .collect();
        uids.sort_unstable();
        Ok(uids)
    }
}

/// A set of numbers as commands have it: `1:3,7`.
pub(super) fn uid_set(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
            _ => ranges.push((uid, uid)),
        }
    }
    let texts: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}:{last}")
            }
        })
        .collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_are_written_as_servers_read_them() {
        let all = Wanted::default();
        assert_eq!(all.criteria(), "UID 1:*");
        let some = Wanted {
            above_uid: 41,
            only_unseen: true,
            recipient: Some("dmarc@example.com".to_owned()),
            since: Day::from_ymd_opt(2024, 2, 1),
            before: Day::from_ymd_opt(2024, 12, 31),
        };
        assert_eq!(
            some.criteria(),
            "UID 42:* UNSEEN SINCE 1-Feb-2024 BEFORE 31-Dec-2024 OR OR TO \"dmarc@example.com\" CC \
             \"dmarc@example.com\" OR HEADER \"Delivered-To\" \"dmarc@example.com\" HEADER \"X-Original-To\" \
             \"dmarc@example.com\""
        );
    }

    #[test]
    fn neighbours_are_written_as_ranges() {
        for (uids, expect) in [
            (&[][..], ""),
            (&[7], "7"),
            (&[1, 2, 3, 7, 9, 10], "1:3,7,9:10"),
            (&[u32::MAX - 1, u32::MAX], "4294967294:4294967295"),
        ] {
            assert_eq!(uid_set(uids), expect);
        }
    }
}

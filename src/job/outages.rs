//! How mailboxes fared -> what the ledger notes of those that cannot be read.

use crate::ledger::{Event, View};

/// A mailbox that still cannot be read is noted again after so long.
const AGAIN_SECS: i64 = 3_600;

/// How a mailbox fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fared {
    /// Name of the inbox.
    pub inbox: String,
    /// Why it could not be read; `None`: it was.
    pub failure: Option<Failure>,
}

/// Why a mailbox could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Since when, seconds since 1970 UTC.
    pub since_utc_secs: i64,
    /// For people.
    pub error: String,
    /// Trying again is of no use until a person mends something.
    pub needs_a_person: bool,
}

/// What is to be noted: that a mailbox cannot be read, hourly again, and that it can.
pub fn outages(view: &View, fared: &[Fared], now_utc_secs: i64) -> Vec<Event> {
    let event = |fared: &Fared| {
        let inbox = &fared.inbox;
        let mut outages = view.outages.iter().rev();
        let open = outages.find(|outage| outage.inbox == *inbox && outage.until_utc_secs.is_none());
        match (&fared.failure, open) {
            (None, None) => None,
            (None, Some(_)) => Some(Event::MailboxReached {
                inbox: inbox.clone(),
            }),
            (Some(failure), open) => {
                let is_known = open.is_some_and(|open| {
                    open.needs_a_person == failure.needs_a_person
                        // The clock may have been set back.
                        && (open.last_utc_secs..open.last_utc_secs + AGAIN_SECS).contains(&now_utc_secs)
                });
                (!is_known).then(|| Event::MailboxUnreachable {
                    inbox: inbox.clone(),
                    since_utc_secs: failure.since_utc_secs,
                    error: failure.error.clone(),
                    needs_a_person: failure.needs_a_person,
                })
            }
        }
    };
    fared.iter().filter_map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Entry;

    const HOUR: i64 = 3_600;

    fn fared(failure: Option<(i64, bool)>) -> [Fared; 1] {
        [Fared {
            inbox: "reports".to_owned(),
            failure: failure.map(|(since_utc_secs, needs_a_person)| Failure {
                since_utc_secs,
                error: "no answer".to_owned(),
                needs_a_person,
            }),
        }]
    }

    #[test]
    fn an_outage_is_noted_hourly_and_its_end_once() {
        let mut entries: Vec<Entry> = Vec::new();
        for (at_utc_secs, failure, expect) in [
            (0, None, 0),
            (10, Some((5, false)), 1),
            (20, Some((5, false)), 0),
            (9 + HOUR, Some((5, false)), 0),
            (10 + HOUR, Some((5, false)), 1),
            // The password is wrong now.
            (20 + HOUR, Some((5, true)), 1),
            (30 + HOUR, None, 1),
            (40 + HOUR, None, 0),
            (50 + HOUR, Some((45 + HOUR, false)), 1),
        ] {
            let view = View::fold(&entries);
            let events = outages(&view, &fared(failure), at_utc_secs);
            assert_eq!(events.len(), expect, "{at_utc_secs}");
            for event in events {
                let seq = entries.len() as u64 + 1;
                entries.push(Entry {
                    seq,
                    at_utc_secs,
                    event,
                });
            }
        }
        let view = View::fold(&entries);
        let times: Vec<_> = view
            .outages
            .iter()
            .map(|one| (one.since_utc_secs, one.until_utc_secs, one.last_utc_secs))
            .collect();
        assert_eq!(
            times,
            [
                (5, Some(30 + HOUR), 20 + HOUR),
                (45 + HOUR, None, 50 + HOUR)
            ]
        );
    }
}

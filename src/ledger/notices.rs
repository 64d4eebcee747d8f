//! What people were told: planned before it is on the wire, sent after it. What is planned and not sent is owed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;

use serde::{Deserialize, Serialize};

use super::{Entry, Event, Ledger};
use crate::durable;
use crate::model::alert::Severity;
use crate::model::day::Day;
use crate::model::notice::{NoticeKind, Occasion};

/// A message that is about to be sent; the same is sent again where nobody noted that it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticePlanned {
    /// 32 hex digits.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// What it is.
    pub kind: NoticeKind,
    /// The instant in its `Date`, seconds since 1970 UTC; of a digest, the instant for which it is.
    pub date_utc_secs: i64,
    /// The alerts that it tells of, in its order, those too that it only counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertTold>,
    /// How many of them, from the end, it only counts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
    /// It waits behind others, or for a channel that is broken: nobody can have it before a `notice-tried` names it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// An alert in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertTold {
    /// Identity of the alert.
    pub id: String,
    /// How grave it was.
    pub severity: Severity,
    /// Last day of its evidence.
    #[serde(with = "crate::model::day::iso")]
    pub last_day: Day,
    /// Why it was told of.
    pub occasion: Occasion,
    /// Rule that found it; empty in lines of old.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rule: String,
}

/// A message that was held is about to be on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeTried {
    /// As it was planned.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
}

/// A message is on its way, or will not be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSent {
    /// As it was planned.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// Nothing was sent: it was a quiet day, nobody has to be told of its alerts any more, or another message that was
    /// planned before this line tells of those that are left.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What one channel was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelNotices {
    /// Planned and not sent, the oldest first.
    pub owed: Vec<NoticePlanned>,
    /// By alert: what was told last, owed messages included.
    pub told: BTreeMap<String, AlertTold>,
    /// The same without those that are owed.
    pub delivered: BTreeMap<String, AlertTold>,
    /// When the last message about alerts was sent, seconds since 1970 UTC.
    pub last_alerts_utc_secs: Option<i64>,
    /// When the last message of any kind was sent, seconds since 1970 UTC.
    pub last_sent_utc_secs: Option<i64>,
    /// By kind of digest: the instant for which the last one was, seconds since 1970 UTC.
    pub digests: BTreeMap<NoticeKind, i64>,
}

/// What all channels were told, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices(BTreeMap<String, ChannelNotices>);

impl Notices {
    /// Folds entries in their order.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut notices = Self::default();
        for entry in entries {
            notices.apply(entry);
        }
        notices
    }

    /// What a channel was told; nothing where it is new.
    pub fn of(&self, channel: &str) -> ChannelNotices {
        self.0.get(channel).cloned().unwrap_or_default()
    }

    /// Adds what an entry says.
    pub fn apply(&mut self, entry: &Entry) {
        match &entry.event {
            Event::NoticePlanned(planned) => {
                self.0
                    .entry(planned.channel.clone())
                    .or_default()
                    .plan(planned);
            }
            Event::NoticeTried(tried) => {
                if let Some(channel) = self.0.get_mut(&tried.channel) {
                    channel.tried(&tried.key);
                }
            }
            Event::NoticeSent(sent) => {
                if let Some(channel) = self.0.get_mut(&sent.channel) {
                    channel.sent(sent, entry.at_utc_secs);
                }
            }
            _ => {}
        }
    }
}

impl ChannelNotices {
    fn plan(&mut self, planned: &NoticePlanned) {
        for told in &planned.alerts {
            self.told.insert(told.id.clone(), told.clone());
        }
        if planned.kind.is_digest() {
            let last = self
                .digests
                .entry(planned.kind)
                .or_insert(planned.date_utc_secs);
            *last = (*last).max(planned.date_utc_secs);
        }
        self.owed.push(planned.clone());
    }

    fn tried(&mut self, key: &str) {
        for owed in self.owed.iter_mut().filter(|owed| owed.key == key) {
            owed.held = false;
        }
    }

    fn sent(&mut self, sent: &NoticeSent, at_utc_secs: i64) {
        let Some(at) = self.owed.iter().position(|owed| owed.key == sent.key) else {
            return;
        };
        let planned = self.owed.remove(at);
        if sent.skipped {
            self.untell(&planned);
            return;
        }
        self.last_sent_utc_secs = Some(at_utc_secs);
        if planned.kind == NoticeKind::Alerts {
            self.last_alerts_utc_secs = Some(at_utc_secs);
        }
        let told = planned.alerts.into_iter();
        self.delivered
            .extend(told.map(|told| (told.id.clone(), told)));
    }

    /// What a message that is not sent would have told: only other messages have told of it.
    fn untell(&mut self, planned: &NoticePlanned) {
        for gone in &planned.alerts {
            self.told.remove(&gone.id);
        }
        let gone: BTreeSet<&str> = planned.alerts.iter().map(|told| told.id.as_str()).collect();
        let owed = self.owed.iter().flat_map(|owed| &owed.alerts);
        let before = gone.iter().filter_map(|id| self.delivered.get(*id));
        for told in before.chain(owed.filter(|told| gone.contains(told.id.as_str()))) {
            self.told.insert(told.id.clone(), told.clone());
        }
    }
}

/// Held by whoever sends; nobody else plans or sends meanwhile.
#[derive(Debug)]
pub struct NoticesLock {
    _file: File,
}

impl Ledger {
    /// The right to send; `None` while somebody else has it. It ends when it is dropped, or with the process.
    pub fn lock_notices(&self) -> io::Result<Option<NoticesLock>> {
        let path = self.folder.join("notices.lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| durable::named(&path, "opening", &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(NoticesLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(durable::named(&path, "locking", &error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(key: &str, kind: NoticeKind, date_utc_secs: i64, ids: &[&str]) -> Event {
        let alert = |id: &&str| AlertTold {
            id: (*id).to_owned(),
            severity: Severity::Warning,
            last_day: "2024-03-10".parse().unwrap(),
            occasion: Occasion::New,
            rule: "new_source".to_owned(),
        };
        Event::NoticePlanned(NoticePlanned {
            key: key.to_owned(),
            channel: "mail".to_owned(),
            kind,
            date_utc_secs,
            alerts: ids.iter().map(alert).collect(),
            more: 0,
            held: key == "held",
        })
    }

    fn sent(key: &str, skipped: bool) -> Event {
        Event::NoticeSent(NoticeSent {
            key: key.to_owned(),
            channel: "mail".to_owned(),
            skipped,
        })
    }

    fn fold(events: &[Event]) -> ChannelNotices {
        let entries: Vec<Entry> = events
            .iter()
            .zip(1..)
            .map(|(event, seq)| Entry {
                seq,
                at_utc_secs: i64::try_from(seq).unwrap() * 100,
                event: event.clone(),
            })
            .collect();
        Notices::fold(&entries).of("mail")
    }

    #[test]
    fn what_is_planned_is_owed_until_it_is_sent() {
        let events = [
            planned("k1", NoticeKind::Alerts, 90, &["a", "b"]),
            planned("k2", NoticeKind::Daily, 80, &[]),
            sent("k1", false),
            sent("unknown", false),
        ];
        let keys = |notices: &ChannelNotices| -> Vec<String> {
            notices.owed.iter().map(|owed| owed.key.clone()).collect()
        };
        assert_eq!(keys(&fold(&events[..1])), ["k1"]);
        assert_eq!(fold(&events[..1]).last_alerts_utc_secs, None);
        let all = fold(&events);
        assert_eq!(keys(&all), ["k2"]);
        assert_eq!(all.last_alerts_utc_secs, Some(300));
        assert_eq!(all.told.len(), 2);
        assert_eq!(all.digests[&NoticeKind::Daily], 80);
    }

    #[test]
    fn a_quiet_day_counts_as_done_and_not_as_sent() {
        let all = fold(&[planned("k", NoticeKind::Daily, 80, &[]), sent("k", true)]);
        assert_eq!((all.owed.len(), all.last_sent_utc_secs), (0, None));
        assert_eq!(all.digests[&NoticeKind::Daily], 80);
    }

    #[test]
    fn what_a_message_that_is_not_sent_would_have_told_is_not_told() {
        let plan = |key, ids: &[&str]| planned(key, NoticeKind::Alerts, 90, ids);
        let events = [
            plan("k1", &["a", "b"]),
            sent("k1", false),
            plan("k2", &["b", "c", "d"]),
            plan("k3", &["d"]),
            sent("k2", true),
        ];
        let all = fold(&events);
        let told: Vec<&str> = all.told.keys().map(String::as_str).collect();
        assert_eq!(told, ["a", "b", "d"], "c is owed by no message");
        assert_eq!((all.owed.len(), all.last_alerts_utc_secs), (1, Some(200)));
    }

    #[test]
    fn a_message_that_waits_is_held_until_it_is_tried() {
        let tried = Event::NoticeTried(NoticeTried {
            key: "held".to_owned(),
            channel: "mail".to_owned(),
        });
        let events = [planned("held", NoticeKind::Alerts, 90, &["a"]), tried];
        assert!(fold(&events[..1]).owed[0].held);
        assert!(!fold(&events).owed[0].held);
        assert_eq!(fold(&events).told.len(), 1);
    }

    #[test]
    fn one_sends_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let lock = ledger.lock_notices().unwrap();
        assert!(lock.is_some());
        assert!(ledger.lock_notices().unwrap().is_none());
        drop(lock);
        assert!(ledger.lock_notices().unwrap().is_some());
    }

    #[test]
    fn events_come_back_from_the_file_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let events = [
            planned("k1", NoticeKind::Weekly, 90, &["a"]),
            sent("k1", true),
        ];
        ledger.append(7, &events).unwrap();
        let read: Vec<Event> = ledger
            .read(None)
            .unwrap()
            .0
            .into_iter()
            .map(|entry| entry.event)
            .collect();
        assert_eq!(read, events);
    }
}

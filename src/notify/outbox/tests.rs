//! The outbox in fast motion: a clock that the test turns, channels that fail when it says so.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};

use super::*;
use crate::ledger::{Ledger, Notices};
use crate::model::alert::{Alert, Severity, Status};
use crate::model::channel::{Channel, DigestTimes, Format, QuietHours, Way, WebhookWay};
use crate::model::day::Day;
use crate::model::notice::{AlertNotice, Digest, Notice, Occasion};
use crate::model::secret::FromEnvironment;
use crate::notify::{Delivery, SendError};

mod digests;
mod owed;

/// A message that went out: channel, key, and what it tells of.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    channel: String,
    notice: Notice,
}

impl Sent {
    fn alerts(&self) -> &AlertNotice {
        match &self.notice {
            Notice::Alerts(notice) => notice,
            other => panic!("{other:?}"),
        }
    }

    fn digest(&self) -> &Digest {
        match &self.notice {
            Notice::Digest(digest) => digest,
            other => panic!("{other:?}"),
        }
    }

    fn ids(&self) -> Vec<&str> {
        let alerts = self.alerts().alerts.iter();
        alerts.map(|told| told.alert.id.as_str()).collect()
    }
}

struct World {
    folder: tempfile::TempDir,
    memory: Memory,
    channels: Vec<Channel>,
    alerts: Vec<Alert>,
    failing_rules: BTreeSet<String>,
    as_of: Day,
    zone: chrono_tz::Tz,
    now: Cell<DateTime<Utc>>,
    sent: RefCell<Vec<Sent>>,
    broken: BTreeMap<String, SendError>,
    is_quiet: bool,
    has_numbers: bool,
    is_unreadable: bool,
}

impl World {
    fn new(now: &str) -> Self {
        let now: DateTime<Utc> = now.parse().unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            memory: Memory::default(),
            channels: vec![channel("chat")],
            alerts: Vec::new(),
            failing_rules: BTreeSet::new(),
            as_of: now.date_naive(),
            zone: "Europe/Berlin".parse().unwrap(),
            now: Cell::new(now),
            sent: RefCell::default(),
            broken: BTreeMap::new(),
            is_quiet: false,
            has_numbers: true,
            is_unreadable: false,
        }
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(self.folder.path()).unwrap()
    }

    /// A round at the present instant: what it did and what it sent.
    fn pass(&mut self) -> (Passed, Vec<Sent>) {
        let ledger = self.ledger();
        let round = Round {
            channels: &self.channels,
            alerts: &self.alerts,
            failing_rules: &self.failing_rules,
            base_url: Some("https://dmarc.example.com"),
            as_of: self.as_of,
            within_days: 7,
            zone: self.zone,
        };
        let (broken, sent, is_quiet) = (&self.broken, &self.sent, self.is_quiet);
        let mut send = |channel: &Channel, notice: &Notice| {
            if let Some(error) = broken.get(&channel.name) {
                return Err(error.clone());
            }
            sent.borrow_mut().push(Sent {
                channel: channel.name.clone(),
                notice: notice.clone(),
            });
            Ok(Delivery {
                words: String::new(),
            })
        };
        let has_numbers = self.has_numbers;
        let mut digest = |_: &Channel, window: &Window| match has_numbers {
            true => Ok(content(window, is_quiet)),
            false => Err("no numbers".to_owned()),
        };
        let now = || self.now.get();
        let mut find = |ids: &[&str]| match self.is_unreadable {
            true => Err("no disk".to_owned()),
            false => found(&self.alerts, ids),
        };
        let mut wires = Wires {
            send: &mut send,
            digest: &mut digest,
            find: &mut find,
            now: &now,
        };
        let passed = pass(&round, &ledger, &mut self.memory, &mut wires).unwrap();
        (passed, self.sent.take())
    }

    fn wait(&self, minutes: i64) {
        self.now.set(self.now.get() + Duration::minutes(minutes));
    }

    fn at(&self, text: &str) {
        self.now.set(text.parse().unwrap());
    }

    fn alert(&mut self, id: &str, severity: Severity, day: &str) {
        let day: Day = day.parse().unwrap();
        self.alerts.push(Alert {
            id: id.to_owned(),
            rule: "rule_of_it".to_owned(),
            domain: Some("example.com".to_owned()),
            title: format!("title of {id}"),
            severity,
            first_day: day,
            last_day: day,
            ..Alert::default()
        });
    }
}

fn found(alerts: &[Alert], ids: &[&str]) -> Result<Vec<Alert>, String> {
    let asked = alerts
        .iter()
        .filter(|alert| ids.contains(&alert.id.as_str()));
    Ok(asked.cloned().collect())
}

fn content(window: &Window, is_quiet: bool) -> Digest {
    Digest {
        key: String::new(),
        at_utc_secs: 0,
        kind: window.kind,
        first_day: window.first_day,
        last_day: window.last_day,
        messages: 10,
        passed: if is_quiet { 10 } else { 9 },
        domains: Vec::new(),
        more_domains: 0,
        trend: Vec::new(),
        open: Vec::new(),
        more: 0,
        url: None,
    }
}

fn channel(name: &str) -> Channel {
    let url = FromEnvironment {
        variable: "url".to_owned(),
        secret: None,
    };
    Channel {
        name: name.to_owned(),
        way: Way::Webhook(WebhookWay {
            format: Format::Generic,
            url,
            token: None,
            topic: None,
        }),
        min_severity: Severity::Warning,
        domains: Vec::new(),
        quiet_hours: None,
        group_for_secs: 600,
        most_alerts: 20,
        digest: DigestTimes::default(),
    }
}

fn quiet_hours(except_critical: bool) -> Option<QuietHours> {
    Some(QuietHours {
        from: 22 * 60,
        to: 7 * 60,
        except_critical,
    })
}

#[test]
fn each_alert_is_told_of_once_also_after_a_restart() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-09");
    let (passed, sent) = world.pass();
    assert_eq!((passed.sent, passed.failed, passed.next), (1, 0, None));
    assert_eq!(sent[0].ids(), ["a"]);
    let told = &sent[0].alerts().alerts[0];
    assert_eq!(told.occasion, Occasion::New);
    assert_eq!(
        told.url.as_deref(),
        Some("https://dmarc.example.com/alerts/a")
    );
    for _ in 0..3 {
        world.memory = Memory::default();
        world.wait(60);
        assert_eq!(world.pass().1, []);
    }
}

#[test]
fn what_is_not_for_a_channel_is_not_told_there() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.channels[0].domains = vec!["example.com".to_owned()];
    world.alert("mild", Severity::Info, "2024-03-09");
    world.alert("known", Severity::Critical, "2024-03-09");
    world.alert("done", Severity::Critical, "2024-03-09");
    world.alert("other", Severity::Critical, "2024-03-09");
    world.alert("below", Severity::Critical, "2024-03-09");
    world.alert("whole", Severity::Critical, "2024-03-09");
    world.alerts[1].status = Status::Acknowledged;
    world.alerts[2].status = Status::Resolved;
    world.alerts[3].domain = Some("badexample.com".to_owned());
    world.alerts[4].domain = Some("mail.example.com".to_owned());
    world.alerts[5].domain = None;
    assert_eq!(world.pass().1[0].ids(), ["below"]);
}

#[test]
fn a_backlog_is_history_and_tells_nobody() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    for day in 1..=28 {
        world.alert(
            &format!("old{day}"),
            Severity::Critical,
            &format!("2023-02-{day:02}"),
        );
    }
    world.alert("just-too-old", Severity::Critical, "2024-03-02");
    assert_eq!(world.pass().1, []);
    world.alert("just-in-time", Severity::Critical, "2024-03-03");
    assert_eq!(world.pass().1[0].ids(), ["just-in-time"]);
}

#[test]
fn an_alert_comes_again_when_it_is_graver_or_back() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-09");
    let first = world.pass().1;
    world.wait(60);
    world.alerts[0].last_day = "2024-03-10".parse().unwrap();
    assert_eq!(world.pass().1, [], "it goes on");
    world.alerts[0].severity = Severity::Critical;
    let graver = world.pass().1;
    assert_eq!(graver[0].alerts().alerts[0].occasion, Occasion::Graver);
    world.wait(60);
    world.alerts[0].severity = Severity::Warning;
    assert_eq!(world.pass().1, [], "less grave is no news");
    world.alerts[0].severity = Severity::Critical;
    assert_eq!(world.pass().1, [], "as grave as it was told");
    world.at("2024-03-14T08:00:00Z");
    world.as_of = "2024-03-14".parse().unwrap();
    world.alerts[0].severity = Severity::Warning;
    world.alerts[0].first_day = "2024-03-12".parse().unwrap();
    world.alerts[0].last_day = "2024-03-13".parse().unwrap();
    let back = world.pass().1;
    assert_eq!(back[0].alerts().alerts[0].occasion, Occasion::Reopened);
    let keys: BTreeSet<&str> = [&first, &graver, &back]
        .map(|sent| sent[0].notice.key())
        .into();
    assert_eq!(keys.len(), 3, "each message has a key of its own");
}

#[test]
fn four_hundred_alerts_are_one_message_the_gravest_first() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    for number in 0..400 {
        let severity = if number % 100 == 7 {
            Severity::Critical
        } else {
            Severity::Warning
        };
        world.alert(&format!("a{number:03}"), severity, "2024-03-09");
    }
    let (_, sent) = world.pass();
    assert_eq!(sent.len(), 1);
    let notice = sent[0].alerts();
    assert_eq!((notice.alerts.len(), notice.more), (20, 380));
    assert_eq!(sent[0].ids()[..5], ["a007", "a107", "a207", "a307", "a000"]);
    world.wait(60);
    assert_eq!(
        world.pass().1,
        [],
        "those that were counted are told of too"
    );
}

#[test]
fn after_a_message_further_alerts_are_held_back_and_go_in_one() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-09");
    assert_eq!(world.pass().1.len(), 1);
    for minute in 1..10 {
        world.wait(1);
        world.alert(&format!("b{minute}"), Severity::Critical, "2024-03-10");
        let (passed, sent) = world.pass();
        assert_eq!(sent, []);
        assert_eq!(passed.channels[0].waiting, minute);
        assert_eq!(passed.next, Some("2024-03-10T08:10:00Z".parse().unwrap()));
    }
    world.wait(1);
    let sent = world.pass().1;
    assert_eq!((sent.len(), sent[0].alerts().alerts.len()), (1, 9));
}

#[test]
fn quiet_hours_hold_alerts_until_morning_through_a_change_of_clocks() {
    let mut world = World::new("2024-03-30T21:30:00Z");
    world.channels[0].quiet_hours = quiet_hours(false);
    world.alert("a", Severity::Critical, "2024-03-30");
    let (passed, sent) = world.pass();
    assert_eq!(sent, []);
    // Seven in the morning is an hour earlier than the day before.
    let morning: DateTime<Utc> = "2024-03-31T05:00:00Z".parse().unwrap();
    assert_eq!(passed.next, Some(morning));
    for (now, count) in [
        ("2024-03-31T00:59:59Z", 0),
        ("2024-03-31T01:00:00Z", 0),
        ("2024-03-31T04:59:59Z", 0),
        ("2024-03-31T05:00:00Z", 1),
    ] {
        world.at(now);
        assert_eq!(world.pass().1.len(), count, "{now}");
    }
}

#[test]
fn critical_alerts_go_through_quiet_hours_where_they_may_and_the_others_follow() {
    let mut world = World::new("2024-01-10T23:00:00Z");
    world.channels[0].quiet_hours = quiet_hours(true);
    world.alert("grave", Severity::Critical, "2024-01-10");
    world.alert("mild", Severity::Warning, "2024-01-10");
    let (passed, sent) = world.pass();
    assert_eq!(sent[0].ids(), ["grave"]);
    assert_eq!(passed.next, Some("2024-01-11T06:00:00Z".parse().unwrap()));
    world.wait(3);
    world.alert("graver", Severity::Critical, "2024-01-10");
    let (passed, sent) = world.pass();
    assert_eq!(sent, [], "grouping holds for them too");
    assert_eq!(passed.next, Some("2024-01-10T23:10:00Z".parse().unwrap()));
    world.wait(7);
    assert_eq!(world.pass().1[0].ids(), ["graver"]);
    world.at("2024-01-11T06:00:00Z");
    assert_eq!(world.pass().1[0].ids(), ["mild"]);
}

#[test]
fn a_message_that_was_not_noted_goes_out_once_more_under_the_same_key() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-09");
    let first = world.pass().1;
    // The process died behind the wire: the last line of the ledger was never written.
    let path = world.folder.path().join("events.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let planned = text.lines().next().unwrap();
    assert!(planned.contains("notice-planned") && text.lines().count() == 2);
    std::fs::write(&path, format!("{planned}\n{{\"seq\":2,\"at_utc")).unwrap();
    world.memory = Memory::default();
    world.wait(5);
    world.alert("b", Severity::Warning, "2024-03-09");
    let again = world.pass().1;
    assert_eq!(again, first, "key, date and content are the same");
    world.wait(10);
    assert_eq!(world.pass().1[0].ids(), ["b"]);
}

#[test]
fn a_channel_that_is_down_leaves_the_others_alone_and_is_tried_less_and_less() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.channels.push(channel("mail"));
    world
        .broken
        .insert("chat".to_owned(), SendError::soon("no answer"));
    world.alert("a", Severity::Warning, "2024-03-09");
    let (passed, sent) = world.pass();
    assert_eq!((passed.sent, passed.failed), (1, 1));
    assert_eq!(sent[0].channel, "mail");
    let status = &passed.channels[0];
    assert_eq!(
        (status.name.as_str(), status.failures, status.waiting),
        ("chat", 1, 1)
    );
    assert_eq!(status.last_error.as_ref().unwrap().1, "no answer");
    assert_eq!(
        status.next_try,
        Some("2024-03-10T08:00:30Z".parse().unwrap())
    );
    assert_eq!(passed.channels[1].last_success, Some(world.now.get()));
    assert_eq!(passed.channels[1].failures, 0);
    let mut tries = 0;
    for _ in 0..60 {
        world.wait(1);
        tries += world.pass().0.failed;
    }
    assert_eq!(tries, 6, "in an hour");
    world.broken.clear();
    world.wait(60);
    let (passed, sent) = world.pass();
    assert_eq!(sent[0].ids(), ["a"]);
    assert_eq!(
        (passed.channels[0].failures, passed.channels[0].waiting),
        (0, 0)
    );
    assert_eq!(passed.channels[0].last_error, None);
}

#[test]
fn what_a_person_has_to_mend_is_tried_hourly() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world
        .broken
        .insert("chat".to_owned(), SendError::needs_person("wrong token"));
    world.alert("a", Severity::Warning, "2024-03-09");
    let tries: usize = (0..180)
        .map(|_| {
            let failed = world.pass().0.failed;
            world.wait(1);
            failed
        })
        .sum();
    assert_eq!(tries, 3);
}

#[test]
fn a_message_that_some_have_is_not_sent_for_ever_to_the_others() {
    for (mut error, tries) in [
        (SendError::needs_person("no such user"), 1),
        (SendError::soon("later"), 15),
    ] {
        error.is_partial = true;
        let mut world = World::new("2024-03-10T08:00:00Z");
        world.broken.insert("chat".to_owned(), error.clone());
        world.alert("a", Severity::Warning, "2024-03-09");
        let mut tried = 0;
        let mut last = Passed::default();
        while last.channels.iter().all(|status| status.waiting > 0) {
            last = world.pass().0;
            tried += last.failed + last.sent;
            world.now.set(last.next.unwrap_or(world.now.get()));
        }
        assert_eq!(tried, tries, "{error}");
        let status = &last.channels[0];
        assert_eq!((status.waiting, status.failures), (0, 0));
        assert!(
            status.last_error.is_some(),
            "that somebody did not get it stays to be seen"
        );
    }
}

#[test]
fn what_cannot_be_noted_is_not_sent_twice() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-09");
    let ledger = world.ledger();
    let (channels, alerts) = (world.channels.clone(), world.alerts.clone());
    let round = Round {
        channels: &channels,
        alerts: &alerts,
        failing_rules: &BTreeSet::new(),
        base_url: None,
        as_of: world.as_of,
        within_days: 7,
        zone: world.zone,
    };
    let path = world.folder.path().join("events.jsonl");
    let away = world.folder.path().join("away");
    let count = Cell::new(0);
    // While the message is on the wire the ledger becomes a folder: it cannot be written.
    let mut send = |_: &Channel, _: &Notice| {
        count.set(count.get() + 1);
        if !away.exists() {
            std::fs::rename(&path, &away).unwrap();
            std::fs::create_dir(&path).unwrap();
        }
        Ok(Delivery {
            words: String::new(),
        })
    };
    let mut digest = |_: &Channel, window: &Window| Ok(content(window, false));
    let now = || world.now.get();
    let mut find = |ids: &[&str]| found(&alerts, ids);
    let mut wires = Wires {
        send: &mut send,
        digest: &mut digest,
        find: &mut find,
        now: &now,
    };
    assert!(pass(&round, &ledger, &mut world.memory, &mut wires).is_err());
    std::fs::remove_dir(&path).unwrap();
    std::fs::rename(&away, &path).unwrap();
    for _ in 0..3 {
        pass(&round, &ledger, &mut world.memory, &mut wires).unwrap();
    }
    assert_eq!(count.get(), 1);
    let (entries, _) = ledger.read(None).unwrap();
    assert_eq!(Notices::fold(&entries).of("chat").owed, []);
}

#[test]
fn only_one_sends_at_a_time() {
    let mut world = World::new("2024-03-11T06:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-10");
    let ledger = world.ledger();
    let lock = ledger.lock_notices().unwrap();
    let (passed, sent) = world.pass();
    assert!(passed.is_busy && sent.is_empty());
    drop(lock);
    assert_eq!(world.pass().1.len(), 1);
}

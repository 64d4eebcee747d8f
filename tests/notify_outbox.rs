//! The outbox over real wires: one bad night, a crash, a server that is away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;

use chrono::{DateTime, Utc};
use sentinel::ledger::Ledger;
use sentinel::model::alert::{Alert, Severity};
use sentinel::model::channel::Channel;
use sentinel::model::notice::Notice;
use sentinel::notify::Post;
use sentinel::notify::outbox::{Memory, Passed, Round, Window, Wires, pass};

use crate::http_endpoint::Endpoint;
use crate::notify_samples::{AT_UTC_SECS, channel, day, digest, many};
use crate::smtp_server::SmtpServer;

struct Night {
    folder: tempfile::TempDir,
    channels: Vec<Channel>,
    alerts: Vec<Alert>,
    now: DateTime<Utc>,
    memory: Memory,
    post: Post,
}

impl Night {
    fn new(channels: Vec<Channel>, alerts: usize) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            channels,
            alerts: many(alerts).into_iter().map(|told| told.alert).collect(),
            now: DateTime::from_timestamp(AT_UTC_SECS, 0).unwrap(),
            memory: Memory::default(),
            post: Post::default(),
        }
    }

    fn pass(&mut self) -> Passed {
        let ledger = Ledger::open(self.folder.path()).unwrap();
        let round = Round {
            channels: &self.channels,
            alerts: &self.alerts,
            failing_rules: &BTreeSet::new(),
            base_url: Some("https://dmarc.example.com"),
            as_of: day(10),
            within_days: 7,
            zone: "Europe/Berlin".parse().unwrap(),
        };
        let (post, now) = (&self.post, self.now);
        let alerts = &self.alerts;
        let mut find = |ids: &[&str]| {
            let asked = alerts.iter().filter(|a| ids.contains(&a.id.as_str()));
            Ok(asked.cloned().collect())
        };
        let mut wires = Wires {
            send: &mut |channel: &Channel, notice: &Notice| post.send(channel, notice),
            digest: &mut |_: &Channel, _: &Window| Ok(digest()),
            find: &mut find,
            now: &|| now,
        };
        pass(&round, &ledger, &mut self.memory, &mut wires).unwrap()
    }
}

fn mail(server: &SmtpServer, more: &str) -> Channel {
    let port = server.ports["plain"];
    let yaml = format!(
        "type: mail, host: localhost, port: {port}, tls: none, from: dmarc@example.com, to: a@example.com{more}"
    );
    channel(&yaml, &[])
}

#[test]
fn one_bad_night_is_one_message_on_each_channel() {
    let server = SmtpServer::start();
    let endpoint = Endpoint::start(|_, _| (200, "ok".to_owned()));
    let hook = format!("type: webhook, format: slack, url: '{}'", endpoint.url);
    let mut night = Night::new(vec![mail(&server, ""), channel(&hook, &[])], 400);
    let passed = night.pass();
    assert_eq!((passed.sent, passed.failed), (2, 0));
    for _ in 0..3 {
        night.memory = Memory::default();
        assert_eq!(night.pass().sent, 0);
    }
    assert_eq!((server.taken().len(), endpoint.asked().len()), (1, 1));
}

#[test]
fn after_a_crash_behind_the_wire_the_same_mail_comes_once_more() {
    let server = SmtpServer::start();
    let mut night = Night::new(vec![mail(&server, ", digest: {daily: '07:00'}")], 3);
    assert_eq!(night.pass().sent, 2, "a digest and the alerts");
    let path = night.folder.path().join("events.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    for (kept, again) in [(1, 2), (3, 1), (4, 0)] {
        fs::write(&path, lines[..kept].join("\n") + "\n").unwrap();
        night.memory = Memory::default();
        night.post = Post::default();
        let before = server.taken();
        assert_eq!(night.pass().sent, again, "{kept} lines were written");
        let new = server.taken().split_off(before.len());
        assert_eq!(new.len(), again);
        // What was planned is the same to the last byte; what was not is another message.
        if kept == 1 {
            assert_eq!(new[0].bytes, before[0].bytes);
        }
        if kept == 3 {
            assert_eq!(new[0].bytes, before[1].bytes);
        }
    }
}

#[test]
fn a_server_that_is_away_gets_what_it_missed_when_it_is_back() {
    let server = SmtpServer::start();
    let away = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let hook = |url: &str| {
        channel(
            &format!("type: webhook, format: gotify, url: '{url}', token_env: T"),
            &[("T", "t")],
        )
    };
    let mut night = Night::new(vec![hook(&away), mail(&server, "")], 2);
    let passed = night.pass();
    assert_eq!((passed.sent, passed.failed), (1, 1));
    let status = &passed.channels[0];
    assert_eq!(
        (status.kind.as_str(), status.failures, status.waiting),
        ("gotify", 1, 2)
    );
    assert!(
        status.last_error.as_ref().unwrap().1.contains("127.0.0.1:"),
        "{status:?}"
    );
    let endpoint = Endpoint::start(|_, _| (200, "{}".to_owned()));
    night.channels[0] = hook(&endpoint.url);
    assert_eq!(night.pass().sent, 0, "not at once");
    night.now += chrono::Duration::seconds(30);
    let passed = night.pass();
    assert_eq!((passed.sent, passed.channels[0].failures), (1, 0));
    assert_eq!((server.taken().len(), endpoint.asked().len()), (1, 1));
    assert!(
        night
            .alerts
            .iter()
            .any(|alert| alert.severity == Severity::Critical)
    );
}

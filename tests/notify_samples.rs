//! Notices for tests, friendly and hostile, and channels as the configuration gives them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use sentinel::config::Config;
use sentinel::model::alert::{Alert, Severity};
use sentinel::model::channel::Channel;
use sentinel::model::day::Day;
use sentinel::model::notice::{
    AlertNotice, Digest, DigestDomain, Notice, NoticeKind, Occasion, TextNotice, Told,
};
use serde_json::json;

/// 2024-03-10T08:00:00Z
pub const AT_UTC_SECS: i64 = 1_710_057_600;
/// What a stranger would put into a report to be read by people and programs.
pub const HOSTILE: &str = "\r\nBcc: victim@example.net\r\n\r\n\u{202e}fdp<script>alert(1)</script><img src=https://evil.example/x>\
    =?utf-8?q?=0D=0ABcc:_x?= *bold* _it_ `code` [click](https://evil.example) <https://evil.example|here> <!channel> \
    <@U123> @everyone @victim /start ||s|| \u{0}\u{7f} =cmd|'/c calc'!A1 </code></pre> ``` \
    &amp; www.evil.example\u{2028}end";

/// A channel of the configuration, from its lines.
pub fn channel(yaml: &str, variables: &[(&str, &str)]) -> Channel {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let environment = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let text = format!("notify: {{channels: [{{{yaml}}}]}}");
    let mut config = Config::parse("test.yml", &text, &environment)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    config.notify.channels.remove(0)
}

/// A day of March 2024.
pub fn day(day: u32) -> Day {
    Day::from_ymd_opt(2024, 3, day).unwrap()
}

/// An alert as a rule gives it.
pub fn alert(id: &str, severity: Severity) -> Told {
    let facts = [
        ("source_ip", json!("203.0.113.66")),
        ("network", json!("AS64496 Example Hosting")),
        ("failing_messages", json!(1234)),
        ("pass_percent", json!(12.345)),
        ("reporters", json!(["google.example", "yahoo.example"])),
        ("nothing", json!(null)),
    ];
    Told {
        alert: Alert {
            id: id.to_owned(),
            rule: "unknown_sender".to_owned(),
            domain: Some("example.com".to_owned()),
            subject: "203.0.113.66".to_owned(),
            severity,
            first_day: day(8),
            last_day: day(9),
            messages: 1234,
            title: "203.0.113.66 sends as example.com and is not known".to_owned(),
            facts: facts
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            advice: vec![
                "If this is yours, list it under known_senders and sign with selector1._domainkey.example.com."
                    .to_owned(),
                "If it is not, nothing is to be done: with p=reject its mail is refused.".to_owned(),
            ],
            ..Alert::default()
        },
        occasion: Occasion::New,
        url: Some(format!("https://dmarc.example.com/alerts/{id}")),
    }
}

/// An alert in which every text is a stranger's.
pub fn hostile_alert(id: &str) -> Told {
    let mut told = alert(id, Severity::Critical);
    let alert = &mut told.alert;
    alert.title = format!("Mail of {HOSTILE}");
    alert.subject = HOSTILE.to_owned();
    alert.facts.insert("org_name".to_owned(), json!(HOSTILE));
    alert
        .facts
        .insert(HOSTILE.to_owned(), json!([HOSTILE, {HOSTILE: HOSTILE}]));
    alert.advice = vec![format!("Ask {HOSTILE} about it.")];
    told
}

/// A message about alerts.
pub fn about(alerts: Vec<Told>, more: usize) -> Notice {
    Notice::Alerts(AlertNotice {
        key: "0123456789abcdef0123456789abcdef".to_owned(),
        at_utc_secs: AT_UTC_SECS,
        alerts,
        more,
    })
}

/// Many alerts, the gravest first, every fourth of them hostile.
pub fn many(count: usize) -> Vec<Told> {
    let severity = |at| {
        if at < 3 {
            Severity::Critical
        } else {
            Severity::Warning
        }
    };
    (0..count)
        .map(|at| match at % 4 {
            3 => hostile_alert(&format!("{at:016x}")),
            _ => alert(&format!("{at:016x}"), severity(at)),
        })
        .collect()
}

/// A digest of a day with thirty days of trend.
pub fn digest() -> Digest {
    let trend = day(9).iter_days().zip(0..30).map(|(_, at)| {
        let day = day(9) - chrono::Days::new(29 - at);
        let at = i64::try_from(at).unwrap();
        (
            day,
            1_150 + at * 37 % 210,
            if at == 22 { 420 } else { 12 + at * 5 % 17 },
        )
    });
    let line = |domain: &str, messages, passed, open_alerts| DigestDomain {
        domain: domain.to_owned(),
        messages,
        passed,
        messages_before: messages + 7,
        open_alerts,
    };
    Digest {
        key: "fedcba9876543210fedcba9876543210".to_owned(),
        at_utc_secs: AT_UTC_SECS,
        kind: NoticeKind::Daily,
        first_day: day(9),
        last_day: day(9),
        messages: 13_345,
        passed: 13_132,
        domains: vec![
            line("example.com", 12_000, 11_800, 2),
            line("example.org", 1_345, 1_332, 0),
        ],
        more_domains: 0,
        trend: trend.collect(),
        open: vec![
            alert("00000000000000aa", Severity::Critical),
            alert("00000000000000ab", Severity::Warning),
        ],
        more: 0,
        url: Some("https://dmarc.example.com/overview".to_owned()),
    }
}

/// A summary, its columns in a fixed width.
pub fn summary(text: &str) -> Notice {
    Notice::Text(TextNotice {
        key: "00112233445566778899aabbccddeeff".to_owned(),
        at_utc_secs: AT_UTC_SECS,
        title: "2 problems in 7 days".to_owned(),
        text: text.to_owned(),
    })
}

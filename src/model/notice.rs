//! Messages to people: what a channel is given to send. How it looks there is the channel's affair.

use serde::{Deserialize, Serialize};

use super::alert::Alert;
use super::day::Day;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Alerts.
    Alerts,
    /// A digest of a day.
    Daily,
    /// A digest of seven days.
    Weekly,
}

impl NoticeKind {
    /// The word in the ledger and in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alerts => "alerts",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
        }
    }

    /// Whether it is a digest.
    pub fn is_digest(self) -> bool {
        self != Self::Alerts
    }
}

/// Why a message tells of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occasion {
    /// It is new.
    New,
    /// It is graver than when it was told of last.
    Graver,
    /// It was resolved, and there is new evidence.
    Reopened,
}

/// An alert in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The alert.
    pub alert: Alert,
    /// Why it is told of.
    pub occasion: Occasion,
    /// Its page, where `app.base_url` is set.
    pub url: Option<String>,
}

/// Alerts that are told of together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNotice {
    /// 32 hex digits, the same when it is sent again after a crash: the Message-ID and the idempotency key are made of
    /// it.
    pub key: String,
    /// The instant that goes into `Date`, seconds since 1970 UTC: the same when it is sent again.
    pub at_utc_secs: i64,
    /// At least one, the gravest first.
    pub alerts: Vec<Told>,
    /// How many more there are that the message does not name.
    pub more: usize,
}

/// A digest: a window of days in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// As [`AlertNotice::key`].
    pub key: String,
    /// As [`AlertNotice::at_utc_secs`].
    pub at_utc_secs: i64,
    /// [`NoticeKind::Daily`] or [`NoticeKind::Weekly`].
    pub kind: NoticeKind,
    /// First day of the window.
    pub first_day: Day,
    /// Last day of the window.
    pub last_day: Day,
    /// Messages of the window.
    pub messages: i64,
    /// Of these, those that pass DMARC.
    pub passed: i64,
    /// Messages by domain, those with most first.
    pub domains: Vec<DigestDomain>,
    /// How many more domains there are.
    pub more_domains: usize,
    /// Each day of the trend in order, the window its end: messages that passed and that failed.
    pub trend: Vec<(Day, i64, i64)>,
    /// Alerts that are open, the gravest first.
    pub open: Vec<Told>,
    /// How many more are open.
    pub more: usize,
    /// The overview, where `app.base_url` is set.
    pub url: Option<String>,
}

impl Digest {
    /// Whether nothing in it needs a person: no message failed and no alert is open.
    pub fn is_quiet(&self) -> bool {
        self.messages == self.passed && self.open.is_empty() && self.more == 0
    }
}

/// A line of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestDomain {
    /// Policy domain.
    pub domain: String,
    /// Messages of the window.
    pub messages: i64,
    /// Of these, those that pass DMARC.
    pub passed: i64,
    /// Messages of the window before.
    pub messages_before: i64,
    /// Alerts that are open.
    pub open_alerts: i64,
}

/// A text as `sentinel summary` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextNotice {
    /// As [`AlertNotice::key`].
    pub key: String,
    /// As [`AlertNotice::at_utc_secs`].
    pub at_utc_secs: i64,
    /// One line.
    pub title: String,
    /// Lines of text, to be shown in a fixed width. Holds strangers' text.
    pub text: String,
}

/// Anything that a channel can send.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// Alerts.
    Alerts(AlertNotice),
    /// A digest.
    Digest(Digest),
    /// A summary.
    Text(TextNotice),
    /// What `sentinel notify test` sends.
    Test(TextNotice),
}

impl Notice {
    /// Names it: the Message-ID and the idempotency key are made of it.
    pub fn key(&self) -> &str {
        match self {
            Self::Alerts(notice) => &notice.key,
            Self::Digest(digest) => &digest.key,
            Self::Text(text) | Self::Test(text) => &text.key,
        }
    }

    /// The instant in its `Date`, seconds since 1970 UTC.
    pub fn at_utc_secs(&self) -> i64 {
        match self {
            Self::Alerts(notice) => notice.at_utc_secs,
            Self::Digest(digest) => digest.at_utc_secs,
            Self::Text(text) | Self::Test(text) => text.at_utc_secs,
        }
    }
}

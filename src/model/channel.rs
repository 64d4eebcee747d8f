//! Channels that people are told through, as the user configures them.

use std::path::PathBuf;

use chrono::Weekday;

use super::alert::Severity;
use super::domain::is_within;
use super::inbox::TlsMode;
use super::secret::FromEnvironment;

/// A minute of the local day, 0 to 1439.
pub type MinuteOfDay = u16;

/// A way to people, and what goes that way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Name for people, for the ledger and for `--channel`; unique.
    pub name: String,
    /// How it gets there.
    pub way: Way,
    /// Alerts that are less grave are not told of.
    pub min_severity: Severity,
    /// Alerts of these domains and of those below them alone; when empty, of all.
    pub domains: Vec<String>,
    /// When nobody is to be woken.
    pub quiet_hours: Option<QuietHours>,
    /// For so long after a message further alerts are held back, to go in one; seconds.
    pub group_for_secs: u64,
    /// Most alerts that one message names; the rest is counted.
    pub most_alerts: usize,
    /// Its digests.
    pub digest: DigestTimes,
}

impl Channel {
    /// Whether an alert of this domain goes here; one without a domain goes to channels for all.
    pub fn takes_domain(&self, domain: Option<&str>) -> bool {
        self.domains.is_empty()
            || domain.is_some_and(|domain| self.domains.iter().any(|own| is_within(domain, own)))
    }
}

/// How a message gets to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// By mail.
    Mail(MailWay),
    /// By a bot of Telegram.
    Telegram(TelegramWay),
    /// By a request to an address.
    Webhook(WebhookWay),
}

impl Way {
    /// The word in the configuration and on pages.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
            Self::Telegram(_) => "telegram",
            Self::Webhook(webhook) => webhook.format.as_str(),
        }
    }
}

/// A server that takes mail, and who writes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailWay {
    /// Host name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// Certificate authorities (PEM) that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// User name and password, where the server wants them.
    pub login: Option<(String, FromEnvironment)>,
    /// Who writes.
    pub from: Mailbox,
    /// To whom; at least one, all different.
    pub to: Vec<Mailbox>,
    /// How long the server may take for an answer, seconds; for all of them together five times that.
    pub timeout_secs: u64,
}

/// An address of mail, ASCII, and the name in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Name for people.
    pub name: Option<String>,
    /// `local@domain`.
    pub address: String,
}

impl Mailbox {
    /// What stands behind the last `@`.
    pub fn domain(&self) -> &str {
        self.address
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain)
    }
}

/// A bot and the chat that it writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelegramWay {
    /// Token of the bot.
    pub token: FromEnvironment,
    /// Number of the chat, or `@name` of a channel; not secret, but it may stand in the environment.
    pub chat_id: FromEnvironment,
    /// Address of the interface, without a slash at the end; `https`, or `http` to a loopback address.
    pub api_url: String,
}

/// What kind of request an address takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The JSON that the README documents.
    Generic,
    /// An incoming webhook of Slack, or of what speaks its form (Mattermost, Rocket.Chat).
    Slack,
    /// A webhook of Discord.
    Discord,
    /// A topic of ntfy.
    Ntfy,
    /// An application of Gotify.
    Gotify,
}

impl Format {
    /// The word in the configuration and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Ntfy => "ntfy",
            Self::Gotify => "gotify",
        }
    }
}

/// An address that takes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookWay {
    /// What it takes.
    pub format: Format,
    /// The address; it may hold a token, so it is a secret. `https`, or `http` to a loopback address.
    pub url: FromEnvironment,
    /// Shown to the server in a header, where it wants one.
    pub token: Option<FromEnvironment>,
    /// Topic of ntfy; `None` where the address ends in it.
    pub topic: Option<String>,
}

/// A part of the day, in the time zone of the schedule; over midnight where it ends before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietHours {
    /// Its first minute.
    pub from: MinuteOfDay,
    /// The minute behind its last; another one than the first.
    pub to: MinuteOfDay,
    /// Whether critical alerts are told of all the same.
    pub except_critical: bool,
}

impl QuietHours {
    /// Whether a minute belongs to them.
    pub fn hold(&self, minute: MinuteOfDay) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// When digests are sent, in the time zone of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestTimes {
    /// Each day at this minute, of the day before.
    pub daily: Option<MinuteOfDay>,
    /// Each week at this minute of this day, of the seven days before.
    pub weekly: Option<(Weekday, MinuteOfDay)>,
    /// Whether they are sent where nothing failed and no alert is open.
    pub on_quiet_days: bool,
}

impl Default for DigestTimes {
    fn default() -> Self {
        Self {
            daily: None,
            weekly: None,
            on_quiet_days: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_go_over_midnight() {
        let hours = |from, to| QuietHours {
            from,
            to,
            except_critical: false,
        };
        for (quiet, minute, expect) in [
            (hours(22 * 60, 7 * 60), 22 * 60, true),
            (hours(22 * 60, 7 * 60), 21 * 60 + 59, false),
            (hours(22 * 60, 7 * 60), 0, true),
            (hours(22 * 60, 7 * 60), 6 * 60 + 59, true),
            (hours(22 * 60, 7 * 60), 7 * 60, false),
            (hours(60, 120), 90, true),
            (hours(60, 120), 120, false),
        ] {
            assert_eq!(quiet.hold(minute), expect, "{quiet:?} {minute}");
        }
    }
}

//! A notice -> what is to be said, the same through every channel; how it looks there is the channel's affair.
//!
//! Strangers' text ends here: in a letter every text is one line of visible characters with an end, and no address in
//! it can be followed.

use crate::model::alert::Severity;
use crate::model::notice::{AlertNotice, Digest, Notice, NoticeKind, TextNotice, Told};
use crate::model::words::grouped;

use super::entry::{Entry, entry, short_entry};
use super::harmless::{long, short, title, value};

/// Alerts that are told of with everything; of the others what, where and when.
const MOST_DETAILED: usize = 10;
/// Lines of a text in fixed width.
const MOST_LINES: usize = 200;
/// Domains of a digest.
const MOST_DOMAINS: usize = 25;

/// What is to be said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Letter {
    /// One line, beginning with `[DMARC]`.
    pub subject: String,
    /// What stands above the rest; empty where a single alert speaks for itself.
    pub heading: String,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// Sentences of this program before the rest.
    pub lead: Vec<String>,
    /// What is told of, the gravest first.
    pub entries: Vec<Entry>,
    /// How many more there are.
    pub more: usize,
    /// Lines in a fixed width.
    pub fixed: Vec<String>,
    /// The lines of a digest.
    pub table: Vec<Row>,
    /// How many more domains there are.
    pub more_domains: usize,
    /// Where to read on.
    pub url: Option<String>,
}

/// A domain in a digest, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The domain.
    pub domain: String,
    /// Messages.
    pub messages: String,
    /// How many of them pass.
    pub passed: String,
    /// Messages of the window before.
    pub before: String,
    /// Open alerts.
    pub open: String,
}

impl Letter {
    /// What a notice says.
    pub fn of(notice: &Notice) -> Self {
        match notice {
            Notice::Alerts(alerts) => Self::of_alerts(alerts),
            Notice::Digest(digest) => Self::of_digest(digest),
            Notice::Text(text) | Notice::Test(text) => Self::of_text(text),
        }
    }

    fn of_alerts(notice: &AlertNotice) -> Self {
        let count = notice.alerts.len() + notice.more;
        let heading = if count > 1 {
            tally(notice)
        } else {
            String::new()
        };
        Self {
            subject: subject(notice),
            heading,
            severity: notice.alerts.iter().map(|told| told.alert.severity).max(),
            entries: notice
                .alerts
                .iter()
                .enumerate()
                .map(|(at, told)| entry(told, at < MOST_DETAILED))
                .collect(),
            more: notice.more,
            ..Self::default()
        }
    }

    fn of_digest(digest: &Digest) -> Self {
        let failed = digest.messages.saturating_sub(digest.passed);
        let open = digest.open.len() + digest.more;
        let window = if digest.first_day == digest.last_day {
            digest.last_day.to_string()
        } else {
            format!("{} to {}", digest.first_day, digest.last_day)
        };
        let name = match digest.kind {
            NoticeKind::Weekly => "Weekly digest",
            _ => "Daily digest",
        };
        let rate = percent(digest.passed, digest.messages);
        let numbers = if digest.messages == 0 {
            "no messages".to_owned()
        } else {
            format!("{rate} of {} pass", messages(digest.messages))
        };
        let mut lead = vec![if digest.messages == 0 {
            format!("No report of {window} speaks of a message.")
        } else {
            format!(
                "{window} (UTC): {rate} of {} passed DMARC, {} failed.",
                messages(digest.messages),
                grouped(failed)
            )
        }];
        lead.push(match open {
            0 => "No alert is open.".to_owned(),
            1 => "1 alert is open.".to_owned(),
            _ => format!("{} alerts are open.", grouped(count_of(open))),
        });
        let table = digest.domains.iter().take(MOST_DOMAINS).map(|line| Row {
            domain: short(&line.domain),
            messages: grouped(line.messages),
            passed: percent(line.passed, line.messages),
            before: grouped(line.messages_before),
            open: grouped(line.open_alerts),
        });
        Self {
            subject: format!("[DMARC] {name} {window}: {numbers}, {}", open_words(open)),
            heading: format!("{name} {window}"),
            severity: digest.open.iter().map(|told| told.alert.severity).max(),
            lead,
            entries: digest.open.iter().map(short_entry).collect(),
            more: digest.more,
            table: table.collect(),
            more_domains: digest
                .more_domains
                .saturating_add(digest.domains.len().saturating_sub(MOST_DOMAINS)),
            url: digest.url.clone(),
            ..Self::default()
        }
    }

    fn of_text(text: &TextNotice) -> Self {
        let lines = text.text.lines();
        Self {
            subject: format!("[DMARC] {}", title(&text.title)),
            heading: title(&text.title),
            fixed: lines.take(MOST_LINES).map(fixed_line).collect(),
            ..Self::default()
        }
    }

    /// What is said of alerts that are not named.
    pub fn more_words(&self) -> Option<String> {
        let noun = if self.more == 1 { "alert" } else { "alerts" };
        (self.more > 0).then(|| format!("And {} more {noun}.", grouped(count_of(self.more))))
    }
}

fn fixed_line(line: &str) -> String {
    // Columns stay where they are: every space counts.
    let indented = line.len() - line.trim_start_matches(' ').len();
    let words: Vec<String> = line.split(' ').map(super::harmless::word).collect();
    let line = words.join(" ");
    if line.chars().count() > 400 {
        return " ".repeat(indented.min(40)) + &long(&line);
    }
    line
}

/// `[DMARC] critical: …`, or how many of which severity.
fn subject(notice: &AlertNotice) -> String {
    if let ([told], 0) = (notice.alerts.as_slice(), notice.more) {
        let alert = &told.alert;
        return format!("[DMARC] {}: {}", alert.severity, title(&alert.title));
    }
    let mut domains: Vec<&Option<String>> = notice
        .alerts
        .iter()
        .map(|told| &told.alert.domain)
        .collect();
    domains.sort_unstable();
    domains.dedup();
    let place = match domains.as_slice() {
        [Some(domain)] if notice.more == 0 => format!(" for {}", value(domain)),
        _ => String::new(),
    };
    format!("[DMARC] {}{place}", tally(notice))
}

/// `3 critical, 12 warnings`; what is not named is counted at the end.
fn tally(notice: &AlertNotice) -> String {
    let mut parts = Vec::new();
    for severity in Severity::ALL.into_iter().rev() {
        let is_so = |told: &&Told| told.alert.severity == severity;
        let count = notice.alerts.iter().filter(is_so).count();
        let word = match (severity, count) {
            (_, 0) => continue,
            (Severity::Critical, _) => "critical",
            (Severity::Warning, 1) => "warning",
            (Severity::Warning, _) => "warnings",
            (Severity::Info, 1) => "note",
            (Severity::Info, _) => "notes",
        };
        parts.push(format!("{count} {word}"));
    }
    if notice.more > 0 {
        parts.push(format!("{} more alerts", notice.more));
    }
    parts.join(", ")
}

/// `98.4%`, rounded as on the pages; a dash of nothing.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "\u{2013}".to_owned();
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    let tenths = (2000 * part + whole) / (2 * whole);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn messages(count: i64) -> String {
    let noun = if count == 1 { "message" } else { "messages" };
    format!("{} {noun}", grouped(count))
}

fn open_words(count: usize) -> String {
    match count {
        0 => "no open alert".to_owned(),
        1 => "1 open alert".to_owned(),
        count => format!("{count} open alerts"),
    }
}

fn count_of(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

//! `/metrics`: the text format 0.0.4 of Prometheus.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use chrono::{DateTime, Utc};

use super::published::Current;
use crate::model::standing::{ChannelStatus, Mailbox, Standing};
use crate::render::homepage::{DomainTotals, Homepage};

#[cfg(test)]
mod tests;

/// As Prometheus asks for it.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is told.
pub(crate) struct Told<'a> {
    /// `ok`, `degraded`, `failing` or `starting`.
    pub(crate) health: &'static str,
    pub(crate) standing: &'a Standing,
    pub(crate) current: Option<&'a Current>,
    pub(crate) homepage: Option<&'a Homepage>,
    pub(crate) last_check: Option<DateTime<Utc>>,
}

/// All of it.
pub(crate) fn text(told: &Told<'_>) -> String {
    let mut text = Text(String::with_capacity(8 * 1024));
    write_health(&mut text, told.health, told.standing);
    if let Some(current) = told.current {
        write_published(&mut text, current);
    }
    write_runs(&mut text, told);
    write_mailboxes(&mut text, &told.standing.mailboxes);
    write_positions(&mut text, &told.standing.mailboxes);
    write_channels(&mut text, &told.standing.channels);
    if let Some(homepage) = told.homepage {
        // Findings about no domain count here alone.
        let totals = &homepage.totals;
        text.one(
            "critical_alerts",
            "Open alerts of severity critical, of all domains and of none",
            totals.critical_alerts,
        );
        text.one(
            "warnings",
            "Open alerts of severity warning, of all domains and of none",
            totals.warnings,
        );
        write_domains(&mut text, &homepage.domains);
    }
    text.0
}

fn write_health(text: &mut Text, health: &'static str, standing: &Standing) {
    text.family("build_info", "Version of the program");
    text.sample("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.family(
        "health",
        "How it goes on the whole: 1 at the state that holds",
    );
    for state in ["ok", "degraded", "failing", "starting"] {
        text.sample("health", &[("state", state)], u8::from(state == health));
    }
    text.one(
        "disk_low",
        "Whether nothing is fetched because the disk is too full",
        u8::from(standing.low_disk.is_some()),
    );
    text.one(
        "heartbeat_failing",
        "Whether the heartbeat address cannot be called",
        u8::from(standing.heartbeat_error.is_some()),
    );
    text.one(
        "rules_failing",
        "Rules of alerts that cannot be asked",
        standing.failing_rules.len(),
    );
}

fn write_published(text: &mut Text, current: &Current) {
    text.one(
        "generation",
        "Number of the published generation",
        current.generation.number,
    );
    text.one(
        "generation_timestamp_seconds",
        "When it was published",
        current.published_utc.timestamp(),
    );
    text.one(
        "archive_items",
        "Items in the archive that it covers",
        current.generation.manifest.values.archive_position,
    );
}

fn write_runs(text: &mut Text, told: &Told<'_>) {
    let standing = told.standing;
    if let Some(at) = told.last_check {
        text.one(
            "last_run_timestamp_seconds",
            "End of the last run",
            at.timestamp(),
        );
    }
    text.one(
        "run_failures",
        "Runs that failed as a whole, in a row",
        standing.run_failures,
    );
    text.one(
        "jobs_owed",
        "Jobs that somebody asked for and that are not at their end",
        standing.owed_jobs,
    );
    text.one(
        "job_running",
        "Whether a run is going on",
        u8::from(standing.running.is_some()),
    );
    if let Some(job) = &standing.running {
        text.one(
            "job_running_messages",
            "Messages that it has archived",
            job.archived,
        );
        if let Some(wanted) = job.wanted {
            text.one(
                "job_running_messages_wanted",
                "Messages that it will archive",
                wanted,
            );
        }
    }
}

fn write_mailboxes(text: &mut Text, mailboxes: &[Mailbox]) {
    let mut each = |name, help, value: &dyn Fn(&Mailbox) -> Option<i64>| {
        text.each(
            name,
            help,
            mailboxes
                .iter()
                .map(|m| ("inbox", m.name.as_str(), value(m))),
        );
    };
    each(
        "inbox_up",
        "Whether the last look at the mailbox went well",
        &|m| (m.failures > 0 || m.last_success.is_some()).then(|| i64::from(m.failures == 0)),
    );
    each("inbox_failures", "Failures in a row", &|m| {
        Some(i64::from(m.failures))
    });
    each(
        "inbox_last_success_timestamp_seconds",
        "When the mailbox was last read to its end",
        &|m| m.last_success.map(|at| at.timestamp()),
    );
    each(
        "inbox_last_error_timestamp_seconds",
        "When the mailbox last failed",
        &|m| m.last_error.as_ref().map(|(at, _)| at.timestamp()),
    );
    each(
        "inbox_next_try_timestamp_seconds",
        "When the mailbox is looked into next",
        &|m| m.next_try.map(|at| at.timestamp()),
    );
    each(
        "inbox_watched",
        "Whether the server tells of new mail",
        &|m| Some(i64::from(m.is_watched)),
    );
    each(
        "inbox_archived_messages",
        "Messages of the mailbox in the archive",
        &|m| Some(i64::try_from(m.messages()).unwrap_or(i64::MAX)),
    );
}

/// How far each folder is, under its present numbers: the last ones of its name.
fn write_positions(text: &mut Text, mailboxes: &[Mailbox]) {
    let mut positions = BTreeMap::new();
    for mailbox in mailboxes {
        for folder in &mailbox.folders {
            positions.insert((&mailbox.name, &folder.name), folder.uid);
        }
    }
    if !positions.is_empty() {
        text.family(
            "inbox_position",
            "Highest message (UID) of a folder in the archive",
        );
    }
    for ((inbox, folder), uid) in positions {
        text.sample(
            "inbox_position",
            &[("inbox", inbox), ("folder", folder)],
            uid,
        );
    }
}

fn write_channels(text: &mut Text, channels: &[ChannelStatus]) {
    let mut each = |name, help, value: &dyn Fn(&ChannelStatus) -> Option<i64>| {
        let channels = channels.iter();
        text.each(
            name,
            help,
            channels.map(|c| ("channel", c.name.as_str(), value(c))),
        );
    };
    each("channel_failures", "Failures in a row", &|c| {
        Some(i64::from(c.failures))
    });
    each(
        "channel_waiting_alerts",
        "Alerts that people are still to be told of",
        &|c| Some(i64::try_from(c.waiting).unwrap_or(i64::MAX)),
    );
    each(
        "channel_last_success_timestamp_seconds",
        "When something was last sent",
        &|c| c.last_success.map(|at| at.timestamp()),
    );
    each(
        "channel_last_error_timestamp_seconds",
        "When sending last failed, if it has not gone well since",
        &|c| c.last_error.as_ref().map(|(at, _)| at.timestamp()),
    );
}

fn write_domains(text: &mut Text, domains: &[DomainTotals]) {
    let mut each = |name, help, value: &dyn Fn(&DomainTotals) -> Option<f64>| {
        text.each(
            name,
            help,
            domains
                .iter()
                .map(|d| ("domain", d.domain.as_str(), value(d))),
        );
    };
    each(
        "domain_messages",
        "Messages that were reported in the window of the dashboard",
        &|d| Some(whole(d.totals.messages)),
    );
    each("domain_failing", "Those of them that failed DMARC", &|d| {
        Some(whole(d.totals.failing))
    });
    // Without messages there is no rate: a zero would ring a bell.
    each(
        "domain_pass_rate_percent",
        "Those that passed, per cent",
        &|d| (d.totals.messages > 0).then_some(d.totals.dmarc_pass_rate_percent),
    );
    each("domain_reports", "Reports in the window", &|d| {
        Some(whole(d.totals.reports))
    });
    each(
        "domain_unknown_sources",
        "Sending addresses that no known sender explains",
        &|d| Some(whole(d.totals.unknown_sources)),
    );
    each(
        "domain_critical_alerts",
        "Open alerts of severity critical",
        &|d| Some(whole(d.totals.critical_alerts)),
    );
    each("domain_warnings", "Open alerts of severity warning", &|d| {
        Some(whole(d.totals.warnings))
    });
}

/// Numbers of the format are doubles.
#[expect(
    clippy::cast_precision_loss,
    reason = "beyond 2^53 messages the last digits do not matter"
)]
fn whole(number: i64) -> f64 {
    number as f64
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(
            self.0,
            "# HELP dmarc_sentinel_{name} {help}.\n# TYPE dmarc_sentinel_{name} gauge"
        );
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = write!(self.0, "dmarc_sentinel_{name}");
        for (at, (label, text)) in labels.iter().enumerate() {
            self.0.push(if at == 0 { '{' } else { ',' });
            let _ = write!(self.0, "{label}=\"");
            push_label(&mut self.0, text);
            self.0.push('"');
        }
        self.0.push_str(if labels.is_empty() { "" } else { "}" });
        let _ = writeln!(self.0, " {value}");
    }

    fn one(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, help);
        self.sample(name, &[], value);
    }

    /// A family with a label; one without a sample is left out.
    fn each<'a, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl Iterator<Item = (&'static str, &'a str, Option<V>)>,
    ) {
        let mut is_first = true;
        for (label, text, value) in samples {
            let Some(value) = value else { continue };
            if std::mem::take(&mut is_first) {
                self.family(name, help);
            }
            self.sample(name, &[(label, text)], value);
        }
    }
}

/// A label's value: backslash, quote and line feed are escaped.
fn push_label(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}

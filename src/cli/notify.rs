//! `sentinel notify test`: whether people would be told.

use std::io::Write as _;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::context::UsageError;
use crate::clock;
use crate::config::Config;
use crate::model::alert::{Alert, Severity};
use crate::model::channel::Channel;
use crate::model::day::{Day, days_before};
use crate::model::hex::hex;
use crate::model::notice::{Digest, DigestDomain, Notice, NoticeKind, Occasion, TextNotice, Told};
use crate::notify::Post;

/// Days of the sample's trend.
const TREND_DAYS: u64 = 30;

/// Arguments of `sentinel notify`.
#[derive(Debug, Clone, clap::Args)]
pub struct NotifyArgs {
    #[command(subcommand)]
    command: NotifyCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum NotifyCommand {
    /// Send a sample to every channel, or to one
    Test(TestArgs),
}

/// Arguments of `sentinel notify test`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel notify test                        does every channel of notify.channels work?
  sentinel notify test --channel postmaster   only this one
  sentinel notify test --digest               how a digest looks there, with invented numbers

Nothing is noted: what is due is sent all the same. Exit codes: 0 all were sent, 2 no channel is configured,
3 one failed. `sentinel check` tries to reach them without sending.")]
pub struct TestArgs {
    /// Name of one channel
    #[arg(long, value_name = "NAME")]
    channel: Option<String>,
    /// Send a digest instead of a short text
    #[arg(long)]
    digest: bool,
}

/// Runs `sentinel notify`.
pub fn run(args: &NotifyArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let NotifyCommand::Test(args) = &args.command;
    let channels = chosen(config, args.channel.as_deref())?;
    let post = Post::default();
    let mut failures = 0;
    for channel in channels {
        let now = clock::now();
        let notice = if args.digest {
            Notice::Digest(sample_digest(channel, now, config.app.base_url.as_deref()))
        } else {
            Notice::Test(sample_text(channel, now))
        };
        let name = &channel.name;
        match post.send(channel, &notice) {
            Ok(delivery) => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "channel \"{name}\": sent, {}", delivery.words)?;
            }
            Err(error) => {
                failures += 1;
                eprintln!("channel \"{name}\": failed: {error}");
            }
        }
    }
    Ok(ExitCode::from(if failures == 0 { 0 } else { 3 }))
}

fn chosen<'c>(config: &'c Config, name: Option<&str>) -> anyhow::Result<Vec<&'c Channel>> {
    let channels = &config.notify.channels;
    if channels.is_empty() {
        let message = "no channel is configured: list them under `notify.channels`";
        return Err(UsageError(message.to_owned()).into());
    }
    let Some(name) = name else {
        return Ok(channels.iter().collect());
    };
    let found = channels.iter().find(|channel| channel.name == name);
    let Some(found) = found else {
        let names: Vec<&str> = channels
            .iter()
            .map(|channel| channel.name.as_str())
            .collect();
        let message = format!(
            "there is no channel \"{name}\"; there is {}",
            names.join(", ")
        );
        return Err(UsageError(message).into());
    };
    Ok(vec![found])
}

/// A key that no other message has.
fn key(channel: &Channel, now: DateTime<Utc>) -> String {
    let text = format!(
        "test {} {} {}",
        channel.name,
        now.timestamp_micros(),
        std::process::id()
    );
    hex(&Sha256::digest(text)[..16])
}

fn sample_text(channel: &Channel, now: DateTime<Utc>) -> TextNotice {
    let name = &channel.name;
    let domains = if channel.domains.is_empty() {
        "all domains".to_owned()
    } else {
        channel.domains.join(", ")
    };
    TextNotice {
        key: key(channel, now),
        at_utc_secs: now.timestamp(),
        title: format!("test of the channel \"{name}\""),
        text: format!(
            "This is a test of DMARC Sentinel. The channel \"{name}\" works.\n\nAlerts come here:\n  from severity  {}\n  \
             of             {domains}\n",
            channel.min_severity
        ),
    }
}

/// Invented numbers, and says so.
fn sample_digest(channel: &Channel, now: DateTime<Utc>, base_url: Option<&str>) -> Digest {
    let last_day = days_before(now.date_naive(), 1);
    let trend: Vec<(Day, i64, i64)> = (0..TREND_DAYS)
        .rev()
        .zip(0_i64..)
        .map(|(before, at)| {
            let is_weekend = at % 7 > 4;
            let passed = 1_150 + at * 37 % 210 - if is_weekend { 700 } else { 0 };
            let failed = if at == 22 { 420 } else { 12 + at * 5 % 17 };
            (days_before(last_day, before), passed, failed)
        })
        .collect();
    let (_, passed, failed) = trend.last().copied().unwrap_or_default();
    let alert = Alert {
        id: "0000000000000000".to_owned(),
        rule: "sample".to_owned(),
        domain: Some("example.com".to_owned()),
        subject: "203.0.113.66".to_owned(),
        severity: Severity::Warning,
        first_day: last_day,
        last_day,
        messages: failed,
        title: "A sample: 203.0.113.66 sends as example.com and is not known".to_owned(),
        ..Alert::default()
    };
    Digest {
        key: key(channel, now),
        at_utc_secs: now.timestamp(),
        kind: NoticeKind::Daily,
        first_day: last_day,
        last_day,
        messages: passed + failed,
        passed,
        domains: vec![DigestDomain {
            domain: "example.com (a sample)".to_owned(),
            messages: passed + failed,
            passed,
            messages_before: passed,
            open_alerts: 1,
        }],
        more_domains: 0,
        trend,
        open: vec![Told {
            alert,
            occasion: Occasion::New,
            url: None,
        }],
        more: 0,
        url: base_url.map(|base| format!("{base}/overview")),
    }
}

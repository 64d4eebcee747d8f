//! Tells people what is due: alerts as they stand in what is published, digests of its numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;

use super::alert_desk::{Alerts, read};
use super::context::catalogue;
use super::glance::Glance;
use crate::clock;
use crate::config::Config;
use crate::daemon::Told as Outcome;
use crate::job::folders::Folders;
use crate::ledger::Ledger;
use crate::model::alert::{Alert, Status};
use crate::model::channel::Channel;
use crate::model::day::{Day, days_before};
use crate::model::notice::{Digest, DigestDomain, Occasion, Told};
use crate::notify::Post;
use crate::notify::outbox::{Memory, Round, Window, Wires, pass};
use crate::render::Skin;
use crate::render::digest::{DigestDay, PATH};

/// Days of a digest's trend.
const TREND_DAYS: u64 = 30;
/// Domains of a digest's table.
const DOMAINS_TOLD: usize = 20;
/// Alerts that a digest names.
const ALERTS_TOLD: usize = 20;

/// Knows the channels, and what failed.
pub(super) struct Teller {
    channels: Vec<Channel>,
    base_url: Option<String>,
    within_days: u64,
    zone: Tz,
    desk: Alerts,
    folders: Folders,
    post: Post,
    memory: Memory,
}

impl Teller {
    /// `None` where no channel is configured.
    pub(super) fn new(config: &Config) -> Result<Option<Self>> {
        if config.notify.channels.is_empty() {
            return Ok(None);
        }
        let folders = Folders::new(&config.app.data_dir);
        let zone = config.app.timezone.parse();
        Ok(Some(Self {
            channels: config.notify.channels.clone(),
            base_url: config.app.base_url.clone(),
            within_days: config.alerts.notify_within_days,
            zone: zone.map_err(|_| anyhow::anyhow!("app.timezone: there is no such time zone"))?,
            desk: Alerts {
                public: folders.public(),
                ledger: folders.ledger(),
                glance: Arc::new(Glance::new(folders.ledger())),
                resolve_after_days: config.alerts.resolve_after_days,
                skin: Arc::new(Skin::new("")?),
                catalogue: Arc::new(catalogue(config)?),
                daemon: None,
            },
            folders,
            post: Post::default(),
            memory: Memory::default(),
        }))
    }

    /// Sends what is due, and says when there will be more, and how the channels fare.
    pub(super) fn tell(&mut self) -> Result<Outcome> {
        let Some(generation) = self.desk.generation()? else {
            return Ok(Outcome::default());
        };
        let as_of = generation.manifest.values.as_of;
        let alerts = self.alerts()?;
        let days: Option<Vec<DigestDay>> = read(&generation, PATH)?;
        let round = Round {
            channels: &self.channels,
            alerts: &alerts,
            base_url: self.base_url.as_deref(),
            as_of,
            within_days: self.within_days,
            zone: self.zone,
        };
        let post = &self.post;
        let mut wires = Wires {
            send: &mut |channel, notice| post.send(channel, notice),
            digest: &mut |channel, window| match &days {
                Some(days) => Ok(digest(&round, channel, window, days)),
                // No numbers are no quiet day.
                None => Err("what is published holds no numbers for it".to_owned()),
            },
            now: &clock::now,
        };
        let ledger = Ledger::open(&self.folders.ledger()).context("opening the ledger")?;
        let passed = pass(&round, &ledger, &mut self.memory, &mut wires)
            .context("noting in the ledger what was sent")?;
        Ok(Outcome {
            next: passed.next,
            is_busy: passed.is_busy,
            sent: passed.sent,
            failed: passed.failed,
            channels: passed.channels,
        })
    }

    /// Those that are open, with all that is said of them.
    fn alerts(&self) -> Result<Vec<Alert>> {
        let Some(list) = self.desk.list()? else {
            return Ok(Vec::new());
        };
        let open = list
            .alerts
            .iter()
            .filter(|alert| alert.status == Status::Open);
        let mut alerts = Vec::new();
        for listed in open {
            alerts.extend(self.desk.file(&listed.id)?.map(|file| file.alert));
        }
        Ok(alerts)
    }
}

/// The numbers of a window for a channel; its key and instant are put in behind.
fn digest(round: &Round<'_>, channel: &Channel, window: &Window, days: &[DigestDay]) -> Digest {
    let days: Vec<&DigestDay> = days
        .iter()
        .filter(|day| channel.takes_domain(day.domain.as_deref()))
        .collect();
    let length = (window.last_day - window.first_day)
        .num_days()
        .unsigned_abs()
        + 1;
    let before = days_before(window.first_day, length);
    let in_window = |day: &&&DigestDay| (window.first_day..=window.last_day).contains(&day.day);
    let sum = |of: fn(&DigestDay) -> i64| {
        let counts = days.iter().filter(in_window).map(|day| of(day));
        counts.fold(0, i64::saturating_add)
    };
    let open: Vec<&Alert> = round
        .alerts
        .iter()
        .filter(|alert| {
            alert.severity >= channel.min_severity && channel.takes_domain(alert.domain.as_deref())
        })
        .collect();
    let told = open.iter().take(ALERTS_TOLD).map(|alert| Told {
        alert: (*alert).clone(),
        occasion: Occasion::New,
        url: round
            .base_url
            .map(|base| format!("{base}/alerts/{}", alert.id)),
    });
    Digest {
        key: String::new(),
        at_utc_secs: window.at_utc_secs,
        kind: window.kind,
        first_day: window.first_day,
        last_day: window.last_day,
        messages: sum(|day| day.messages),
        passed: sum(|day| day.passed),
        domains: domains(&days, window, before, &open),
        trend: trend(&days, window.last_day),
        open: told.collect(),
        more: open.len().saturating_sub(ALERTS_TOLD),
        url: round.base_url.map(|base| format!("{base}/overview")),
    }
}

/// Those with most messages.
fn domains(
    days: &[&DigestDay],
    window: &Window,
    before: Day,
    open: &[&Alert],
) -> Vec<DigestDomain> {
    let mut by_name: BTreeMap<&str, DigestDomain> = BTreeMap::new();
    for day in days {
        let name = day.domain.as_deref().unwrap_or("other domains");
        let line = by_name.entry(name).or_insert_with(|| DigestDomain {
            domain: name.to_owned(),
            messages: 0,
            passed: 0,
            messages_before: 0,
            open_alerts: open
                .iter()
                .filter(|alert| alert.domain.as_deref() == Some(name))
                .count() as i64,
        });
        if (window.first_day..=window.last_day).contains(&day.day) {
            line.messages = line.messages.saturating_add(day.messages);
            line.passed = line.passed.saturating_add(day.passed);
        } else if (before..window.first_day).contains(&day.day) {
            line.messages_before = line.messages_before.saturating_add(day.messages);
        }
    }
    let mut lines: Vec<DigestDomain> = by_name
        .into_values()
        .filter(|line| line.messages > 0 || line.messages_before > 0 || line.open_alerts > 0)
        .collect();
    lines.sort_by(|a, b| {
        b.messages
            .cmp(&a.messages)
            .then_with(|| a.domain.cmp(&b.domain))
    });
    lines.truncate(DOMAINS_TOLD);
    lines
}

/// Every day of it, those without a report too.
fn trend(days: &[&DigestDay], last_day: Day) -> Vec<(Day, i64, i64)> {
    let day = |before: u64| {
        let at = days_before(last_day, before);
        let (messages, passed) =
            days.iter()
                .filter(|day| day.day == at)
                .fold((0, 0), |(messages, passed), day| {
                    (
                        day.messages.saturating_add(messages),
                        day.passed.saturating_add(passed),
                    )
                });
        (at, passed, messages.saturating_sub(passed))
    };
    (0..TREND_DAYS).rev().map(day).collect()
}

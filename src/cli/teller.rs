//! Tells people what is due: alerts as they stand in what is published, digests of its numbers.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;

use super::alert_beyond::Beyond;
use super::alert_desk::{Alerts, read};
use super::context::catalogue;
use super::digest::digest;
use super::glance::Glance;
use crate::clock;
use crate::config::Config;
use crate::daemon::Told as Outcome;
use crate::job::folders::Folders;
use crate::ledger::Ledger;
use crate::model::alert::{Alert, Status};
use crate::model::channel::Channel;
use crate::notify::Post;
use crate::notify::outbox::{Memory, Round, Wires, pass};
use crate::render::Skin;
use crate::render::alerts::{AlertQuestion, Listed};
use crate::render::digest::{DigestDay, PATH};

/// Open alerts of which people are told; of more, the gravest.
const MOST_ALERTS: usize = 100_000;

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
                beyond: Beyond::default(),
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
        let (alerts, failing_rules) = self.alerts()?;
        let days: Option<Vec<DigestDay>> = read(&generation, PATH)?;
        let round = Round {
            channels: &self.channels,
            alerts: &alerts,
            failing_rules: &failing_rules,
            base_url: self.base_url.as_deref(),
            as_of,
            within_days: self.within_days,
            zone: self.zone,
        };
        let post = &self.post;
        let mut wires = Wires {
            send: &mut |channel, notice| post.send(channel, notice),
            digest: &mut |channel, window| match &days {
                Some(days) => digest(&round, channel, window, days, &mut |ids| {
                    find(&self.desk, ids)
                }),
                // No numbers are no quiet day.
                None => Err("what is published holds no numbers for it".to_owned()),
            },
            find: &mut |ids| find(&self.desk, ids),
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

    /// Those that are open, the gravest first, without words, facts and advice; and the rules that cannot be asked.
    fn alerts(&self) -> Result<(Vec<Alert>, BTreeSet<String>)> {
        let question = AlertQuestion {
            status: Some(Status::Open),
            limit: MOST_ALERTS,
            ..AlertQuestion::default()
        };
        let list = self.desk.list(&question)?.unwrap_or_default();
        if list.matching > MOST_ALERTS as u64 {
            tracing::warn!(
                open = list.matching,
                "only the {MOST_ALERTS} gravest open alerts are told of"
            );
        }
        let light = |listed: Listed| Alert {
            id: listed.id,
            rule: listed.rule,
            domain: listed.domain,
            severity: listed.severity,
            status: listed.status,
            first_day: listed.first_day,
            last_day: listed.last_day,
            messages: listed.messages,
            ..Alert::default()
        };
        let faults = list.rule_faults.into_iter();
        let failing = faults.filter(|fault| fault.is_failure);
        Ok((
            list.alerts.into_iter().map(light).collect(),
            failing.map(|fault| fault.rule).collect(),
        ))
    }
}

/// Alerts as they stand, in full.
fn find(desk: &Alerts, ids: &[&str]) -> Result<Vec<Alert>, String> {
    let files = desk.files(ids).map_err(|error| format!("{error:#}"))?;
    Ok(files.into_iter().map(|file| file.alert).collect())
}

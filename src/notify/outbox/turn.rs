//! The turn of a channel in a round: one message after the other, until there is nothing more to do now.

use std::io;

use chrono::{DateTime, Utc};

use super::compose::{alert_notice, key};
use super::due::{Due, Situation, Window, due, due_digest, next_digest, owed_until, window_of};
use super::memory::Memory;
use super::owed::{is_unknown, standing, together, waits_for_rules};
use super::round::{Passed, Round, Wires};
use crate::ledger::{
    AlertTold, Entry, Event, Ledger, NoticePlanned, NoticeSent, NoticeTried, Notices,
};
use crate::model::channel::Channel;
use crate::model::notice::{AlertNotice, Digest, Notice, NoticeKind};
use crate::notify::fate::{Retry, SendError};

/// Messages to one channel in one round; a round ends.
const MOST_MESSAGES: usize = 8;
/// A message that some recipients have is tried for the others no longer than that.
const LONGEST_PARTIAL_SECS: i64 = 24 * 60 * 60;

/// What is needed for a turn.
pub(super) struct Turn<'a, 'w> {
    pub(super) round: &'a Round<'a>,
    pub(super) ledger: &'a Ledger,
    pub(super) memory: &'a mut Memory,
    pub(super) wires: &'a mut Wires<'w>,
    pub(super) notices: Notices,
    /// Grows with every event; a key never comes twice.
    pub(super) position: u64,
    pub(super) passed: &'a mut Passed,
}

/// What one look at a channel leads to.
enum Step {
    /// Something was done: look again.
    Again,
    /// There is nothing to do before this instant, or at all; so many alerts wait that are not owed yet.
    Rest(Option<DateTime<Utc>>, usize),
}

impl Turn<'_, '_> {
    /// Does what is to be done for a channel, and says how it fares.
    pub(super) fn channel(&mut self, channel: &Channel) -> io::Result<()> {
        let mut rest = (None, 0);
        let mut result = Ok(());
        for _ in 0..MOST_MESSAGES {
            match self.step(channel) {
                Ok(Step::Again) => rest = (Some((self.wires.now)()), 0),
                Ok(Step::Rest(next, waiting)) => {
                    rest = (next, waiting);
                    break;
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        let told = self.notices.of(&channel.name);
        let (next, due) = rest;
        let owed = told.owed.iter().map(|owed| owed.alerts.len());
        let waiting = owed.fold(due, usize::saturating_add);
        let status = self.memory.status(channel, &told, next, waiting);
        self.passed.channels.push(status);
        let digest = next_digest(channel, (self.wires.now)(), self.round.zone);
        self.passed.next = [self.passed.next, next, digest].into_iter().flatten().min();
        result
    }

    fn step(&mut self, channel: &Channel) -> io::Result<Step> {
        let told = self.notices.of(&channel.name);
        let now = (self.wires.now)();
        let situation = Situation {
            channel,
            alerts: self.round.alerts,
            told: &told,
            as_of: self.round.as_of,
            within_days: self.round.within_days,
            now,
            zone: self.round.zone,
        };
        let held = self.memory.held_until(&channel.name, now);
        let digest_held = self.memory.digest_held_until(&channel.name, now);
        // A digest that cannot be made keeps no alert from anybody.
        let is_ready = |owed: &&NoticePlanned| match owed.kind.is_digest() {
            true => digest_held.is_none(),
            false => !waits_for_rules(self.round, owed),
        };
        let may_go =
            |owed: &&NoticePlanned| is_ready(owed) && owed_until(&situation, owed).is_none();
        // What may pass quiet hours does not wait behind what may not.
        let owed = (told.owed.iter().find(may_go)).or_else(|| told.owed.iter().find(is_ready));
        let owed_until = owed.and_then(|owed| held.max(owed_until(&situation, owed)));
        if let Some(owed) = owed {
            if self.memory.unnoted.contains(&owed.key) {
                self.note_sent(channel, owed)?;
                return Ok(Step::Again);
            }
            if owed_until.is_none() {
                let waiting = told.owed.iter().filter(may_go);
                return self.send_owed(channel, waiting, owed);
            }
        }
        let window = due_digest(&situation);
        if let (Some(window), None, None) = (&window, held, digest_held) {
            return self.plan_digest(channel, window);
        }
        let rest = |until: Option<DateTime<Utc>>, count| {
            let next = [owed_until, until.max(held)].into_iter().flatten().min();
            Ok(Step::Rest(next, count))
        };
        match due(&situation) {
            Due::Nothing => {
                let held = held.max(digest_held);
                let is_waiting = window.is_some() || !told.owed.is_empty();
                Ok(Step::Rest(owed_until.or(held.filter(|_| is_waiting)), 0))
            }
            Due::Wait(until, count) => rest(Some(until), count),
            Due::Send(alerts) => self.plan_alerts(channel, alerts, held.is_some()),
        }
    }

    fn plan_alerts(
        &mut self,
        channel: &Channel,
        alerts: Vec<AlertTold>,
        held: bool,
    ) -> io::Result<Step> {
        let at_utc_secs = (self.wires.now)().timestamp();
        let planned = NoticePlanned {
            held,
            ..self.planned(channel, NoticeKind::Alerts, at_utc_secs, alerts)
        };
        self.note(&[Event::NoticePlanned(planned.clone())])?;
        match held {
            true => Ok(Step::Again),
            false => self.send(channel, &planned, None),
        }
    }

    /// What waits is told of in one message.
    fn send_owed<'a>(
        &mut self,
        channel: &Channel,
        waiting: impl Iterator<Item = &'a NoticePlanned>,
        owed: &NoticePlanned,
    ) -> io::Result<Step> {
        if let Some((plans, alerts)) = together(waiting) {
            self.replace(channel, &plans, [alerts])?;
            return Ok(Step::Again);
        }
        self.send(channel, owed, None)
    }

    /// Messages about these alerts take the place of others. They are planned first: a crash between the lines tells of
    /// an alert twice, and not never.
    fn replace<const N: usize>(
        &mut self,
        channel: &Channel,
        plans: &[&NoticePlanned],
        by: [Vec<AlertTold>; N],
    ) -> io::Result<()> {
        let at_utc_secs = (self.wires.now)().timestamp();
        let by = by.into_iter().filter(|alerts| !alerts.is_empty());
        let by = by.map(|alerts| NoticePlanned {
            held: true,
            ..self.planned(channel, NoticeKind::Alerts, at_utc_secs, alerts)
        });
        let ends = plans.iter().map(|planned| {
            Event::NoticeSent(NoticeSent {
                key: planned.key.clone(),
                channel: planned.channel.clone(),
                skipped: true,
            })
        });
        let events: Vec<Event> = by.map(Event::NoticePlanned).chain(ends).collect();
        self.note(&events)
    }

    /// Its content is made first: a quiet day may end it.
    fn plan_digest(&mut self, channel: &Channel, window: &Window) -> io::Result<Step> {
        let planned = self.planned(channel, window.kind, window.at_utc_secs, Vec::new());
        let digest = match (self.wires.digest)(channel, window) {
            Ok(digest) => digest,
            Err(words) => return Ok(self.cannot_make(channel, &words)),
        };
        self.memory.digest_made(&channel.name);
        let planning = Event::NoticePlanned(planned.clone());
        if digest.is_quiet() && !channel.digest.on_quiet_days {
            let skipped = Event::NoticeSent(NoticeSent {
                key: planned.key,
                channel: planned.channel,
                skipped: true,
            });
            self.note(&[planning, skipped])?;
            return Ok(Step::Again);
        }
        self.note(&[planning])?;
        self.send(channel, &planned, Some(digest))
    }

    fn planned(
        &self,
        channel: &Channel,
        kind: NoticeKind,
        date_utc_secs: i64,
        alerts: Vec<AlertTold>,
    ) -> NoticePlanned {
        NoticePlanned {
            more: alerts.len().saturating_sub(channel.most_alerts),
            key: key(&channel.name, kind, date_utc_secs, &alerts, self.position),
            channel: channel.name.clone(),
            kind,
            date_utc_secs,
            alerts,
            held: false,
        }
    }

    fn send(
        &mut self,
        channel: &Channel,
        planned: &NoticePlanned,
        digest: Option<Digest>,
    ) -> io::Result<Step> {
        let notice = match planned.kind.is_digest() {
            true => match self.digest(channel, planned, digest) {
                Ok(digest) => Notice::Digest(digest),
                Err(words) => return Ok(self.cannot_make(channel, &words)),
            },
            false => match self.alerts(channel, planned)? {
                Some(notice) => Notice::Alerts(notice),
                None => return Ok(Step::Again),
            },
        };
        if planned.held {
            let (key, channel) = (planned.key.clone(), planned.channel.clone());
            self.note(&[Event::NoticeTried(NoticeTried { key, channel })])?;
        }
        let sent = (self.wires.send)(channel, &notice);
        let now = (self.wires.now)();
        match sent {
            Ok(_) => self.memory.succeeded(&channel.name, now),
            Err(error) if is_done(&error, planned, now) => {
                self.memory.left(&channel.name, &error, now);
            }
            Err(error) => return Ok(self.failed(channel, &error)),
        }
        self.passed.sent += 1;
        self.memory.unnoted.insert(planned.key.clone());
        self.note_sent(channel, planned)?;
        Ok(Step::Again)
    }

    /// What a message says of alerts that are still open; `None` where others take its place, or none does.
    fn alerts(
        &mut self,
        channel: &Channel,
        planned: &NoticePlanned,
    ) -> io::Result<Option<AlertNotice>> {
        let standing = match standing(self.round, planned, self.wires.find) {
            Ok(standing) => standing,
            Err(words) => {
                let error = SendError::soon(format!("the alerts cannot be read: {words}"));
                self.failed(channel, &error);
                return Ok(None);
            }
        };
        let is_whole = standing.open.len() == planned.alerts.len();
        let is_tried = !planned.held && !standing.open.is_empty();
        if !is_whole && !is_tried {
            self.replace(channel, &[planned], [standing.open, standing.unknown])?;
            return Ok(None);
        }
        // Who may have it knows it by its key: it keeps that when there is less in it.
        let left = NoticePlanned {
            alerts: standing.open,
            more: standing.more,
            ..planned.clone()
        };
        Ok(Some(alert_notice(self.round, &left, &standing.found)))
    }

    /// What else is due now is planned behind it.
    fn failed(&mut self, channel: &Channel, error: &SendError) -> Step {
        self.passed.failed += 1;
        let now = (self.wires.now)();
        self.memory.failed(&channel.name, error, now);
        tracing::warn!(channel = channel.name, %error, "people cannot be told");
        Step::Again
    }

    /// The content of a digest is not to be had: what else the channel gets goes on.
    fn cannot_make(&mut self, channel: &Channel, words: &str) -> Step {
        self.passed.failed += 1;
        let now = (self.wires.now)();
        let error = SendError::soon(format!("the digest cannot be made: {words}"));
        self.memory.digest_failed(&channel.name, &error, now);
        tracing::warn!(channel = channel.name, %error, "people cannot be told");
        Step::Again
    }

    fn digest(
        &mut self,
        channel: &Channel,
        planned: &NoticePlanned,
        digest: Option<Digest>,
    ) -> Result<Digest, String> {
        let mut digest = match digest {
            Some(digest) => digest,
            None => {
                let window = window_of(planned.kind, planned.date_utc_secs);
                let digest = (self.wires.digest)(channel, &window)?;
                self.memory.digest_made(&channel.name);
                digest
            }
        };
        digest.key.clone_from(&planned.key);
        digest.at_utc_secs = planned.date_utc_secs;
        Ok(digest)
    }

    /// What it did not tell of, because a rule cannot be asked, waits in another one.
    fn note_sent(&mut self, channel: &Channel, planned: &NoticePlanned) -> io::Result<()> {
        let unknown = (planned.alerts.iter()).filter(|told| is_unknown(self.round, told));
        let left: Vec<AlertTold> = unknown.cloned().collect();
        let at_utc_secs = (self.wires.now)().timestamp();
        let later = (!left.is_empty()).then(|| NoticePlanned {
            held: true,
            ..self.planned(channel, NoticeKind::Alerts, at_utc_secs, left)
        });
        let sent = Event::NoticeSent(NoticeSent {
            key: planned.key.clone(),
            channel: planned.channel.clone(),
            skipped: false,
        });
        let later = later.map(Event::NoticePlanned).into_iter();
        self.note(&later.chain([sent]).collect::<Vec<_>>())?;
        self.memory.unnoted.remove(&planned.key);
        Ok(())
    }

    fn note(&mut self, events: &[Event]) -> io::Result<()> {
        let at_utc_secs = (self.wires.now)().timestamp();
        self.ledger.append(at_utc_secs, events)?;
        for event in events {
            self.position += 1;
            self.notices.apply(&Entry {
                seq: self.position,
                at_utc_secs,
                event: event.clone(),
            });
        }
        Ok(())
    }
}

/// Whether a message is left at what some recipients have.
fn is_done(error: &SendError, planned: &NoticePlanned, now: DateTime<Utc>) -> bool {
    let age_secs = now.timestamp().saturating_sub(planned.date_utc_secs);
    error.is_partial && (error.retry == Retry::NeedsPerson || age_secs > LONGEST_PARTIAL_SECS)
}

//! What a channel is to be told now. Pure: the same situation gives the same answer.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use super::local::{is_quiet, last_time, next_time, quiet_end};
use crate::ledger::{AlertTold, ChannelNotices, NoticePlanned};
use crate::model::alert::{Alert, Severity, Status};
use crate::model::channel::Channel;
use crate::model::day::{Day, days_before};
use crate::model::notice::{NoticeKind, Occasion};

/// Alerts of which one message tells, most of them in its count: as many as a line of the ledger holds with ease.
pub(super) const MOST_ALERTS: usize = 4000;

/// What is known when it is asked what is due.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The channel.
    pub channel: &'a Channel,
    /// All alerts as they stand.
    pub alerts: &'a [Alert],
    /// What the channel was told.
    pub told: &'a ChannelNotices,
    /// The day for which things are judged.
    pub as_of: Day,
    /// Evidence that ended more days before is history.
    pub within_days: u64,
    /// The present instant.
    pub now: DateTime<Utc>,
    /// Time zone of quiet hours and digests.
    pub zone: Tz,
}

/// What is to be done about alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// There is nothing to tell.
    Nothing,
    /// So many alerts are to be told of, and not before this instant.
    Wait(DateTime<Utc>, usize),
    /// These are told of in one message, the gravest first.
    Send(Vec<AlertTold>),
}

/// What is to be done about alerts that no owed message tells of.
pub fn due(situation: &Situation<'_>) -> Due {
    let mut fresh = fresh(situation);
    let all = fresh.len();
    if all == 0 {
        return Due::Nothing;
    }
    let now = situation.now;
    let free_from = free_from(situation);
    let passes = |told: &AlertTold| passes_quiet_hours(situation.channel, told.severity);
    let is_pressing = fresh.iter().any(passes);
    match hush(situation, free_from) {
        Some(until) if !is_pressing => return Due::Wait(until, all),
        _ if free_from > now => return Due::Wait(free_from, all),
        Some(_) => fresh.retain(passes),
        None => {}
    }
    fresh.truncate(MOST_ALERTS);
    Due::Send(fresh)
}

/// When a message that is owed may be sent: now (`None`), or when quiet hours end.
pub fn owed_until(situation: &Situation<'_>, owed: &NoticePlanned) -> Option<DateTime<Utc>> {
    let is_grave = |told: &AlertTold| passes_quiet_hours(situation.channel, told.severity);
    if owed.kind.is_digest() || owed.alerts.iter().any(is_grave) {
        return None;
    }
    hush(situation, situation.now)
}

/// Alerts that the channel does not know of, or knows as less grave, or as over.
fn fresh(situation: &Situation<'_>) -> Vec<AlertTold> {
    let oldest = days_before(situation.as_of, situation.within_days);
    let mut fresh: Vec<(&Alert, Occasion)> = situation
        .alerts
        .iter()
        .filter(|alert| {
            alert.status == Status::Open
                && alert.severity >= situation.channel.min_severity
                && alert.last_day >= oldest
                && situation.channel.takes_domain(alert.domain.as_deref())
        })
        .filter_map(|alert| {
            let told = situation.told.told.get(&alert.id);
            Some((alert, occasion(alert, told)?))
        })
        .collect();
    fresh.sort_by(|(a, _), (b, _)| {
        (b.severity, b.last_day, b.messages, &a.id)
            .cmp(&(a.severity, a.last_day, a.messages, &b.id))
    });
    fresh.dedup_by(|(a, _), (b, _)| a.id == b.id);
    let told = fresh.into_iter().map(|(alert, occasion)| AlertTold {
        id: alert.id.clone(),
        severity: alert.severity,
        last_day: alert.last_day,
        occasion,
        rule: alert.rule.clone(),
    });
    told.collect()
}

fn occasion(alert: &Alert, told: Option<&AlertTold>) -> Option<Occasion> {
    match told {
        None => Some(Occasion::New),
        Some(told) if alert.first_day > told.last_day => Some(Occasion::Reopened),
        Some(told) if alert.severity > told.severity => Some(Occasion::Graver),
        Some(_) => None,
    }
}

/// From when on another message may follow the last one.
fn free_from(situation: &Situation<'_>) -> DateTime<Utc> {
    let now = situation.now;
    let last = situation.told.last_alerts_utc_secs;
    let Some(last) = last.and_then(|secs| DateTime::from_timestamp(secs, 0)) else {
        return now;
    };
    let hold = i64::try_from(situation.channel.group_for_secs).unwrap_or(i64::MAX);
    let hold = Duration::try_seconds(hold).unwrap_or(Duration::MAX);
    // A clock that was set back must not hold messages for longer than it should.
    let last = last.min(now);
    last.checked_add_signed(hold)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
        .max(now)
}

/// The end of the quiet hours that hold at an instant.
fn hush(situation: &Situation<'_>, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let hours = situation.channel.quiet_hours?;
    is_quiet(hours, at, situation.zone).then(|| quiet_end(hours, at, situation.zone))
}

fn passes_quiet_hours(channel: &Channel, severity: Severity) -> bool {
    severity == Severity::Critical
        && channel
            .quiet_hours
            .is_some_and(|quiet| quiet.except_critical)
}

/// A digest that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Of a day or of seven.
    pub kind: NoticeKind,
    /// The instant for which it is, seconds since 1970 UTC.
    pub at_utc_secs: i64,
    /// First UTC day that it is about.
    pub first_day: Day,
    /// Last UTC day that it is about.
    pub last_day: Day,
}

/// The digest that a channel is to get now. Of those that were missed only the last comes, and each comes once.
pub fn due_digest(situation: &Situation<'_>) -> Option<Window> {
    let times = &situation.channel.digest;
    let daily = times.daily.map(|minute| (NoticeKind::Daily, minute, None));
    let weekly = times
        .weekly
        .map(|(day, minute)| (NoticeKind::Weekly, minute, Some(day)));
    daily
        .into_iter()
        .chain(weekly)
        .find_map(|(kind, minute, weekday)| {
            let (date, at) = last_time(minute, weekday, situation.now, situation.zone)?;
            let before = situation.told.digests.get(&kind).copied();
            let before = before.and_then(|secs| DateTime::from_timestamp(secs, 0));
            // Another time of the same day is no other digest.
            let is_new = before
                .is_none_or(|before| before.with_timezone(&situation.zone).date_naive() < date);
            is_new.then(|| window(kind, at))
        })
}

/// When the next digest is due, if there are any.
pub fn next_digest(channel: &Channel, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let daily = channel.digest.daily.map(|minute| (minute, None));
    let weekly = channel
        .digest
        .weekly
        .map(|(day, minute)| (minute, Some(day)));
    let times = daily.into_iter().chain(weekly);
    times
        .filter_map(|(minute, weekday)| next_time(minute, weekday, now, zone))
        .min()
}

/// The digest that was planned for an instant.
pub fn window_of(kind: NoticeKind, at_utc_secs: i64) -> Window {
    window(
        kind,
        DateTime::from_timestamp(at_utc_secs, 0).unwrap_or_default(),
    )
}

/// Reports are about UTC days: the last one that is over at that instant, whatever the calendar says where people are.
fn window(kind: NoticeKind, at: DateTime<Utc>) -> Window {
    let last_day = days_before(at.date_naive(), 1);
    let days = if kind == NoticeKind::Weekly { 6 } else { 0 };
    Window {
        kind,
        at_utc_secs: at.timestamp(),
        first_day: days_before(last_day, days),
        last_day,
    }
}

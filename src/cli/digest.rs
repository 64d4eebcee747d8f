//! What is published of a window of days -> the digest of a channel.

use std::collections::BTreeMap;

use crate::model::alert::Alert;
use crate::model::channel::Channel;
use crate::model::day::{Day, days_before};
use crate::model::notice::{Digest, DigestDomain, Occasion, Told};
use crate::notify::outbox::{Find, Round, Window};
use crate::render::digest::DigestDay;

/// Days of a digest's trend.
const TREND_DAYS: u64 = 30;
/// Domains of a digest's table.
const DOMAINS_TOLD: usize = 20;
/// Alerts that a digest names.
const ALERTS_TOLD: usize = 20;

/// The numbers of a window for a channel; its key and instant are put in behind.
pub(super) fn digest(
    round: &Round<'_>,
    channel: &Channel,
    window: &Window,
    days: &[DigestDay],
    find: Find<'_>,
) -> Result<Digest, String> {
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
    let named: Vec<&str> = open
        .iter()
        .take(ALERTS_TOLD)
        .map(|alert| alert.id.as_str())
        .collect();
    let found = find(&named)?;
    let told = named.iter().filter_map(|id| {
        let alert = found.iter().find(|alert| alert.id == **id)?;
        Some(Told {
            alert: alert.clone(),
            occasion: Occasion::New,
            url: round
                .base_url
                .map(|base| format!("{base}/alerts/{}", alert.id)),
        })
    });
    let domains = domains(&days, window, before, &open);
    Ok(Digest {
        key: String::new(),
        at_utc_secs: window.at_utc_secs,
        kind: window.kind,
        first_day: window.first_day,
        last_day: window.last_day,
        messages: sum(|day| day.messages),
        passed: sum(|day| day.passed),
        more_domains: domains.len().saturating_sub(DOMAINS_TOLD),
        domains: domains.into_iter().take(DOMAINS_TOLD).collect(),
        trend: trend(&days, window.last_day),
        open: told.collect(),
        more: open.len().saturating_sub(ALERTS_TOLD),
        url: round.base_url.map(|base| format!("{base}/overview")),
    })
}

/// All of which there is something to say, those with most messages first.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::alert::Severity;
    use crate::model::channel::{DigestTimes, Format, Way, WebhookWay};
    use crate::model::notice::NoticeKind;
    use crate::model::secret::FromEnvironment;

    fn channel() -> Channel {
        let url = FromEnvironment {
            variable: "url".to_owned(),
            secret: None,
        };
        Channel {
            name: "chat".to_owned(),
            way: Way::Webhook(WebhookWay {
                format: Format::Generic,
                url,
                token: None,
                topic: None,
            }),
            min_severity: Severity::Warning,
            domains: Vec::new(),
            quiet_hours: None,
            group_for_secs: 600,
            most_alerts: 20,
            digest: DigestTimes::default(),
        }
    }

    #[test]
    fn domains_that_a_digest_does_not_name_are_counted() {
        let day: Day = "2026-11-19".parse().unwrap();
        for (count, named, more) in [(3, 3, 0), (20, 20, 0), (30, 20, 10)] {
            let days: Vec<DigestDay> = (0..count)
                .map(|number| DigestDay {
                    domain: Some(format!("d{number:02}.example")),
                    day,
                    messages: 100 + number,
                    passed: 100,
                })
                .collect();
            let channels = [channel()];
            let round = Round {
                channels: &channels,
                alerts: &[],
                failing_rules: &BTreeSet::new(),
                base_url: None,
                as_of: day,
                within_days: 7,
                zone: chrono_tz::UTC,
            };
            let window = Window {
                kind: NoticeKind::Daily,
                at_utc_secs: 0,
                first_day: day,
                last_day: day,
            };
            let find = &mut |_: &[&str]| Ok(Vec::new());
            let digest = digest(&round, &channels[0], &window, &days, find).unwrap();
            assert_eq!((digest.domains.len(), digest.more_domains), (named, more));
        }
    }
}

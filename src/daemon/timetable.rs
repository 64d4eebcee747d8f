//! When a mailbox is looked into: so often, or at the times of a cron expression in a time zone.

use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use croner::Cron;

use crate::model::inbox::Schedule;

/// A schedule that can be asked.
#[derive(Debug, Clone)]
pub enum Timetable {
    /// So often.
    Every(Duration),
    /// At these times of a time zone.
    Cron(Box<Cron>, Tz),
}

impl Timetable {
    /// Reads a schedule; an expression that never comes true is an error.
    pub fn new(schedule: &Schedule, zone: Tz, now: DateTime<Utc>) -> Result<Self> {
        let timetable = match schedule {
            Schedule::Every(secs) => {
                let secs = i64::try_from(*secs).unwrap_or(i64::MAX / 2);
                Self::Every(Duration::try_seconds(secs).unwrap_or(Duration::MAX))
            }
            Schedule::Cron(expression) => {
                let cron = Cron::from_str(expression)
                    .map_err(|error| anyhow!("cron expression \"{expression}\": {error}"))?;
                Self::Cron(Box::new(cron), zone)
            }
        };
        timetable
            .after(now)
            .with_context(|| format!("{schedule:?} never comes"))?;
        Ok(timetable)
    }

    /// The first time behind an instant; `None` where there is none in sight.
    fn after(&self, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Every(interval) => instant.checked_add_signed(*interval),
            Self::Cron(cron, zone) => {
                let next = cron.find_next_occurrence(&instant.with_timezone(zone), false);
                next.ok().map(|next| next.with_timezone(&Utc))
            }
        }
    }

    /// The time that follows one that has come. Times that have passed meanwhile are one.
    pub fn next(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let next = match self {
            Self::Every(_) => self.after(due).filter(|next| *next > now),
            Self::Cron(..) => None,
        };
        next.or_else(|| self.after(now))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// When a new day's work begins: a minute behind midnight UTC.
pub fn next_maintenance(now: DateTime<Utc>) -> DateTime<Utc> {
    let next_day = now
        .date_naive()
        .succ_opt()
        .unwrap_or(chrono::NaiveDate::MAX);
    next_day.and_hms_opt(0, 1, 0).unwrap_or_default().and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_interval_keeps_its_rhythm_and_makes_up_for_nothing() {
        let now = at("2024-03-10T08:00:00Z");
        let table = Timetable::new(&Schedule::Every(900), Tz::UTC, now).unwrap();
        for (due, now, expect) in [
            ("08:00:00", "08:00:00", "08:15:00"),
            ("08:00:00", "08:03:10", "08:15:00"),
            ("08:00:00", "08:40:00", "08:55:00"),
        ] {
            let day = |time: &str| at(&format!("2024-03-10T{time}Z"));
            assert_eq!(table.next(day(due), day(now)), day(expect), "{due} {now}");
        }
    }

    #[test]
    fn a_cron_expression_is_read_in_its_zone_through_the_change_of_clocks() {
        let zone: Tz = "Europe/Berlin".parse().unwrap();
        let schedule = Schedule::Cron("30 2 * * *".to_owned());
        let now = at("2024-03-29T12:00:00Z");
        let table = Timetable::new(&schedule, zone, now).unwrap();
        let mut times = vec![now];
        for _ in 0..4 {
            let last = times[times.len() - 1];
            times.push(table.next(last, last));
        }
        let shown: Vec<String> = times[1..]
            .iter()
            .map(|t| t.format("%d %H:%M").to_string())
            .collect();
        // On the 31st 02:30 does not exist: it comes right behind the gap.
        assert_eq!(shown, ["30 01:30", "31 01:00", "01 00:30", "02 00:30"]);
        let never = Schedule::Cron("0 0 31 2 *".to_owned());
        assert!(Timetable::new(&never, zone, now).is_err());
    }
}

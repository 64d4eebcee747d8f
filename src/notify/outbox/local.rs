//! Times of the day in a time zone, through changes of clocks.

use chrono::{
    DateTime, Datelike as _, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime,
};
use chrono::{TimeZone as _, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;

use crate::model::channel::{MinuteOfDay, QuietHours};

/// Whether nobody is to be woken at an instant.
pub fn is_quiet(hours: QuietHours, at: DateTime<Utc>, zone: Tz) -> bool {
    let local = at.with_timezone(&zone);
    let minute = local.hour() * 60 + local.minute();
    hours.hold(MinuteOfDay::try_from(minute).unwrap_or(0))
}

/// When quiet hours that hold at an instant end: always later than that.
pub fn quiet_end(hours: QuietHours, at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let today = at.with_timezone(&zone).date_naive();
    let days = (0..=2).filter_map(|days| today.checked_add_days(Days::new(days)));
    days.flat_map(|day| instants(day, hours.to, zone))
        .find(|end| *end > at)
        .unwrap_or(at + Duration::days(1))
}

/// The last time at or before an instant that it was this minute of a day, of this day of the week where one is given;
/// with its local date.
pub fn last_time(
    minute: MinuteOfDay,
    weekday: Option<Weekday>,
    at: DateTime<Utc>,
    zone: Tz,
) -> Option<(NaiveDate, DateTime<Utc>)> {
    let today = at.with_timezone(&zone).date_naive();
    (0..=8)
        .filter_map(|days| today.checked_sub_days(Days::new(days)))
        .filter(|day| weekday.is_none_or(|weekday| day.weekday() == weekday))
        .filter_map(|day| Some((day, instants(day, minute, zone).into_iter().next()?)))
        .find(|(_, instant)| *instant <= at)
}

/// The first time behind an instant that it is this minute of a day.
pub fn next_time(
    minute: MinuteOfDay,
    weekday: Option<Weekday>,
    at: DateTime<Utc>,
    zone: Tz,
) -> Option<DateTime<Utc>> {
    let today = at.with_timezone(&zone).date_naive();
    (0..=8)
        .filter_map(|days| today.checked_add_days(Days::new(days)))
        .filter(|day| weekday.is_none_or(|weekday| day.weekday() == weekday))
        .filter_map(|day| instants(day, minute, zone).into_iter().next())
        .find(|instant| *instant > at)
}

/// When it is this minute of a day: twice where clocks are turned back, and where they are turned forward over it, at
/// the first minute behind.
fn instants(day: NaiveDate, minute: MinuteOfDay, zone: Tz) -> Vec<DateTime<Utc>> {
    // One day was skipped as a whole when islands changed sides of the date line.
    const LONGEST_GAP_MINUTES: i64 = 25 * 60;
    let secs = u32::from(minute) * 60;
    let time = NaiveTime::from_num_seconds_from_midnight_opt(secs, 0).unwrap_or_default();
    let local: NaiveDateTime = day.and_time(time);
    let resolved = (0..=LONGEST_GAP_MINUTES)
        .map(|later| zone.from_local_datetime(&(local + Duration::minutes(later))))
        .find(|resolved| !matches!(resolved, LocalResult::None));
    match resolved {
        Some(LocalResult::Single(one)) => vec![one.to_utc()],
        Some(LocalResult::Ambiguous(first, second)) => vec![first.to_utc(), second.to_utc()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn berlin() -> Tz {
        "Europe/Berlin".parse().unwrap()
    }

    fn hours(from: MinuteOfDay, to: MinuteOfDay) -> QuietHours {
        QuietHours {
            from,
            to,
            except_critical: false,
        }
    }

    #[test]
    fn quiet_hours_end_at_local_time_through_changes_of_clocks() {
        for (quiet, now, expect) in [
            // Over midnight, in winter and in summer.
            (
                hours(1320, 420),
                "2024-01-10T22:00:00Z",
                "2024-01-11T06:00:00Z",
            ),
            (
                hours(1320, 420),
                "2024-07-10T21:00:00Z",
                "2024-07-11T05:00:00Z",
            ),
            (
                hours(1320, 420),
                "2024-01-11T01:00:00Z",
                "2024-01-11T06:00:00Z",
            ),
            // The nights in which clocks change.
            (
                hours(1320, 420),
                "2024-03-30T23:00:00Z",
                "2024-03-31T05:00:00Z",
            ),
            (
                hours(1320, 420),
                "2024-10-26T22:00:00Z",
                "2024-10-27T06:00:00Z",
            ),
            // An end that does not exist comes right behind the gap.
            (
                hours(60, 150),
                "2024-03-31T00:30:00Z",
                "2024-03-31T01:00:00Z",
            ),
            // An end that comes twice: the first one, and between the two the second.
            (
                hours(60, 150),
                "2024-10-27T00:10:00Z",
                "2024-10-27T00:30:00Z",
            ),
            (
                hours(60, 150),
                "2024-10-27T01:10:00Z",
                "2024-10-27T01:30:00Z",
            ),
        ] {
            assert!(is_quiet(quiet, at(now), berlin()), "{now}");
            assert_eq!(quiet_end(quiet, at(now), berlin()), at(expect), "{now}");
        }
        assert!(!is_quiet(
            hours(1320, 420),
            at("2024-01-11T06:00:00Z"),
            berlin()
        ));
    }

    #[test]
    fn the_last_time_is_found_through_changes_of_clocks() {
        for (minute, weekday, now, expect) in [
            (420, None, "2024-01-10T06:00:00Z", "2024-01-10T06:00:00Z"),
            (420, None, "2024-01-10T05:59:59Z", "2024-01-09T06:00:00Z"),
            (420, None, "2024-03-31T05:00:00Z", "2024-03-31T05:00:00Z"),
            (150, None, "2024-03-31T01:00:00Z", "2024-03-31T01:00:00Z"),
            (150, None, "2024-10-27T03:00:00Z", "2024-10-27T00:30:00Z"),
            (
                420,
                Some(Weekday::Mon),
                "2024-01-10T06:00:00Z",
                "2024-01-08T06:00:00Z",
            ),
            (
                420,
                Some(Weekday::Wed),
                "2024-01-10T05:00:00Z",
                "2024-01-03T06:00:00Z",
            ),
        ] {
            let found = last_time(minute, weekday, at(now), berlin());
            assert_eq!(found.unwrap().1, at(expect), "{minute} {weekday:?} {now}");
        }
    }

    #[test]
    fn a_day_that_never_was_has_its_time_the_day_after() {
        let zone: Tz = "Pacific/Apia".parse().unwrap();
        let found = last_time(420, None, at("2011-12-30T23:00:00Z"), zone);
        assert_eq!(found.unwrap().1, at("2011-12-30T17:00:00Z"));
    }
}

//! UTC days and instants.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, SecondsFormat};

/// A UTC calendar day.
pub type Day = NaiveDate;

/// Seconds of 9999-12-31T23:59:59Z, the latest instant that every output format can write.
pub const MAX_UTC_SECS: i64 = 253_402_300_799;

/// The UTC day of an instant; instants outside of years 0 to 9999 are clamped to that range.
pub fn day_of(utc_secs: i64) -> Day {
    let clamped = utc_secs.clamp(-62_167_219_200, MAX_UTC_SECS);
    DateTime::from_timestamp(clamped, 0).map_or(NaiveDate::MIN, |t| t.date_naive())
}

/// The day of the middle of a report's period: robust against inclusive and exclusive ends.
pub fn report_day(begin_utc_secs: i64, end_utc_secs: i64) -> Day {
    day_of(begin_utc_secs + (end_utc_secs - begin_utc_secs) / 2)
}

/// `2023-11-14T22:13:20Z`.
pub fn rfc3339(utc_secs: i64) -> String {
    let clamped = utc_secs.clamp(-62_167_219_200, MAX_UTC_SECS);
    DateTime::from_timestamp(clamped, 0).map_or_else(String::new, |t| {
        t.to_rfc3339_opts(SecondsFormat::Secs, true)
    })
}

/// `day` minus `count` days, or the earliest day there is.
pub fn days_before(day: Day, count: u64) -> Day {
    day.checked_sub_days(Days::new(count))
        .unwrap_or(NaiveDate::MIN)
}

/// `day` plus `count` days, or the latest day there is.
pub fn days_after(day: Day, count: u64) -> Day {
    day.checked_add_days(Days::new(count))
        .unwrap_or(NaiveDate::MAX)
}

/// The first day of the month of a day.
pub fn month_begin(day: Day) -> Day {
    days_before(day, u64::from(day.day0()))
}

/// The first instant of the UTC month of an instant, seconds since 1970 UTC.
pub fn month_begin_utc_secs(utc_secs: i64) -> i64 {
    let first = month_begin(day_of(utc_secs));
    first.and_time(NaiveTime::MIN).and_utc().timestamp()
}

/// `YYYY-MM-DD` for `serde(with)`.
pub mod iso {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::Day;

    /// Writes the day.
    pub fn serialize<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&day.format("%Y-%m-%d"))
    }

    /// Reads the day.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// `YYYY-MM-DD` or nothing, for `serde(with)` beside `default`.
pub mod iso_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::Day;

    /// Writes the day.
    pub fn serialize<S: Serializer>(day: &Option<Day>, serializer: S) -> Result<S::Ok, S::Error> {
        day.map(|day| day.format("%Y-%m-%d").to_string())
            .serialize(serializer)
    }

    /// Reads the day.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Day>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom))
            .transpose()
    }
}

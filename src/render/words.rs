//! Values and column names in words: grouping, percentages, headings.

use chrono::{DateTime, Timelike};

use crate::model::day::{Day, MAX_UTC_SECS};
pub use crate::model::words::{capitalised, grouped, heading};
use crate::query::Value;

/// A short form for axes: `1500` as `1.5k`, `2000000` as `2M`.
pub fn compact(number: i64) -> String {
    for (unit, name) in [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'k')] {
        if number >= unit && number % unit == 0 {
            return format!("{}{name}", grouped(number / unit));
        }
        if number >= unit && number % (unit / 10) == 0 {
            return format!("{}.{}{name}", number / unit, number % unit / (unit / 10));
        }
    }
    grouped(number)
}

/// One decimal and the sign: `98.4%`.
pub fn percent(value: f64) -> String {
    format!("{value:.1}%")
}

/// `2023-11-14`.
pub fn day(day: Day) -> String {
    // Far quicker than by a format, and pages are full of days.
    day.to_string()
}

/// `2023-11-14 22:13 UTC`.
pub fn minute(utc_secs: i64) -> String {
    let clamped = utc_secs.clamp(-62_167_219_200, MAX_UTC_SECS);
    DateTime::from_timestamp(clamped, 0).map_or_else(String::new, |t| {
        format!("{} {:02}:{:02} UTC", t.date_naive(), t.hour(), t.minute())
    })
}

/// Whether a column holds percentages.
pub fn is_percent(column: &str) -> bool {
    column == "percent" || column.ends_with("_percent")
}

/// The text that a value shows in the column, before escaping; NULL is a dash.
pub fn shown(column: &str, value: &Value) -> String {
    match value {
        Value::Null => "\u{2013}".to_owned(),
        Value::Bool(yes) if column == "dmarc_pass" || column.ends_with("_aligned") => {
            if *yes { "pass" } else { "fail" }.to_owned()
        }
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Int(number) if is_percent(column) => format!("{number}.0%"),
        Value::Int(number) if is_label_number(column) => number.to_string(),
        Value::Int(number) => grouped(*number),
        Value::Double(number) if is_percent(column) => percent(*number),
        Value::Double(number) => format!("{number:.2}"),
        Value::Text(text) => text.clone(),
        Value::Day(value) if column == "month" => value.format("%Y-%m").to_string(),
        Value::Day(value) => day(*value),
        Value::Timestamp(utc_secs) => minute(*utc_secs),
        Value::List(items) => joined(items.iter().map(|item| shown(column, item)), ", "),
        Value::Struct(fields) => {
            let present = fields.iter().filter(|(_, value)| *value != Value::Null);
            joined(present.map(|(name, value)| shown(name, value)), " ")
        }
    }
}

/// Numbers that name a thing instead of counting: not grouped.
fn is_label_number(column: &str) -> bool {
    column.ends_with("_no") || column == "uid" || column == "uidvalidity"
}

/// The parts with `separator` between them.
fn joined(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_show_short_numbers() {
        for (number, expect) in [
            (0, "0"),
            (750, "750"),
            (1500, "1.5k"),
            (20_000, "20k"),
            (2_500_000, "2.5M"),
            (1234, "1\u{202f}234"),
        ] {
            assert_eq!(compact(number), expect);
        }
    }

    #[test]
    fn values_show_by_their_column() {
        for (column, value, expect) in [
            ("pass_percent", Value::Double(98.44), "98.4%"),
            ("pass_percent", Value::Int(100), "100.0%"),
            ("item_no", Value::Int(12_345), "12345"),
            ("spf_aligned", Value::Bool(false), "fail"),
            ("testing", Value::Bool(true), "yes"),
            ("anything", Value::Null, "\u{2013}"),
            (
                "begin_utc",
                Value::Timestamp(1_700_000_000),
                "2023-11-14 22:13 UTC",
            ),
        ] {
            assert_eq!(shown(column, &value), expect);
        }
    }
}

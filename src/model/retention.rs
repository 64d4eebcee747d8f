//! What retention leaves: the day before which reports are gone, and what they said first.

use serde::{Deserialize, Serialize};

use super::day::{Day, month_begin};

/// The retention as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Reports of an earlier day are gone; the first day of a month.
    pub expired_before: Day,
    /// First sights that reports gave which are gone, sorted, each once.
    pub first_seen: Vec<FirstSight>,
}

impl Retention {
    /// The one rule: whether a report of this day is gone. A report without a day never is.
    pub fn expires(expired_before: Day, day: Option<Day>) -> bool {
        day.is_some_and(|day| day < expired_before)
    }

    /// The cut-off of `months` months at a day: the first day of the month so many months before. `None` where the
    /// calendar has none.
    pub fn cut_off(as_of: Day, months: u32) -> Option<Day> {
        month_begin(as_of).checked_sub_months(chrono::Months::new(months))
    }
}

/// What was seen for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SightKind {
    /// A sender, or an address without one, that was [`Loud`]: it is not new later.
    Loud,
    /// A policy of a domain; the subject is its text.
    Policy,
    /// A reporter on a domain; the subject is its organizational domain.
    Reporter,
    /// A recognised sender on a domain; the subject is its identifier.
    Sender,
    /// A sending address; the subject is the address.
    Source,
}

impl SightKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Loud,
        Self::Policy,
        Self::Reporter,
        Self::Sender,
        Self::Source,
    ];

    /// The word in table `first_seen`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loud => "loud",
            Self::Policy => "policy",
            Self::Reporter => "reporter",
            Self::Sender => "sender",
            Self::Source => "source",
        }
    }
}

/// How many messages make a sender one that is known: the thresholds of the rule `new_source` at the time of the cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loud {
    /// Days that are looked at together.
    pub days: u32,
    /// Messages in them.
    pub messages: u64,
}

/// When something was seen for the first time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirstSight {
    /// What it is.
    pub kind: SightKind,
    /// Policy domain.
    pub domain: String,
    /// Which one.
    pub subject: String,
    /// UTC day of the first report that said so.
    pub day: Day,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_off_is_the_first_of_a_month() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        for (as_of, months, expect) in [
            ("2026-03-10", 1, Some("2026-02-01")),
            ("2026-03-01", 1, Some("2026-02-01")),
            ("2026-03-31", 13, Some("2025-02-01")),
            ("2024-02-29", 12, Some("2023-02-01")),
            ("2026-03-10", u32::MAX, None),
        ] {
            let expect = expect.map(day);
            assert_eq!(
                Retention::cut_off(day(as_of), months),
                expect,
                "{as_of} {months}"
            );
        }
    }

    #[test]
    fn a_report_of_the_cut_off_stays_and_one_of_the_day_before_goes() {
        let cut_off: Day = "2026-02-01".parse().unwrap();
        for (day, expect) in [
            (Some("2026-02-01"), false),
            (Some("2026-01-31"), true),
            (None, false),
        ] {
            let day = day.map(|day| day.parse().unwrap());
            assert_eq!(Retention::expires(cut_off, day), expect, "{day:?}");
        }
    }
}

//! The only caller of now().

use std::time::Instant;

use chrono::{DateTime, Utc};

use crate::model::day::Day;

/// The present instant.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the world for the time"
)]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The present UTC day.
pub fn today() -> Day {
    now().date_naive()
}

/// A point of time that only ever advances, to measure how long something takes.
pub fn instant() -> Instant {
    Instant::now()
}

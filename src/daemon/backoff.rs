//! How long a mailbox that failed is left alone.

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest as _, Sha256};

/// After the first failure; doubled with each further one.
const FIRST_SECS: i64 = 30;
/// At most.
const LONGEST_SECS: i64 = 60 * 60;
/// Where somebody has to change something first.
const SLOW_SECS: i64 = 60 * 60;

/// When to try again after so many failures in a row, from 1. Up to a fifth is added or taken away, so that many
/// programs, or many mailboxes of one server, do not come back at the same time.
pub fn retry_at(
    name: &str,
    failures: u32,
    needs_a_person: bool,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let doubled = FIRST_SECS.saturating_mul(1_i64 << (failures.saturating_sub(1)).min(20));
    let secs = if needs_a_person {
        SLOW_SECS
    } else {
        doubled.min(LONGEST_SECS)
    };
    let millis = secs * 1000;
    let spread = i64::from(noise(name, failures, now)) * millis * 2 / 5 / i64::from(u16::MAX);
    now + Duration::milliseconds(millis - millis / 5 + spread)
}

/// No mailbox is left alone for longer.
pub fn longest_retry_at(now: DateTime<Utc>) -> DateTime<Utc> {
    now + Duration::seconds(LONGEST_SECS.max(SLOW_SECS) * 6 / 5)
}

/// Something that differs from one program, mailbox and moment to another.
fn noise(name: &str, failures: u32, now: DateTime<Utc>) -> u16 {
    let text = format!(
        "{name} {failures} {} {}",
        now.timestamp_micros(),
        std::process::id()
    );
    let hash = Sha256::digest(text);
    u16::from_le_bytes([hash[0], hash[1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_are_spread() {
        let now: DateTime<Utc> = "2024-03-10T08:00:00Z".parse().unwrap();
        let secs = |failures, needs_a_person, name: &str| {
            (retry_at(name, failures, needs_a_person, now) - now).num_seconds()
        };
        for (failures, expect) in [
            (1, 30),
            (2, 60),
            (3, 120),
            (7, 1920),
            (8, 3600),
            (400, 3600),
        ] {
            let waited = secs(failures, false, "a");
            assert!(
                (expect * 4 / 5..=expect * 6 / 5).contains(&waited),
                "{failures}: {waited}"
            );
        }
        assert!(secs(1, true, "a") >= 2880);
        let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let mut all: Vec<i64> = names.iter().map(|name| secs(5, false, name)).collect();
        all.sort_unstable();
        all.dedup();
        assert!(all.len() > 10, "{all:?}");
    }
}

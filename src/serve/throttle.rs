//! Counts failed logins per address in a bounded map; the time is an argument.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, Utc};

/// Addresses remembered at the same time.
const MAX_ADDRESSES: usize = 4096;

/// Failures of one address in its present window.
#[derive(Debug, Clone, Copy)]
struct Window {
    start_utc: DateTime<Utc>,
    failures: u32,
}

/// Failed logins per address.
#[derive(Debug)]
pub(crate) struct Throttle {
    windows: HashMap<IpAddr, Window>,
    max_addresses: usize,
    max_failures: u32,
    window_secs: i64,
}

impl Throttle {
    pub(crate) fn new(max_failures: u32, window_secs: i64) -> Self {
        Self {
            windows: HashMap::new(),
            max_addresses: MAX_ADDRESSES,
            max_failures,
            window_secs,
        }
    }

    /// Seconds until `address` may try again; `None` when it may now.
    pub(crate) fn wait_secs(&self, address: IpAddr, now_utc: DateTime<Utc>) -> Option<i64> {
        let window = self.windows.get(&subject(address))?;
        let left = self.left_secs(window, now_utc)?;
        (window.failures >= self.max_failures).then_some(left)
    }

    /// Counts a failure.
    pub(crate) fn fail(&mut self, address: IpAddr, now_utc: DateTime<Utc>) {
        let key = subject(address);
        let live = self
            .windows
            .get(&key)
            .copied()
            .filter(|window| self.left_secs(window, now_utc).is_some());
        if live.is_none() {
            self.make_room(key, now_utc);
        }
        let before = live.unwrap_or(Window {
            start_utc: now_utc,
            failures: 0,
        });
        self.windows.insert(
            key,
            Window {
                failures: before.failures.saturating_add(1),
                ..before
            },
        );
    }

    /// Seconds left of a window, at least 1; `None` when it is over. A clock that was set back ends it too.
    fn left_secs(&self, window: &Window, now_utc: DateTime<Utc>) -> Option<i64> {
        let age_secs = (now_utc - window.start_utc).num_seconds();
        (0..self.window_secs)
            .contains(&age_secs)
            .then_some(self.window_secs - age_secs)
    }

    fn make_room(&mut self, key: IpAddr, now_utc: DateTime<Utc>) {
        if self.windows.len() < self.max_addresses || self.windows.contains_key(&key) {
            return;
        }
        let window_secs = self.window_secs;
        self.windows.retain(|_, window| {
            (0..window_secs).contains(&(now_utc - window.start_utc).num_seconds())
        });
        if self.windows.len() < self.max_addresses {
            return;
        }
        // The one with the fewest failures goes first: a flood of addresses must not wash out a blocked one.
        let weakest = self
            .windows
            .iter()
            .min_by_key(|(_, window)| (window.failures, window.start_utc));
        if let Some(address) = weakest.map(|(address, _)| *address) {
            self.windows.remove(&address);
        }
    }
}

/// IPv4 as it is; IPv6 by /64, the least that one customer owns.
fn subject(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + secs, 0).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_waits_out_its_window_after_many_failures() {
        let mut throttle = Throttle::new(3, 60);
        let one = address("192.0.2.1");
        for secs in 0..3 {
            assert_eq!(throttle.wait_secs(one, at(secs)), None);
            throttle.fail(one, at(secs));
        }
        assert_eq!(throttle.wait_secs(one, at(2)), Some(58));
        assert_eq!(throttle.wait_secs(address("192.0.2.2"), at(2)), None);
        assert_eq!(throttle.wait_secs(one, at(59)), Some(1));
        assert_eq!(throttle.wait_secs(one, at(60)), None);
        assert_eq!(
            throttle.wait_secs(one, at(-5)),
            None,
            "a clock set back locks nobody out"
        );
    }

    #[test]
    fn ipv6_is_counted_by_network_and_mapped_ipv4_as_ipv4() {
        let mut throttle = Throttle::new(1, 60);
        throttle.fail(address("2001:db8::1"), at(0));
        assert!(
            throttle
                .wait_secs(address("2001:db8::ffff"), at(1))
                .is_some()
        );
        assert!(
            throttle
                .wait_secs(address("2001:db8:0:1::1"), at(1))
                .is_none()
        );
        throttle.fail(address("::ffff:192.0.2.1"), at(0));
        assert!(throttle.wait_secs(address("192.0.2.1"), at(1)).is_some());
    }

    #[test]
    fn the_map_is_bounded_and_a_flood_does_not_free_the_blocked() {
        let mut throttle = Throttle {
            max_addresses: 64,
            ..Throttle::new(2, 60)
        };
        let blocked = address("203.0.113.7");
        throttle.fail(blocked, at(0));
        throttle.fail(blocked, at(0));
        for n in 0..200 {
            throttle.fail(IpAddr::V4((0x0a00_0000 + n).into()), at(1));
        }
        assert!(throttle.windows.len() <= 64);
        assert!(throttle.wait_secs(blocked, at(2)).is_some());
    }
}

//! Many look-ups, no more at a time and in a second than a server of others should be bothered with.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::lookup::Resolver;
use crate::clock;
use crate::model::address::HostAnswer;

/// Failures in a row after which the servers are left alone.
const MOST_FAILURES: usize = 24;

/// How much is asked.
#[derive(Clone, Copy)]
pub struct Pace<'a> {
    /// Look-ups that begin in a second at most.
    pub per_second: u32,
    /// Look-ups at a time.
    pub at_once: usize,
    /// When no more are begun.
    pub until: Instant,
    /// Ends it early.
    pub stop: &'a AtomicBool,
}

/// Looks up the names of these hosts, in their order as far as time allows. What was not asked is not in the answer.
pub fn look_up_all(
    resolver: &Resolver,
    addresses: &[IpAddr],
    pace: &Pace<'_>,
) -> Vec<(IpAddr, HostAnswer)> {
    let began = clock::instant();
    let next = AtomicUsize::new(0);
    let failures = AtomicUsize::new(0);
    let (answer, answers) = channel();
    thread::scope(|scope| {
        for _ in 0..pace.at_once.clamp(1, addresses.len().max(1)) {
            let (answer, next, failures) = (answer.clone(), &next, &failures);
            let work = move || {
                while let Some(address) = take(addresses, next, failures, began, pace) {
                    let found = resolver.host_name(address);
                    match found {
                        HostAnswer::Failed(_) => failures.fetch_add(1, Ordering::Relaxed),
                        _ => failures.swap(0, Ordering::Relaxed),
                    };
                    // The receiver lives as long as this does.
                    let _ = answer.send((address, found));
                }
            };
            let started = thread::Builder::new()
                .name("names".to_owned())
                .spawn_scoped(scope, work);
            if let Err(error) = started {
                tracing::warn!(%error, "starting a thread");
            }
        }
    });
    drop(answer);
    answers.into_iter().collect()
}

/// The next address, once its time has come.
fn take(
    addresses: &[IpAddr],
    next: &AtomicUsize,
    failures: &AtomicUsize,
    began: Instant,
    pace: &Pace<'_>,
) -> Option<IpAddr> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    let address = *addresses.get(at)?;
    let after = Duration::from_secs(1) * u32::try_from(at).unwrap_or(u32::MAX);
    let begins = began + after / pace.per_second.max(1);
    loop {
        let now = clock::instant();
        let is_over = now >= pace.until
            || begins >= pace.until
            || pace.stop.load(Ordering::Relaxed)
            || failures.load(Ordering::Relaxed) >= MOST_FAILURES;
        if is_over {
            return None;
        }
        let left = begins.saturating_duration_since(now);
        if left.is_zero() {
            return Some(address);
        }
        // In steps, so that an early end is seen.
        thread::sleep(left.min(Duration::from_millis(100)));
    }
}

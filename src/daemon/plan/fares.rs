//! What of the plan concerns alerts: publications for what people did, and mailboxes that cannot be read.

use chrono::{DateTime, Duration, Utc};

use super::{Doing, Plan, Slot};
use crate::job::outages::{Failure, Fared};

/// Time in which people may do more, before what they did is published.
const REFRESH_SECS: i64 = 10;
/// Time between two publications, where one failed.
const REFRESH_AGAIN_SECS: i64 = 300;
/// A mailbox that cannot be read for less may be read again in a moment.
const HICCUP_SECS: i64 = 900;

impl Plan {
    /// There is no work of a new day.
    pub fn maintain_never(&mut self) {
        self.maintain_at = DateTime::<Utc>::MAX_UTC;
    }

    /// Somebody did something with an alert: soon it is published, with what else is done until then.
    pub fn refresh(&mut self, now: DateTime<Utc>) {
        self.refresh_at
            .get_or_insert(now + Duration::seconds(REFRESH_SECS));
    }

    /// A publication has ended.
    pub fn refreshed(&mut self, is_good: bool, now: DateTime<Utc>) {
        self.is_working = false;
        if !is_good {
            self.refresh_at = Some(now + Duration::seconds(REFRESH_AGAIN_SECS));
        }
    }

    /// How mailboxes fare that were looked into; a failure that may be a hiccup is left out.
    pub fn fared(&self, now: DateTime<Utc>) -> Vec<Fared> {
        let fared = |slot: &Slot| {
            let since = slot.failing_since;
            let lasts = since.is_some_and(|at| now - at >= Duration::seconds(HICCUP_SECS));
            let failure = || {
                let (_, error) = slot.last_error.as_ref()?;
                Some(Failure {
                    since_utc_secs: since?.timestamp(),
                    error: error.clone(),
                    needs_a_person: slot.needs_a_person,
                })
            };
            match slot.failures {
                0 if slot.looks > 0 && slot.doing == Doing::Waiting => Some(None),
                0 => None,
                _ if lasts || slot.needs_a_person => Some(Some(failure()?)),
                _ => None,
            }
            .map(|failure| Fared {
                inbox: slot.name.clone(),
                failure,
            })
        };
        self.slots.iter().filter_map(fared).collect()
    }
}

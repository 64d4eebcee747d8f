//! First sights -> events that fit into lines.

use super::line::MAX_LINE_BYTES;
use super::{Event, Sights};
use crate::model::retention::{FirstSight, SightKind};

/// Escaped, a byte of text takes six at most; the rest of the line needs little.
const ESCAPED: usize = 6;
/// A sight beside its text, and a day before it.
const SIGHT_BYTES: usize = 24;

/// The events that note these sights, as few as go.
pub fn first_seen(sights: &[FirstSight]) -> Vec<Event> {
    let mut events = Vec::new();
    for kind in SightKind::ALL {
        let mut line = Sights::new();
        let mut line_bytes = 0;
        for sight in sights.iter().filter(|sight| sight.kind == kind) {
            let days = line.get(&sight.domain);
            let domain_bytes = days.map_or(sight.domain.len(), |_| 0);
            let bytes = (domain_bytes + sight.subject.len()) * ESCAPED + 2 * SIGHT_BYTES;
            if line_bytes + bytes > MAX_LINE_BYTES - MAX_LINE_BYTES / 16 && !line.is_empty() {
                let sights = std::mem::take(&mut line);
                events.push(Event::FirstSeen { kind, sights });
                line_bytes = sight.domain.len() * ESCAPED;
            }
            line_bytes += bytes;
            line.entry(sight.domain.clone())
                .or_default()
                .entry(sight.day.to_string())
                .or_default()
                .push(sight.subject.clone());
        }
        if !line.is_empty() {
            events.push(Event::FirstSeen { kind, sights: line });
        }
    }
    events
}

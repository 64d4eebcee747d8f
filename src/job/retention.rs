//! Reports that are older than the retention are gone: the cut-off is an event of the ledger, and whatever makes rows
//! goes by it.
//!
//! It moves on before a run reads anything. First the ledger learns what the reports said first that go now, then the
//! cut-off; the working database is made anew for it where something in it goes.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::run::{Run, open_store};
use crate::alert::Rules;
use crate::archive::Archive;
use crate::ledger::{Entry, Event, HostNames, Ledger, View, first_seen};
use crate::model::day::Day;
use crate::model::retention::{FirstSight, Loud, Retention};
use crate::store::working::Store;

/// A cut-off that moves further at once, with the same months, is told of: the clock may be wrong.
const LEAP_DAYS: i64 = 62;

/// The run, with the retention and the names of hosts as the ledger has them.
pub fn kept<'a>(run: &Run<'a>, ledger: &Ledger) -> Result<Run<'a>> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    Ok(of(run, &entries))
}

/// The run, with the retention and the names of hosts as these entries have them.
pub fn of<'a>(run: &Run<'a>, entries: &[Entry]) -> Run<'a> {
    with(run, View::fold(entries).retention, entries)
}

fn with<'a>(run: &Run<'a>, retention: Option<Retention>, entries: &[Entry]) -> Run<'a> {
    let mut run = run.clone();
    run.store.retention = retention.map(Arc::new);
    run.store.elsewhere.host_names = Arc::new(HostNames::fold(entries));
    run
}

/// Moves the cut-off on to where the configured months put it; the run, with it as the ledger has it then.
/// A cut-off never goes back: what is gone stays gone, whatever is configured.
pub fn advance<'a>(run: &Run<'a>, ledger: &Ledger, archive: &Archive) -> Result<Run<'a>> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    let view = View::fold(&entries);
    let current = view.retention.as_ref().map(|had| had.expired_before);
    let as_of = view.as_of.unwrap_or(run.today);
    let present = with(run, view.retention, &entries);
    let wanted = run.store.retention_months.and_then(|months| {
        let expired_before = Retention::cut_off(as_of, months)?;
        Some((months, expired_before))
    });
    match (wanted, current) {
        (Some((months, next)), current) if current.is_none_or(|current| current < next) => {
            if let Some(current) = current
                && is_leap(&entries, months, current, next)
            {
                tracing::warn!(
                    "retention: the cut-off leaps from {current} to {next}; if the clock is wrong ({} today), mend it \
                     within a day, and see \"the clock was wrong\" in the README",
                    run.today
                );
            }
            move_on(&present, ledger, archive, months, next)
        }
        (wanted, Some(current)) if wanted.is_none_or(|(_, wanted)| wanted < current) => {
            tracing::debug!("{}", stays_gone(current));
            Ok(present)
        }
        _ => Ok(present),
    }
}

/// Whether a cut-off moves further than time alone moves it: a program that ran last month moves it by one.
fn is_leap(entries: &[Entry], months: u32, current: Day, next: Day) -> bool {
    let before = entries.iter().rev().find_map(|entry| match entry.event {
        Event::RetentionAdvanced { months, .. } => Some(months),
        _ => None,
    });
    before == Some(months) && (next - current).num_days() > LEAP_DAYS
}

/// What to say where more would be kept than there is.
pub(super) fn stays_gone(current: Day) -> String {
    format!(
        "reports before {current} are gone; a larger retention.months, or none, does not bring them back"
    )
}

fn move_on<'a>(
    run: &Run<'a>,
    ledger: &Ledger,
    archive: &Archive,
    months: u32,
    expired_before: Day,
) -> Result<Run<'a>> {
    let mut sights = Vec::new();
    let mut untouched = None;
    if archive.position() > 0 {
        let store = loaded(run, archive)?;
        sights = first_sights(&store, expired_before, loud(run.draw.rules))?;
        if sights.is_empty() && store.is_untouched_by(expired_before)? {
            untouched = Some(store);
        }
    }
    let mut events = first_seen(&sights);
    events.push(Event::RetentionAdvanced {
        expired_before,
        months,
    });
    ledger
        .append(run.started_utc_secs, &events)
        .context("writing the ledger")?;
    tracing::info!(
        "retention: reports before {expired_before} are gone from now on; {} first sights of theirs are noted",
        sights.len()
    );
    if let Some(store) = untouched {
        store.note_cut_off(expired_before)?;
        store.close()?;
    }
    kept(run, ledger)
}

/// The working database as it is; where it has to be made anew, loaded: what it does not hold gives no first sights.
fn loaded(run: &Run, archive: &Archive) -> Result<Store> {
    let (mut store, _) = open_store(run, archive)?;
    if store.position()? == 0 {
        super::run::load_all(run, archive, &mut store, &mut |_| {})?;
    }
    Ok(store)
}

/// The rule about new senders, and what it takes to be one where it is not asked.
const NEW_SOURCE: &str = "new_source";
const USUALLY: Loud = Loud {
    days: 7,
    messages: 10,
};

/// What the rule about new senders asks for: who had that before the cut-off is not new behind it.
fn loud(rules: &Rules) -> Loud {
    let rule = rules.get(NEW_SOURCE);
    let param = |name| rule.and_then(|rule| rule.whole(name));
    let days = param("days").and_then(|days| u32::try_from(days).ok());
    Loud {
        days: days.unwrap_or(USUALLY.days),
        messages: param("min_messages").unwrap_or(USUALLY.messages),
    }
}

fn first_sights(store: &Store, before: Day, loud: Loud) -> Result<Vec<FirstSight>> {
    let (sights, is_cut) = store.first_sights(before, loud)?;
    if is_cut {
        tracing::warn!(
            "retention: more than {} first sights would have to be noted; those of the smallest sources are forgotten",
            sights.len()
        );
    }
    Ok(sights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_that_time_alone_does_not_move_as_far_is_a_leap() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let entry = Entry {
            seq: 1,
            at_utc_secs: 0,
            event: Event::RetentionAdvanced {
                expired_before: day("2024-01-01"),
                months: 2,
            },
        };
        for (entries, months, next, expect) in [
            (vec![entry.clone()], 2, "2024-02-01", false),
            (vec![entry.clone()], 2, "2024-03-01", false),
            (vec![entry.clone()], 2, "2036-01-01", true),
            (vec![entry], 1, "2036-01-01", false),
            (vec![], 2, "2036-01-01", false),
        ] {
            let is_leap = is_leap(&entries, months, day("2024-01-01"), day(next));
            assert_eq!(is_leap, expect, "{months} {next}");
        }
    }
}

//! Rules that cannot be asked -> what the ledger notes of them. What the database says of a rule, and since when it does,
//! is no function of the tables; in the ledger it is the same for a rebuild. There is an alert about it
//! (`queries/alerts/rule_failed.sql`).

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::judge::{Failures, is_judged, judge};
use super::question::Asking;
use super::run::{Run, as_of};
use crate::ledger::{Event, Ledger, View};
use crate::model::day::Day;
use crate::publish::Publisher;
use crate::store::working::Store;

/// Where nobody knows any more what the database said: the process died before it was noted.
const UNKNOWN: &str = "it cannot be asked; `sentinel check` says why";

/// Judges, and notes which rules fail now and did not, or for another reason, and which work again.
pub(super) fn note_failing(run: &Run, ledger: &Ledger, store: &mut Store) -> Result<()> {
    let (entries, _) = ledger.read(None).context("reading the ledger")?;
    let view = View::fold(&entries);
    let as_of = as_of(&entries).unwrap_or(run.today);
    if run.draw.rules.has_users() && knows_else(run) {
        // They may look at what is known of addresses.
        store.forget_judged()?;
    }
    if !is_judged(store, run.draw.rules, &view, as_of)? {
        // A rule of the user's own may ask this table too.
        store.write_runs(&entries)?;
    }
    let failures = run.watch.time("judge_ms", || {
        judge(store, run.draw.rules, &view, as_of, Asking::Anew)
    })?;
    let events = changes(&view, &failures, as_of);
    if events.is_empty() {
        return Ok(());
    }
    let at_utc_secs = run.started_utc_secs + (run.watch.elapsed_ms() / 1000) as i64;
    ledger
        .append(at_utc_secs, &events)
        .context("writing the ledger")
}

/// Whether what is published goes by other names of hosts, or by another configuration, or cannot be read.
fn knows_else(run: &Run) -> bool {
    let current = Publisher::open(&run.folders.public()).current();
    let Ok(Some(base)) = current else {
        return true;
    };
    let had = &base.manifest.values;
    had.hosts_hash != run.store.elsewhere.host_names.hash()
        || had.config_hash != run.store.effective_hash()
}

/// What is to be noted.
fn changes(view: &View, failures: &Failures, day: Day) -> Vec<Event> {
    let mut events = Vec::new();
    let mut known = BTreeSet::new();
    for outage in view.failing_rules() {
        match failures.get(&outage.rule) {
            None => events.push(Event::RuleMended {
                rule: outage.rule.clone(),
                day,
            }),
            Some(Some(words)) if kind(words) != kind(&outage.problem) => {}
            Some(_) => {
                known.insert(outage.rule.as_str());
            }
        }
    }
    for (rule, words) in failures {
        if !known.contains(rule.as_str()) {
            events.push(Event::RuleFailed {
                rule: rule.clone(),
                day,
                problem: words.clone().unwrap_or_else(|| UNKNOWN.to_owned()),
            });
        }
    }
    events
}

/// What is said without the values that it is said of: another row that is wrong in the same way is nothing new.
fn kind(words: &str) -> String {
    let mut kind = String::new();
    let mut is_quoted = false;
    for c in words.chars() {
        is_quoted ^= matches!(c, '\'' | '"');
        if !is_quoted && !c.is_ascii_digit() {
            kind.push(c);
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Entry;

    #[test]
    fn a_failure_is_noted_once_and_again_where_it_is_another_one() {
        let mut entries: Vec<Entry> = Vec::new();
        let failing =
            |words: Option<&str>| Failures::from([("mine".to_owned(), words.map(str::to_owned))]);
        for (at, failures, expect) in [
            ("2026-01-01", Failures::new(), None),
            (
                "2026-01-02",
                failing(Some("m.sql:3: no number '7x'")),
                Some("failed"),
            ),
            // Another row, the same fault; and one that was not asked again.
            (
                "2026-01-03",
                failing(Some("m.sql:3: no number 'zz 9'")),
                None,
            ),
            ("2026-01-03", failing(None), None),
            (
                "2026-01-04",
                failing(Some("m.sql: overflow")),
                Some("failed"),
            ),
            ("2026-01-05", Failures::new(), Some("mended")),
            ("2026-01-06", Failures::new(), None),
            // The process died before the words were noted.
            ("2026-01-07", failing(None), Some("failed")),
        ] {
            let day = at.parse().unwrap();
            let events = changes(&View::fold(&entries), &failures, day);
            let kinds: Vec<&str> = events
                .iter()
                .map(|event| match event {
                    Event::RuleFailed { .. } => "failed",
                    Event::RuleMended { .. } => "mended",
                    _ => "another",
                })
                .collect();
            assert_eq!(kinds, Vec::from_iter(expect), "{at} {failures:?}");
            for event in events {
                let seq = entries.len() as u64 + 1;
                entries.push(Entry {
                    seq,
                    at_utc_secs: 0,
                    event,
                });
            }
        }
        let view = View::fold(&entries);
        let times: Vec<_> = view
            .rule_outages
            .iter()
            .map(|one| {
                let until = one.until_day.map(|day| day.to_string());
                (
                    one.seq,
                    one.since_day.to_string(),
                    until,
                    one.problem.as_str(),
                )
            })
            .collect();
        let until = Some("2026-01-05".to_owned());
        assert_eq!(
            times,
            [
                (3, "2026-01-02".to_owned(), until, "m.sql: overflow"),
                (4, "2026-01-07".to_owned(), None, UNKNOWN)
            ]
        );
        assert_eq!(view.last_alert_seq, 4);
    }
}

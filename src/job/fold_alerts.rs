//! Days of evidence and the ledger -> the rows of table `alerts`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Result;

use crate::alert::{self, Rule, Rules};
use crate::ledger::{AlertLine, View};
use crate::model::alert::{Acted, Action, Alert, Evidence, Reason, Severity, Status};
use crate::model::day::Day;
use crate::store::alert_days::{AlertDay, Changed};
use crate::store::findings::{AlertRow, Judged};
use crate::store::working::Store;

/// Rows of `alerts` that are written at a time.
const ROWS_AT_ONCE: usize = 2_048;

/// Days of evidence -> alerts: those that may have changed, or all (`None`).
pub(super) fn fold(
    store: &mut Store,
    rules: &Rules,
    view: &View,
    judging: &Judged,
    changed: Option<&Changed>,
) -> Result<()> {
    let reader = store.another_connection()?;
    store.atomically(|store| {
        store.clear_alerts(changed)?;
        let mut folding = Folding {
            store,
            rules,
            view,
            changed,
            as_of: judging.as_of,
            senders: senders(store)?,
            failing: failing(store)?,
            seen: BTreeSet::new(),
            found: None,
            rows: Vec::new(),
        };
        store.each_alert_day(&reader, changed, &mut |row| folding.take(row))?;
        folding.end()?;
        store.note_judged(judging)
    })
}

fn senders(store: &Store) -> Result<BTreeMap<String, alert::Sender>> {
    let known = store.sender_facts()?.into_iter().map(|facts| {
        let include = facts.spf_include.split(' ').find(|name| !name.is_empty());
        let sender = alert::Sender {
            name: facts.name,
            is_service: facts.is_service,
            spf_include: include.map(str::to_owned),
            aligns_spf: facts.aligns_spf,
            aligns_dkim: facts.aligns_dkim,
        };
        (facts.sender, sender)
    });
    Ok(known.collect())
}

fn failing(store: &Store) -> Result<BTreeSet<String>> {
    let faulty = store.faulty_rules()?.into_iter();
    Ok(faulty
        .filter(|(_, is_failure)| *is_failure)
        .map(|(rule, _)| rule)
        .collect())
}

/// The days of one alert, as they come.
struct Found {
    rule: String,
    domain: Option<String>,
    subject: String,
    evidence: Vec<Evidence>,
    /// What the rule says of each day, where some of it is added up.
    facts: Vec<String>,
    /// What it says of the last day.
    last_facts: String,
    adds_up: bool,
}

impl Found {
    fn add(&mut self, row: &AlertDay<'_>) {
        self.evidence.push(Evidence {
            day: row.day,
            severity: row.severity.parse().unwrap_or(Severity::Warning),
            messages: row.messages,
            ended_day: row.ended_day,
        });
        if self.adds_up {
            self.facts.push(row.facts.to_owned());
        }
        self.last_facts.clear();
        self.last_facts.push_str(row.facts);
    }
}

struct Folding<'a> {
    store: &'a Store,
    rules: &'a Rules,
    view: &'a View,
    /// Which alerts are folded; `None`: all.
    changed: Option<&'a Changed>,
    as_of: Day,
    senders: BTreeMap<String, alert::Sender>,
    /// Rules that cannot be asked.
    failing: BTreeSet<String>,
    /// Alerts with evidence that somebody did something with.
    seen: BTreeSet<String>,
    found: Option<Found>,
    rows: Vec<AlertRow>,
}

impl Folding<'_> {
    fn take(&mut self, row: &AlertDay<'_>) -> Result<()> {
        let is_same = self.found.as_ref().is_some_and(|found| {
            found.subject == row.subject
                && found.domain.as_deref() == row.domain
                && found.rule == row.rule
        });
        if !is_same {
            self.close()?;
        }
        let found = self.found.get_or_insert_with(|| Found {
            rule: row.rule.to_owned(),
            domain: row.domain.map(str::to_owned),
            subject: row.subject.to_owned(),
            evidence: Vec::new(),
            facts: Vec::new(),
            last_facts: String::new(),
            adds_up: (self.rules.get(row.rule)).is_some_and(|rule| !rule.header.sums.is_empty()),
        });
        found.add(row);
        Ok(())
    }

    /// The days of an alert are complete.
    fn close(&mut self) -> Result<()> {
        let Some(found) = self.found.take() else {
            return Ok(());
        };
        let Some(rule) = self.rules.get(&found.rule) else {
            return Ok(());
        };
        let id = alert::id(&found.rule, found.domain.as_deref(), &found.subject);
        let line = self.view.alerts.get(&id);
        let actions: &[Acted] = line.map_or(&[], |line| &line.actions);
        let row = alert_row(
            id.clone(),
            &found,
            rule,
            actions,
            self.as_of,
            self.rules,
            &self.senders,
        )?;
        if line.is_some() {
            self.seen.insert(id);
        }
        self.push(row)
    }

    fn push(&mut self, row: AlertRow) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() >= ROWS_AT_ONCE {
            self.store.add_alerts(&self.rows)?;
            self.rows.clear();
        }
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        self.close()?;
        let view = self.view;
        for (id, line) in &view.alerts {
            let last = &line.last;
            let is_folded = |changed: &Changed| changed.holds(&last.rule, last.domain.as_deref());
            if !self.seen.contains(id) && self.changed.is_none_or(is_folded) {
                let mut row = withdrawn(id, line, self.as_of, self.rules);
                if self.failing.contains(&last.rule) {
                    row.stands_as_left(line);
                }
                self.push(row)?;
            }
        }
        self.store.add_alerts(&self.rows)
    }
}

fn alert_row(
    id: String,
    found: &Found,
    rule: &Rule,
    actions: &[Acted],
    as_of: Day,
    rules: &Rules,
    senders: &BTreeMap<String, alert::Sender>,
) -> Result<AlertRow> {
    let state = alert::fold(&found.evidence, actions, as_of, rules.resolve_after_days);
    let days = &found.evidence[state.days.clone()];
    let (first, last) = (days.first(), days.last());
    let mut alert = Alert {
        id,
        rule: found.rule.clone(),
        domain: found.domain.clone(),
        subject: found.subject.clone(),
        severity: state.severity,
        status: state.status,
        first_day: first.map(|day| day.day).unwrap_or_default(),
        last_day: last.map(|day| day.day).unwrap_or_default(),
        messages: days
            .iter()
            .fold(0, |sum, day| sum.saturating_add(day.messages)),
        facts: facts(found, state.days.clone(), &rule.header.sums),
        ..Alert::default()
    };
    let sender = senders.get(&alert.subject);
    let name = sender.map(|sender| sender.name.as_str());
    alert.title = alert::title(&rule.header.title, &alert, name);
    alert.advice = alert::advice(&rule.query, &alert, sender);
    Ok(AlertRow {
        reason: state.reason,
        evidence_days: days.len() as u64,
        occurrences: state.occurrences as u64,
        alert,
    })
}

/// Facts by name.
type Facts = BTreeMap<String, serde_json::Value>;

/// The facts of the last day, with those added up over all days that the rule wants added up.
fn facts(found: &Found, days: Range<usize>, sums: &[String]) -> Facts {
    let mut facts = read(&found.last_facts);
    let days = found.facts.get(days).unwrap_or_default();
    if days.len() < 2 {
        return facts;
    }
    let mut totals: BTreeMap<&String, i64> = sums.iter().map(|name| (name, 0)).collect();
    for day in days {
        let day = read(day);
        for (name, total) in &mut totals {
            *total = total.saturating_add(whole(day.get(*name)));
        }
    }
    for (name, total) in totals {
        facts.insert(name.clone(), total.into());
    }
    facts
}

/// A rule of the user's own may nest what strangers wrote deeper than a reader of JSON goes: that alone is told then.
fn read(facts: &str) -> Facts {
    serde_json::from_str(facts)
        .unwrap_or_else(|error| Facts::from([("unreadable".to_owned(), error.to_string().into())]))
}

/// A number of a fact; a sum of hostile counts may be larger than any.
fn whole(value: Option<&serde_json::Value>) -> i64 {
    match value {
        Some(value) if value.is_number() => value.as_i64().unwrap_or(i64::MAX),
        _ => 0,
    }
}

impl AlertRow {
    /// Nobody knows what evidence there is: it stands as the last action left it.
    fn stands_as_left(&mut self, line: &AlertLine) {
        self.reason = Some(Reason::RuleFailed);
        self.alert.status = match line.actions.last().map(|acted| acted.action) {
            Some(Action::Ack) => Status::Acknowledged,
            Some(Action::Reopen) => Status::Open,
            Some(Action::Resolve) | None => Status::Resolved,
        };
    }
}

/// An alert whose evidence is gone, or whose rule is not asked: what was done with it stays.
fn withdrawn(id: &str, line: &AlertLine, as_of: Day, rules: &Rules) -> AlertRow {
    let state = alert::fold(&[], &line.actions, as_of, rules.resolve_after_days);
    let last = &line.last;
    AlertRow {
        alert: Alert {
            id: id.to_owned(),
            rule: last.rule.clone(),
            domain: last.domain.clone(),
            subject: last.subject.clone(),
            severity: state.severity,
            status: state.status,
            first_day: last.first_day,
            last_day: last.last_day,
            title: last.title.clone(),
            ..Alert::default()
        },
        reason: match rules.get(&last.rule) {
            Some(_) => state.reason,
            None => Some(Reason::RuleOff),
        },
        evidence_days: 0,
        occurrences: 0,
    }
}

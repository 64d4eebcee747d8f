//! Tables and ledger -> alerts. Only what changed is judged again; the answer is the same as if all were.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::alert::{self, Reach, Rule, Rules, Scope, Touched, scopes};
use crate::ledger::{AlertLine, View};
use crate::model::alert::{Acted, Alert, Evidence, Severity};
use crate::model::day::{Day, days_after, days_before};
use crate::query::{Params, Value};
use crate::store::findings::{AlertRow, Asked, Judged};
use crate::store::working::Store;

/// Rows of `alerts` that are written at a time.
const ROWS_AT_ONCE: usize = 2_048;

/// Judges what changed since the last time, for the day `as_of`, with what the ledger says.
pub fn judge(store: &mut Store, rules: &Rules, view: &View, as_of: Day) -> Result<()> {
    let judging = Judged {
        item_no: store.position()?,
        as_of,
        rules_hash: rules.hash(),
        alert_seq: view.last_alert_seq,
    };
    let before = store.judged()?;
    if before.as_ref() == Some(&judging) {
        return Ok(());
    }
    let threads = store.config().threads;
    store.set_threads(threads)?;
    let judged = find_all(store, rules, view, &judging, before.as_ref())
        .and_then(|()| fold_all(store, rules, view, &judging));
    store.narrow_source_days(None)?;
    store.set_threads(1)?;
    judged.context("judging")
}

/// Asks the rules, where their answers may have changed.
fn find_all(
    store: &mut Store,
    rules: &Rules,
    view: &View,
    judging: &Judged,
    before: Option<&Judged>,
) -> Result<()> {
    let before = before
        .filter(|before| before.rules_hash == judging.rules_hash && before.as_of <= judging.as_of);
    let until = days_after(judging.as_of, 1);
    let asked = match before {
        None => {
            let domains = store.all_domains()?;
            rules
                .rules
                .iter()
                .map(|rule| (rule, whole(rule, &domains, until)))
                .collect()
        }
        Some(before) => again(store, rules, judging, before)?,
    };
    store.atomically(|store| {
        let names: Vec<&str> = rules
            .rules
            .iter()
            .map(|rule| rule.query.name.as_str())
            .collect();
        store.forget_rules_but(&names)?;
        store.write_told(&view.outages, &view.alerts)?;
        // Those that look at few days are asked first, over sums of these days alone.
        let (near, far): (Vec<_>, Vec<_>) = (asked.into_iter())
            .partition(|(rule, _)| before.is_none() || matches!(rule.reach, Some(Reach::Days(_))));
        if let Some((domains, since, until)) = seen_by(&near) {
            store.narrow_source_days(Some((domains.as_deref(), since, until)))?;
        }
        ask(store, &near, judging.as_of)?;
        store.narrow_source_days(None)?;
        ask(store, &far, judging.as_of)
    })
}

fn whole(rule: &Rule, domains: &[String], until: Day) -> Vec<Scope> {
    let domains = rule.takes("domains").then(|| domains.to_vec());
    vec![Scope {
        domains,
        ..Scope::whole(until)
    }]
}

/// What has to be asked after an earlier judgement by the same rules.
fn again<'r>(
    store: &Store,
    rules: &'r Rules,
    judging: &Judged,
    before: &Judged,
) -> Result<Vec<(&'r Rule, Vec<Scope>)>> {
    let until = days_after(judging.as_of, 1);
    // Days that come to be judged because the calendar went on have their reports already.
    let touched: Touched = store.touched(before.item_no, days_after(before.as_of, 1))?;
    let is_later = before.as_of < judging.as_of;
    let mut all_domains = None;
    let mut asked = Vec::new();
    for rule in &rules.rules {
        let scopes = if is_later && rule.takes("as_of") && rule.takes("domains") {
            let domains = match all_domains.take() {
                Some(domains) => domains,
                None => store.all_domains()?,
            };
            let scopes = whole(rule, &domains, until);
            all_domains = Some(domains);
            scopes
        } else {
            scopes(rule, &touched, until)
        };
        asked.push((rule, scopes));
    }
    Ok(asked)
}

/// The domains and days that rules see which are asked these things; `None` where none looks at `source_days`.
fn seen_by(asked: &[(&Rule, Vec<Scope>)]) -> Option<(Option<Vec<String>>, Day, Day)> {
    let mut seen: Option<(Option<BTreeSet<String>>, Day, Day)> = None;
    for (rule, scopes) in asked {
        if !rule.query.text.contains("source_days") {
            continue;
        }
        let days = match rule.reach {
            Some(Reach::Days(days)) => days,
            _ => u64::from(u32::MAX),
        };
        for scope in scopes {
            let (since, until) = (
                days_before(scope.since, days),
                days_after(scope.until, days),
            );
            let domains = scope
                .domains
                .as_ref()
                .map(|names| names.iter().cloned().collect());
            seen = Some(match seen {
                None => (domains, since, until),
                Some((had, first, last)) => {
                    let both = had.zip(domains).map(|(mut had, more): (BTreeSet<_>, _)| {
                        had.extend(more);
                        had
                    });
                    (both, first.min(since), last.max(until))
                }
            });
        }
    }
    seen.map(|(domains, since, until)| {
        (
            domains.map(|names| names.into_iter().collect()),
            since,
            until,
        )
    })
}

fn ask(store: &Store, asked: &[(&Rule, Vec<Scope>)], as_of: Day) -> Result<()> {
    for (rule, scopes) in asked {
        for scope in scopes {
            let params = params(rule, scope, as_of);
            store.find(&Asked {
                query: &rule.query,
                params: &params,
                domains: scope.domains.as_deref(),
                since: scope.since,
                until: scope.until,
                severity: rule.severity.unwrap_or(rule.header.severity),
                is_fixed: rule.severity.is_some(),
            })?;
        }
    }
    Ok(())
}

fn params(rule: &Rule, scope: &Scope, as_of: Day) -> Params {
    let mut params = rule.params.clone();
    params.insert("as_of".to_owned(), Value::Day(as_of));
    params.insert("since".to_owned(), Value::Day(scope.since));
    params.insert("until".to_owned(), Value::Day(scope.until));
    let domains = scope.domains.iter().flatten().cloned().map(Value::Text);
    params.insert("domains".to_owned(), Value::List(domains.collect()));
    params
}

/// Days of evidence -> alerts.
fn fold_all(store: &mut Store, rules: &Rules, view: &View, judging: &Judged) -> Result<()> {
    let reader = store.another_connection()?;
    store.atomically(|store| {
        store.clear_alerts()?;
        let mut folding = Folding {
            store,
            rules,
            view,
            as_of: judging.as_of,
            senders: BTreeMap::new(),
            seen: BTreeSet::new(),
            found: None,
            rows: Vec::new(),
        };
        store.each_alert_day(&reader, &mut |row| folding.take(&row))?;
        folding.end()?;
        store.note_judged(judging)
    })
}

/// The days of one alert, as they come.
struct Found {
    rule: String,
    domain: Option<String>,
    subject: String,
    evidence: Vec<Evidence>,
    facts: Vec<String>,
}

struct Folding<'a> {
    store: &'a Store,
    rules: &'a Rules,
    view: &'a View,
    as_of: Day,
    senders: BTreeMap<String, alert::Sender>,
    /// Alerts with evidence that somebody did something with.
    seen: BTreeSet<String>,
    found: Option<Found>,
    rows: Vec<AlertRow>,
}

impl Folding<'_> {
    fn take(&mut self, row: &[Value]) -> Result<()> {
        let [
            Value::Text(rule),
            domain,
            Value::Text(subject),
            Value::Day(day),
            Value::Text(severity),
            Value::Int(messages),
            ended_day,
            Value::Text(facts),
        ] = row
        else {
            anyhow::bail!("a row of alert_days has another form: {row:?}");
        };
        let domain = match domain {
            Value::Text(domain) => Some(domain.clone()),
            _ => None,
        };
        let is_same = self.found.as_ref().is_some_and(|found| {
            found.rule == *rule && found.domain == domain && found.subject == *subject
        });
        if !is_same {
            self.close()?;
        }
        let found = self.found.get_or_insert_with(|| Found {
            rule: rule.clone(),
            domain,
            subject: subject.clone(),
            evidence: Vec::new(),
            facts: Vec::new(),
        });
        found.evidence.push(Evidence {
            day: *day,
            severity: severity.parse().unwrap_or(Severity::Warning),
            messages: *messages,
            ended_day: match ended_day {
                Value::Day(day) => Some(*day),
                _ => None,
            },
        });
        found.facts.push(facts.clone());
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
            if !self.seen.contains(id) {
                self.push(withdrawn(id, line, self.as_of, self.rules))?;
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
        facts: facts(&found.facts[state.days.clone()], &rule.header.sums)?,
        ..Alert::default()
    };
    alert.title = alert::title(&rule.header.title, &alert);
    alert.advice = alert::advice(&rule.query, &alert, senders.get(&alert.subject));
    Ok(AlertRow {
        reason: state.reason,
        evidence_days: days.len() as u64,
        occurrences: state.occurrences as u64,
        alert,
    })
}

/// The facts of the last day, with those added up over all days that the rule wants added up.
fn facts(days: &[String], sums: &[String]) -> Result<BTreeMap<String, serde_json::Value>> {
    let read = |text: &String| -> Result<BTreeMap<String, serde_json::Value>> {
        serde_json::from_str(text).context("reading the facts of an alert")
    };
    let Some(last) = days.last() else {
        return Ok(BTreeMap::new());
    };
    let mut facts = read(last)?;
    if sums.is_empty() || days.len() == 1 {
        return Ok(facts);
    }
    let mut totals: BTreeMap<&String, i64> = sums.iter().map(|name| (name, 0)).collect();
    for day in days {
        let day = read(day)?;
        for (name, total) in &mut totals {
            let value = day.get(*name).and_then(serde_json::Value::as_i64);
            *total = total.saturating_add(value.unwrap_or(0));
        }
    }
    for (name, total) in totals {
        facts.insert(name.clone(), total.into());
    }
    Ok(facts)
}

/// An alert whose evidence is gone: what was done with it stays.
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
        reason: state.reason,
        evidence_days: 0,
        occurrences: 0,
    }
}

//! Tables and ledger -> alerts. Only what changed is judged again; the answer is the same as if all were.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::fold_alerts::fold_all;
use crate::alert::{Reach, Rule, Rules, Scope, Touched, scopes};
use crate::ledger::View;
use crate::model::day::{Day, days_after, days_before};
use crate::query::{Params, Value};
use crate::store::findings::{Asked, Judged};
use crate::store::working::Store;

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

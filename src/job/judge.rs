//! Tables and ledger -> alerts. Only what changed is judged again; the answer is the same as if all were.

use anyhow::{Context, Result};

use super::fold_alerts::fold_all;
use crate::alert::{Rule, Rules, Scope, Touched, scopes};
use crate::ledger::View;
use crate::model::day::{Day, days_after};
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
        ask(store, &asked, judging.as_of)
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
    // A rule that says nothing of its reach, or is about the day itself, has to look at every domain.
    let looks_at_all = |rule: &Rule| {
        rule.takes("domains") && (rule.reach.is_none() || (is_later && rule.takes("as_of")))
    };
    let domains = if rules.rules.iter().any(looks_at_all) {
        store.all_domains()?
    } else {
        Vec::new()
    };
    let asked = |rule: &'r Rule| {
        let scopes = if looks_at_all(rule) {
            whole(rule, &domains, until)
        } else {
            scopes(rule, &touched, until)
        };
        (rule, scopes)
    };
    Ok(rules.rules.iter().map(asked).collect())
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

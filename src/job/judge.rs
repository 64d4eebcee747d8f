//! Tables and ledger -> alerts. Only what changed is judged again; the answer is the same as if all were.
//!
//! A rule that cannot be asked takes nothing from the others, and stops no publication. It has no evidence at all until
//! it can be asked: to keep what it found before would make what is published a matter of the order in which things
//! came, and a rebuild could not give the same. What people did with its alerts stays; they are not told that reports
//! took the evidence away. A rule with any fault is asked about everything each time, so that its faults too are those
//! of the tables.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::fold_alerts::fold;
use super::question::{Asking, Limits, Question};
use crate::alert::{Rule, Rules, Touched, scopes};
use crate::ledger::View;
use crate::model::day::{Day, days_after};
use crate::store::Connection;
use crate::store::alert_days::Changed;
use crate::store::answers::{Answer, domains, records};
use crate::store::findings::Judged;
use crate::store::working::{Store, lacks_memory};

/// The rule about rules: asked when what the others say is known.
const LAST: &str = "rule_failed";

/// Rules that cannot be asked: why, in words. `None`: this was found earlier, and not asked again.
pub(super) type Failures = BTreeMap<String, Option<String>>;

/// Whether there is nothing to judge.
pub(super) fn is_judged(store: &Store, rules: &Rules, view: &View, as_of: Day) -> Result<bool> {
    let judging = judging(store, rules, view, as_of)?;
    Ok(store.judged()?.is_some_and(|before| before == judging))
}

fn judging(store: &Store, rules: &Rules, view: &View, as_of: Day) -> Result<Judged> {
    Ok(Judged {
        item_no: store.position()?,
        as_of,
        rules_hash: rules.hash(),
        alert_seq: view.last_alert_seq,
    })
}

/// Judges what changed since the last time, for the day `as_of`, with what the ledger says; gives the rules that cannot
/// be asked.
pub(super) fn judge(
    store: &mut Store,
    rules: &Rules,
    view: &View,
    as_of: Day,
    asking: Asking,
) -> Result<Failures> {
    let judging = judging(store, rules, view, as_of)?;
    let before = store.judged()?;
    let mut words = BTreeMap::new();
    if before.as_ref() != Some(&judging) {
        let threads = store.config().threads;
        store.set_threads(threads)?;
        let found = find_all(store, rules, view, &judging, before.as_ref(), asking);
        let judged = found.and_then(|found| {
            words = found.failures;
            store.with_growing_memory(lacks_memory, |store| {
                fold(store, rules, view, &judging, found.changed.as_ref())
            })
        });
        store.set_threads(1)?;
        judged.context("judging")?;
    }
    let faulty = store.faulty_rules()?.into_iter();
    let failing = faulty.filter(|(_, is_failure)| *is_failure);
    Ok(failing
        .map(|(rule, _)| {
            let words = words.remove(&rule);
            (rule, words)
        })
        .collect())
}

/// What came of asking the rules.
struct Found {
    /// Those that cannot be asked, and why.
    failures: BTreeMap<String, String>,
    /// The alerts that may stand otherwise than before; `None`: all.
    changed: Option<Changed>,
}

/// Asks the rules, where their answers may have changed.
fn find_all(
    store: &mut Store,
    rules: &Rules,
    view: &View,
    judging: &Judged,
    before: Option<&Judged>,
    asking: Asking,
) -> Result<Found> {
    let before = before
        .filter(|before| before.rules_hash == judging.rules_hash && before.as_of <= judging.as_of);
    let until = days_after(judging.as_of, 1);
    let mut questions: Vec<Question> = match before {
        None => {
            let all_domains = domains(store.connection())?;
            let rules = rules.rules.iter();
            rules
                .map(|rule| Question::whole(rule, &all_domains, until))
                .collect()
        }
        Some(before) => again(store, rules, judging, before)?,
    };
    questions.sort_by_key(|question| question.rule.query.name == LAST);
    store.atomically(|store| {
        let names: Vec<&str> = rules
            .rules
            .iter()
            .map(|rule| rule.query.name.as_str())
            .collect();
        // What dies in the middle leaves days that nobody knows of: all is judged anew then.
        store.forget_judged()?;
        store.forget_rules_but(&names)?;
        store.write_told(&view.outages, &view.rule_outages, &view.alerts)
    })?;
    let limits = Limits::new(rules, judging.as_of, records(store.connection())?, asking);
    let noted: BTreeMap<&str, &str> = match asking {
        Asking::Anew => BTreeMap::new(),
        Asking::AsNoted => (view.failing_rules())
            .map(|outage| (outage.rule.as_str(), outage.problem.as_str()))
            .collect(),
    };
    let mut failures = BTreeMap::new();
    let mut changed = acted_on(view, before);
    for question in &questions {
        let noted = noted.get(question.rule.query.name.as_str()).copied();
        if let Some(words) = question.ask(store, until, &limits, noted, &mut changed)? {
            failures.insert(question.rule.query.name.clone(), words);
        }
    }
    // How long alerts are quiet is a matter of the day.
    let is_same_day = before.is_some_and(|before| before.as_of == judging.as_of);
    Ok(Found {
        failures,
        changed: is_same_day.then_some(changed),
    })
}

/// The alerts with which people did something since the last time.
fn acted_on(view: &View, before: Option<&Judged>) -> Changed {
    let mut changed = Changed::default();
    let seq = before.map_or(0, |before| before.alert_seq);
    let lines = view.alerts.values();
    for line in lines.filter(|line| line.actions.iter().any(|acted| acted.seq > seq)) {
        match &line.last.domain {
            Some(domain) => changed.domains.insert(domain.clone()),
            None => changed.rules.insert(line.last.rule.clone()),
        };
    }
    changed
}

/// Asks every rule about all that a database holds, and keeps nothing of the answers: what came of each.
pub fn rehearse(
    connection: &Connection,
    rules: &Rules,
    as_of: Day,
) -> Result<Vec<(String, Answer)>> {
    let limits = Limits::new(rules, as_of, records(connection)?, Asking::Anew);
    let (all_domains, until) = (domains(connection)?, days_after(as_of, 1));
    let mut answers = Vec::new();
    for rule in &rules.rules {
        let question = Question::whole(rule, &all_domains, until);
        let answer = question.ask_all(connection, &limits)?;
        answers.push((rule.query.name.clone(), answer));
    }
    Ok(answers)
}

/// What has to be asked after an earlier judgement by the same rules.
fn again<'r>(
    store: &Store,
    rules: &'r Rules,
    judging: &Judged,
    before: &Judged,
) -> Result<Vec<Question<'r>>> {
    let until = days_after(judging.as_of, 1);
    // Days that come to be judged because the calendar went on have their reports already.
    let touched: Touched = store.touched(before.item_no, days_after(before.as_of, 1))?;
    let is_later = before.as_of < judging.as_of;
    let is_more = is_later || before.item_no < judging.item_no;
    let faulty: BTreeSet<String> = store
        .faulty_rules()?
        .into_iter()
        .map(|(rule, _)| rule)
        .collect();
    // A rule that says nothing of its reach, or is about the day itself, has to look at every domain.
    let looks_at_all = |rule: &Rule| {
        let is_faulty = is_more && faulty.contains(&rule.query.name);
        rule.takes("domains")
            && (rule.reach.is_none() || is_faulty || (is_later && rule.takes("as_of")))
    };
    let all_domains = if rules.rules.iter().any(looks_at_all) {
        domains(store.connection())?
    } else {
        Vec::new()
    };
    let question = |rule: &'r Rule| {
        if looks_at_all(rule) {
            Question::whole(rule, &all_domains, until)
        } else {
            Question {
                rule,
                scopes: scopes(rule, &touched, until),
                is_whole: rule.reach.is_none(),
            }
        }
    };
    Ok(rules.rules.iter().map(question).collect())
}

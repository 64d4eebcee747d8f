//! A question to a rule: what it is asked, how far it may go, and what becomes of its answer.

use std::time::Duration;

use anyhow::Result;

use crate::alert::{Rule, Rules, Scope};
use crate::model::day::Day;
use crate::model::rule_fault::Fault;
use crate::query::{Params, Value};
use crate::store::Connection;
use crate::store::alert_days::Changed;
use crate::store::answers::{Answer, AnswerBounds, Asked, ask, domains, expect};
use crate::store::working::{Store, lacks_memory};

/// Days on which any rule may find something, beside one for each record.
const MOST_DAYS: u64 = 1_000_000;

/// Records for which a rule has a second more.
const RECORDS_A_SECOND: u64 = 20_000;

/// How much longer a rule may take that is known to work.
const PATIENCE: u64 = 10;

/// Who says which rules can be asked. That can be a matter of the machine: what is published goes by what was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Every rule is tried; what fails is to be noted.
    Anew,
    /// The ledger: rules that it has as failing are not asked, the others have their time many times over.
    AsNoted,
}

/// What all rules are asked with.
pub(super) struct Limits {
    as_of: Day,
    bounds: AnswerBounds,
}

impl Limits {
    pub(super) fn new(rules: &Rules, as_of: Day, records: u64, asking: Asking) -> Self {
        let patience = match asking {
            Asking::Anew => 1,
            Asking::AsNoted => PATIENCE,
        };
        let secs = (rules.time_limit_secs)
            .saturating_add(records / RECORDS_A_SECOND)
            .saturating_mul(patience);
        Self {
            as_of,
            bounds: AnswerBounds {
                longest: Duration::from_secs(secs),
                rows: MOST_DAYS + records,
            },
        }
    }
}

/// What a rule is asked.
pub(super) struct Question<'r> {
    pub(super) rule: &'r Rule,
    /// All of them are asked about.
    pub(super) scopes: Vec<Scope>,
    /// Whether it is about everything that the rule can find.
    pub(super) is_whole: bool,
}

impl<'r> Question<'r> {
    pub(super) fn whole(rule: &'r Rule, domains: &[String], until: Day) -> Self {
        let domains = rule.takes("domains").then(|| domains.to_vec());
        let scope = Scope {
            domains,
            ..Scope::whole(until)
        };
        Self {
            rule,
            scopes: vec![scope],
            is_whole: true,
        }
    }
}

impl Question<'_> {
    /// Takes what the rule answers; says why it cannot be asked, if so. A part of an answer has to be without fault:
    /// else the rule is asked about everything, as a rebuild does. One that is `noted` to fail is not asked.
    pub(super) fn ask(
        &self,
        store: &mut Store,
        until: Day,
        limits: &Limits,
        noted: Option<&str>,
        changed: &mut Changed,
    ) -> Result<Option<String>> {
        if self.scopes.is_empty() {
            return Ok(None);
        }
        let mut answer = match noted {
            Some(words) => Answer::Failure(Fault::Failed, words.to_owned()),
            None => self.take(store, limits)?,
        };
        self.note_changed(&answer, changed);
        // What takes too long in part does so as a whole.
        let is_slow = matches!(answer, Answer::Failure(Fault::TooSlow, _));
        if !self.is_whole && !is_slow && noted.is_none() && answer != Answer::Rows(Vec::new()) {
            let all_domains = domains(store.connection())?;
            answer = Question::whole(self.rule, &all_domains, until).take(store, limits)?;
        }
        let name = &self.rule.query.name;
        match answer {
            Answer::Rows(faults) => {
                for (fault, rows) in faults {
                    tracing::warn!("the rule {name}: {} ({rows})", fault.about());
                }
                Ok(None)
            }
            Answer::Failure(fault, words) => {
                if noted.is_none() {
                    tracing::warn!("the rule {name} has no alerts until it can be asked: {words}");
                }
                store.atomically(|store| {
                    store.forget_rule(name)?;
                    store.note_faults(name, &[(fault, None)])
                })?;
                Ok(Some(words))
            }
        }
    }

    fn note_changed(&self, answer: &Answer, changed: &mut Changed) {
        let is_part = !self.is_whole && *answer == Answer::Rows(Vec::new());
        for scope in &self.scopes {
            match &scope.domains {
                Some(domains) if is_part => changed.domains.extend(domains.iter().cloned()),
                _ => {
                    changed.rules.insert(self.rule.query.name.clone());
                }
            }
        }
    }

    /// Asks, and takes the answer where it can be taken.
    fn take(&self, store: &mut Store, limits: &Limits) -> Result<Answer> {
        let is_short =
            |answer: &Result<_>| matches!(answer, Ok(Answer::Failure(Fault::TooMuchMemory, _)));
        let answer = store
            .with_growing_memory(is_short, |store| self.ask_all(store.connection(), limits))?;
        let Answer::Rows(faults) = answer else {
            return Ok(answer);
        };
        if !self.is_whole && !faults.is_empty() {
            return Ok(Answer::Rows(faults));
        }
        let most = limits.bounds.rows;
        let kept = store.with_growing_memory(lacks_memory, |store| {
            store.tentatively(|store| {
                let is_kept = self.keep(store, &faults)? <= most;
                Ok((is_kept, is_kept))
            })
        });
        let path = &self.rule.query.path;
        Ok(match kept {
            Ok(true) => Answer::Rows(faults),
            Ok(false) => {
                let words = format!("{path}: it gives more than {most} rows");
                Answer::Failure(Fault::TooManyRows, words)
            }
            failed if lacks_memory(&failed) => {
                let words = format!("{path}: there is too little memory to keep what it gives");
                Answer::Failure(Fault::TooMuchMemory, words)
            }
            Err(error) => return Err(error),
        })
    }

    /// Asks all there is to ask.
    pub(super) fn ask_all(&self, connection: &Connection, limits: &Limits) -> Result<Answer> {
        expect(connection)?;
        let mut answer = Answer::Rows(Vec::new());
        for scope in &self.scopes {
            let params = params(self.rule, scope, limits.as_of);
            answer = ask(connection, &self.asked(scope, &params), limits.bounds)?;
            if matches!(answer, Answer::Failure(..)) {
                break;
            }
        }
        Ok(answer)
    }

    /// Puts the answer in the place of what was found there before; says how many rows the rule has then.
    fn keep(&self, store: &Store, faults: &[(Fault, u64)]) -> Result<u64> {
        let name = &self.rule.query.name;
        for scope in &self.scopes {
            store.forget_part(name, scope.domains.as_deref(), scope.since, scope.until)?;
        }
        store.note_found(name)?;
        let noted = faults.iter().map(|(fault, rows)| (*fault, Some(*rows)));
        store.note_faults(name, &noted.collect::<Vec<_>>())?;
        store.alert_days_of(name)
    }

    fn asked<'a>(&'a self, scope: &'a Scope, params: &'a Params) -> Asked<'a> {
        let rule = self.rule;
        Asked {
            query: &rule.query,
            params,
            domains: scope.domains.as_deref(),
            since: scope.since,
            until: scope.until,
            severity: rule.severity.unwrap_or(rule.header.severity),
            is_fixed: rule.severity.is_some(),
        }
    }
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

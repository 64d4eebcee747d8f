//! The catalogue's rules with the values that the configuration gives to their parameters.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::model::alert::{RuleSettings, Severity};
use crate::model::hex::hex;
use crate::query::{Catalogue, LookBack, Params, Query, RuleHeader, Value, reads_as};

/// The longest window of a rule that looks back by days; more is an error in the configuration.
const MOST_DAYS: i64 = 3_660;

/// What one question may take where the configuration does not say.
const TIME_LIMIT_SECS: u64 = 60;

/// A rule that can be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The query.
    pub query: Query,
    /// Its `-- rule:` line.
    pub header: RuleHeader,
    /// Parameters other than those that judging gives.
    pub params: Params,
    /// How far a day reaches; `None`: nobody knows, so all is judged anew.
    pub reach: Option<Reach>,
    /// How grave all its alerts are, in the place of what the rule says.
    pub severity: Option<Severity>,
}

/// How far a day of a domain reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To all days of the domain.
    Domain,
    /// To so many days before and behind.
    Days(u64),
    /// To so many days before, and to all behind.
    On(u64),
}

/// All rules that are asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// In the order of their names.
    pub rules: Vec<Rule>,
    /// Days without evidence after which an alert is done with; 0: never.
    pub resolve_after_days: u64,
    /// What one question may take, beside what large tables add.
    pub time_limit_secs: u64,
}

/// Something in `alerts.rules` that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// Line in the configuration, from 1.
    pub line: usize,
    /// Below `alerts.rules`: `new_source.min_messages`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What could have been meant, for the nearest of them.
    pub known: Vec<String>,
}

impl Rules {
    /// The rules of a catalogue as they are configured, or everything that is wrong.
    pub fn new(
        catalogue: &Catalogue,
        settings: &BTreeMap<String, RuleSettings>,
        resolve_after_days: u64,
    ) -> Result<Self, Vec<RuleProblem>> {
        let of_alerts = || {
            catalogue
                .queries
                .values()
                .filter(|query| query.rule.is_some())
        };
        let mut problems = Vec::new();
        for (name, setting) in settings {
            if !of_alerts().any(|query| query.name == *name) {
                problems.push(RuleProblem {
                    line: setting.line,
                    path: name.clone(),
                    message: "there is no such rule".to_owned(),
                    known: of_alerts().map(|query| query.name.clone()).collect(),
                });
            }
        }
        let none = RuleSettings::default();
        let mut rules = Vec::new();
        for query in of_alerts() {
            let setting = settings.get(&query.name).unwrap_or(&none);
            let rule = rule(query, setting, &mut problems);
            rules.extend(rule.filter(|_| !setting.is_off));
        }
        if problems.is_empty() {
            Ok(Self {
                rules,
                resolve_after_days,
                time_limit_secs: TIME_LIMIT_SECS,
            })
        } else {
            Err(problems)
        }
    }

    /// Whether a rule is the user's own: nobody knows which tables it looks at.
    pub fn has_users(&self) -> bool {
        self.rules.iter().any(|rule| rule.query.is_users)
    }

    /// A hash of everything in the rules that shapes what they find.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.resolve_after_days.to_le_bytes());
        hash.update(self.time_limit_secs.to_le_bytes());
        for Rule {
            query,
            params,
            severity,
            ..
        } in &self.rules
        {
            let parts = [
                &*query.name,
                &*query.text,
                &format!("{params:?} {severity:?}"),
            ]
            .map(str::to_owned);
            for part in parts {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        hex(&hash.finalize())
    }

    /// A rule by its name.
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.query.name == name)
    }
}

impl Rule {
    /// Whether it is given a parameter of that name.
    pub fn takes(&self, name: &str) -> bool {
        self.query.params.iter().any(|(known, _)| known == name)
    }

    /// A whole number among its parameters.
    pub fn whole(&self, name: &str) -> Option<u64> {
        whole(&self.params, name)
    }
}

fn rule(query: &Query, setting: &RuleSettings, problems: &mut Vec<RuleProblem>) -> Option<Rule> {
    let header = query.rule.clone()?;
    let mut params = Params::new();
    for (name, text) in &query.defaults {
        params.insert(name.clone(), Value::Text(text.clone()));
    }
    let settable: Vec<String> = query
        .defaults
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    for (name, line, text) in &setting.params {
        let kind = query
            .params
            .iter()
            .find(|(known, _)| known == name && settable.contains(name));
        let message = match kind {
            None => "the rule has no such value".to_owned(),
            Some((_, kind)) if !is_sound(text, kind, query, name) => {
                format!("`{text}` is no {}", words_of(kind, query, name))
            }
            Some(_) => {
                params.insert(name.clone(), Value::Text(text.clone()));
                continue;
            }
        };
        problems.push(RuleProblem {
            line: *line,
            path: format!("{}.{name}", query.name),
            message,
            known: if kind.is_none() {
                settable.clone()
            } else {
                Vec::new()
            },
        });
    }
    let reach = match &header.look_back {
        LookBack::Whole => None,
        LookBack::Domain => Some(Reach::Domain),
        LookBack::Days(days) => Some(Reach::Days(u64::from(*days))),
        LookBack::Param(name) => whole(&params, name).map(Reach::Days),
        LookBack::DaysOn(days) => Some(Reach::On(u64::from(*days))),
        LookBack::ParamOn(name) => whole(&params, name).map(Reach::On),
    };
    Some(Rule {
        query: query.clone(),
        header,
        params,
        reach,
        severity: setting.severity,
    })
}

/// Numbers are not negative, windows have a day and an end, and a share is a share.
fn is_sound(text: &str, kind: &str, query: &Query, name: &str) -> bool {
    let value = Value::Text(text.to_owned());
    if kind != "BIGINT" {
        return reads_as(&value, kind);
    }
    let bounds = if is_window(query, name) {
        1..=MOST_DAYS
    } else if is_share(query, name) {
        0..=100
    } else {
        0..=i64::MAX / 1_000_000
    };
    text.parse()
        .is_ok_and(|number: i64| bounds.contains(&number))
}

fn is_window(query: &Query, name: &str) -> bool {
    let look_back = query.rule.as_ref().map(|rule| &rule.look_back);
    matches!(look_back, Some(LookBack::Param(known) | LookBack::ParamOn(known)) if known == name)
}

/// The percentages of our own rules are shares; one of a user may be about growth.
fn is_share(query: &Query, name: &str) -> bool {
    !query.is_users && name.ends_with("_percent")
}

fn words_of(kind: &str, query: &Query, name: &str) -> String {
    match kind {
        "BIGINT" if is_window(query, name) => {
            format!("number of days from 1 to {MOST_DAYS}")
        }
        "BIGINT" if is_share(query, name) => "whole number from 0 to 100".to_owned(),
        "BIGINT" => "whole number".to_owned(),
        "BOOLEAN" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

fn whole(params: &Params, name: &str) -> Option<u64> {
    match params.get(name) {
        Some(Value::Text(text)) => text.parse().ok(),
        _ => None,
    }
}

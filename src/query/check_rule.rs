//! What makes a file in `alerts/` a rule, and what does not.

use super::header::Header;
use super::rule::{LookBack, placeholders};
use super::{Query, Value};

/// What a rule is given, and its type.
pub(super) const GIVEN: [(&str, &str); 4] = [
    ("as_of", "DATE"),
    ("domains", "VARCHAR[]"),
    ("since", "DATE"),
    ("until", "DATE"),
];

/// What names one row of a rule's answer.
const GRAIN: [&str; 3] = ["domain", "subject", "day"];

/// What a title can name beside the columns of the answer.
const OF_ALERT: [&str; 6] = [
    "domain",
    "subject",
    "sender",
    "messages",
    "first_day",
    "last_day",
];

/// Problems with parameters, as `(line, sentence)`. Defaults are checked in every file.
pub(super) fn params(query: &Query, header: &Header) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    let kind = |name: &str| {
        (query.params.iter())
            .find(|(known, _)| known == name)
            .map(|(_, kind)| kind.as_str())
    };
    for (name, text) in &query.defaults {
        let problem = match kind(name) {
            None => format!("`{name}` is given a default and not declared in `-- params:`"),
            Some(kind) if super::run::to_sql(&Value::Text(text.clone()), kind).is_none() => {
                format!("the default `{text}` of `{name}` is no {kind}")
            }
            Some(_) => continue,
        };
        problems.push((header.default_line, problem));
    }
    let Some(rule) = &query.rule else {
        return problems;
    };
    for (name, kind) in &query.params {
        let given = GIVEN.iter().find(|(given, _)| given == name);
        let problem = match given {
            Some((_, right)) if right != kind => {
                format!("rules are given `${name}` as {right}, not as {kind}")
            }
            None if !query.defaults.iter().any(|(known, _)| known == name) => format!(
                "rules are given $as_of, $domains, $since and $until: `${name}` needs a value in `-- default: {name}=…`"
            ),
            _ => continue,
        };
        problems.push((header.params_line, problem));
    }
    if let LookBack::Param(name) | LookBack::ParamOn(name) = &rule.look_back
        && kind(name) != Some("BIGINT")
    {
        let text = format!(
            "look_back=`{name}` is neither `all`, nor a number, nor a parameter of type BIGINT"
        );
        problems.push((header.rule_line, text));
    }
    if rule.look_back != LookBack::Whole && kind("domains").is_none() {
        let text = "look_back= is for a rule that takes `$domains`: the others are asked about all days each time";
        problems.push((header.rule_line, text.to_owned()));
    }
    problems
}

/// Problems with the columns of a rule's answer, as `(line, sentence)`.
pub(super) fn columns(query: &Query, header: &Header, columns: &[String]) -> Vec<(usize, String)> {
    let Some(rule) = &query.rule else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    if query.grain != GRAIN {
        let text = format!("a rule has \"One row per ({}).\"", GRAIN.join(", "));
        problems.push((1, text));
    }
    let is_column = |name: &str| columns.iter().any(|column| column == name);
    for name in placeholders(&rule.title) {
        if !OF_ALERT.contains(&name) && !is_column(name) {
            let text = format!("the title names `{{{name}}}`, which is no column of the answer");
            problems.push((header.rule_line, text));
        }
    }
    for name in &rule.sums {
        if !is_column(name) {
            let text = format!("sums= names `{name}`, which is no column of the answer");
            problems.push((header.rule_line, text));
        }
    }
    problems
}

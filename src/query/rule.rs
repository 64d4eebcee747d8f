//! The lines of a header that make a query in `alerts/` a rule.
//!
//! ```sql
//! -- rule: title="{subject} sent {messages} failing messages" severity=warning look_back=days sums=refused
//! -- default: days=7 min_messages=20
//! -- advice: Find out who that is.
//! ```

use super::header::{names, pairs};
use crate::model::alert::Severity;

/// What the `-- rule:` line of a header says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleHeader {
    /// One line for people; `{column}` stands for a value of the alert.
    pub title: String,
    /// How grave its alerts are, where the answer has no column `severity`.
    pub severity: Severity,
    /// Which days have to be judged again when a day of a domain changes.
    pub look_back: LookBack,
    /// Columns of whole numbers that are added up over the days of an alert; the others are those of its last day.
    pub sums: Vec<String>,
}

/// How far a day reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LookBack {
    /// Nothing is known: all days of all domains are judged each time.
    #[default]
    Whole,
    /// All days of the same domain.
    Domain,
    /// As many days before and behind as this parameter says.
    Param(String),
    /// So many days before and behind.
    Days(u32),
    /// As many days before as this parameter says, and all behind.
    ParamOn(String),
    /// So many days before, and all behind.
    DaysOn(u32),
}

/// `title="…" severity=warning look_back=days sums=a,b`.
pub(super) fn rule(text: &str) -> Result<RuleHeader, String> {
    let mut rule = RuleHeader {
        severity: Severity::Warning,
        ..RuleHeader::default()
    };
    for (key, value) in pairs(text)? {
        match key.as_str() {
            "title" => rule.title = value,
            "severity" => {
                rule.severity = value
                    .parse()
                    .map_err(|()| format!("`{value}` is not one of info, warning, critical"))?;
            }
            "look_back" => rule.look_back = look_back(&value),
            "sums" => rule.sums = names(&value),
            _ => {
                return Err(format!(
                    "`{key}` is not one of title, severity, look_back, sums"
                ));
            }
        }
    }
    if rule.title.is_empty() {
        return Err("a rule needs at least title=".to_owned());
    }
    Ok(rule)
}

/// `all`, `7`, `days`, `7..`, `days..`.
fn look_back(value: &str) -> LookBack {
    if value == "all" {
        return LookBack::Domain;
    }
    match (value.strip_suffix(".."), value.parse()) {
        (Some(from), _) => from
            .parse()
            .map_or_else(|_| LookBack::ParamOn(from.to_owned()), LookBack::DaysOn),
        (None, Ok(days)) => LookBack::Days(days),
        (None, Err(_)) => LookBack::Param(value.to_owned()),
    }
}

/// Names in braces of a title, in order.
pub fn placeholders(title: &str) -> impl Iterator<Item = &str> {
    title
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

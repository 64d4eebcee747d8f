//! Section `alerts`. What a rule can be told is known by the catalogue alone: names and values of `rules` are checked
//! where both are at hand.

use std::collections::BTreeMap;

use super::Alerts;
use super::environment::child;
use super::tree::{Node, Reader, Value, join};
use crate::model::alert::RuleSettings;

const KEYS: [&str; 4] = [
    "notify_within_days",
    "resolve_after_days",
    "rule_time_limit",
    "rules",
];

/// What the section says.
pub fn read(reader: &mut Reader<'_>, root: Option<&Node>) -> Alerts {
    let mut alerts = Alerts::default();
    let section = root.and_then(|root| child(root, "alerts"));
    for (key, line, node) in reader.entries("alerts", section) {
        let path = join("alerts", key);
        match key.as_str() {
            "notify_within_days" => {
                if let Some(days) = reader.count_u32(&path, node, 0) {
                    alerts.notify_within_days = days.into();
                }
            }
            "resolve_after_days" => {
                if let Some(days) = reader.count_u32(&path, node, 0) {
                    alerts.resolve_after_days = days.into();
                }
            }
            "rule_time_limit" => {
                if let Some(secs) = reader.duration_secs(&path, node) {
                    alerts.rule_time_limit_secs = secs;
                }
            }
            "rules" => alerts.rules = rules(reader, &path, node),
            _ => reader.unknown(*line, &path, key, &KEYS),
        }
    }
    alerts
}

fn rules(reader: &mut Reader<'_>, path: &str, node: &Node) -> BTreeMap<String, RuleSettings> {
    let mut rules = BTreeMap::new();
    for (name, line, node) in reader.entries(path, Some(node)) {
        let path = join(path, name);
        let mut rule = RuleSettings {
            line: *line,
            ..RuleSettings::default()
        };
        // `new_source: false` switches it off.
        if let Value::Bool(is_on) = node.value {
            rule.is_off = !is_on;
        } else {
            for (key, line, node) in reader.entries(&path, Some(node)) {
                let path = join(&path, key);
                match key.as_str() {
                    "enabled" => rule.is_off = reader.flag(&path, node) == Some(false),
                    "severity" => rule.severity = severity(reader, &path, node),
                    _ => {
                        let text = match node.value {
                            Value::Bool(flag) => flag.to_string(),
                            _ => reader.text(&path, node).unwrap_or_default(),
                        };
                        rule.params.push((key.clone(), *line, text));
                    }
                }
            }
        }
        rules.insert(name.clone(), rule);
    }
    rules
}

fn severity(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
) -> Option<crate::model::alert::Severity> {
    let text = reader.text(path, node)?;
    let read = text.parse().ok();
    read.or_else(|| {
        reader.expected(
            path,
            node,
            "info, warning or critical",
            &format!("\"{text}\""),
        )
    })
}

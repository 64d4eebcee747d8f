//! The one line that names an alert.

use serde_json::Value;

use crate::model::alert::Alert;
use crate::model::words::grouped;

/// Characters of a title; what is longer is cut. A stranger's subject can be a kilobyte long.
const MOST_CHARS: usize = 200;

/// A template with the values of an alert in the place of `{name}`. A name that nothing is known by stays as it is.
/// `sender` is what people call the sender that the alert is about, where it is a known one.
pub fn title(template: &str, alert: &Alert, sender: Option<&str>) -> String {
    let mut text = String::new();
    let mut rest = template;
    // In one pass: what stands in a stranger's text is no place to fill in.
    while let Some((before, name, behind)) = next_place(rest) {
        text.push_str(before);
        match value(name, alert, sender) {
            Some(value) => text.push_str(&value),
            None => text.extend(["{", name, "}"]),
        }
        rest = behind;
    }
    text.push_str(rest);
    // Whatever a stranger calls himself, it is one line.
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match line.char_indices().nth(MOST_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// What stands before the next `{name}`, the name, and what stands behind it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, behind) = rest.split_once('}')?;
    Some((before, name, behind))
}

fn value(name: &str, alert: &Alert, sender: Option<&str>) -> Option<String> {
    Some(match name {
        "subject" => alert.subject.clone(),
        "sender" => sender.unwrap_or(&alert.subject).to_owned(),
        "domain" => alert
            .domain
            .clone()
            .unwrap_or_else(|| "all domains".to_owned()),
        "messages" => grouped(alert.messages),
        "first_day" => alert.first_day.to_string(),
        "last_day" => alert.last_day.to_string(),
        _ => match alert.facts.get(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.as_i64().map_or_else(|| number.to_string(), grouped),
            Value::Null => "none".to_owned(),
            other => other.to_string(),
        },
    })
}

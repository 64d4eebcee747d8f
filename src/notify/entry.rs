//! An alert -> what a letter says of it.

use super::harmless::{TITLE_CHARS, long, short, title, value};
use crate::model::alert::Severity;
use crate::model::notice::{Occasion, Told};
use crate::model::words::{grouped, heading};

/// Facts that an entry shows.
const MOST_FACTS: usize = 12;
/// Sentences of advice that an entry shows.
const MOST_ADVICE: usize = 6;

/// An alert in a letter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// How grave it is.
    pub severity: Severity,
    /// What it is. Holds strangers' text.
    pub title: String,
    /// Why it is told of, where that is not that it is new.
    pub occasion: Option<&'static str>,
    /// Names and values. Values hold strangers' text.
    pub facts: Vec<(String, String)>,
    /// What to do next. Holds strangers' text.
    pub advice: Vec<String>,
    /// Its page.
    pub url: Option<String>,
}

/// An alert in words, with everything or with what, where and when.
pub fn entry(told: &Told, is_detailed: bool) -> Entry {
    let alert = &told.alert;
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(domain) = &alert.domain {
        add("Domain", value(domain));
    }
    add(
        "When",
        if alert.first_day == alert.last_day {
            alert.last_day.to_string()
        } else {
            format!("{} to {}", alert.first_day, alert.last_day)
        },
    );
    if alert.messages > 0 {
        add("Messages", grouped(alert.messages));
    }
    let shown = alert.facts.iter().filter_map(|(name, fact)| {
        let is_told = ["domain", "messages", "first_day", "last_day", "severity"];
        let text = fact_text(name, fact).filter(|_| !is_told.contains(&name.as_str()))?;
        Some((short(&heading(name)), value(&text)))
    });
    facts.extend(shown.take(if is_detailed { MOST_FACTS } else { 0 }));
    Entry {
        severity: alert.severity,
        title: title(&alert.title),
        occasion: occasion(told.occasion),
        facts,
        advice: alert
            .advice
            .iter()
            .take(if is_detailed { MOST_ADVICE } else { 0 })
            .map(|text| long(text))
            .collect(),
        url: told.url.clone(),
    }
}

/// An alert that was told of already.
pub fn short_entry(told: &Told) -> Entry {
    Entry {
        facts: Vec::new(),
        advice: Vec::new(),
        occasion: None,
        ..entry(told, false)
    }
}

fn occasion(occasion: Occasion) -> Option<&'static str> {
    match occasion {
        Occasion::New => None,
        Occasion::Graver => Some("graver than before"),
        Occasion::Reopened => Some("back again"),
    }
}

/// A value in words; `None` where there is none.
fn fact_text(name: &str, fact: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    let is_percent = name == "percent" || name.ends_with("_percent");
    Some(match fact {
        Value::Null => return None,
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) if is_percent => format!("{:.1}%", number.as_f64()?),
        Value::Number(number) => number.as_i64().map_or_else(|| number.to_string(), grouped),
        Value::String(text) if text.is_empty() => return None,
        // Bounded before it is looked at, like everything that is put together here.
        Value::String(text) => text.chars().take(TITLE_CHARS * 4).collect(),
        Value::Array(items) => joined(items.iter().filter_map(|item| fact_text(name, item)))?,
        Value::Object(fields) => joined(fields.iter().filter_map(|(name, item)| {
            Some(format!("{} {}", heading(name), fact_text(name, item)?))
        }))?,
    })
}

fn joined(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.take(20).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

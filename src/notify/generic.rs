//! A notice as JSON of our own; the README documents it. What it holds is only ever added to within a version.

use serde_json::{Value, json};

use super::harmless::{long, title, value};
use super::letter::Letter;
use super::plain;
use crate::model::notice::{Digest, Notice, Occasion, Told};

const VERSION: u32 = 1;

/// What is sent.
pub fn body(notice: &Notice, letter: &Letter) -> Value {
    let kind = match notice {
        Notice::Alerts(_) => "alerts",
        Notice::Digest(_) => "digest",
        Notice::Text(_) => "text",
        Notice::Test(_) => "test",
    };
    let mut body = json!({
        "schema": "dmarc-sentinel.notice",
        "version": VERSION,
        "kind": kind,
        "key": notice.key(),
        "at": crate::model::day::rfc3339(notice.at_utc_secs()),
        "severity": letter.severity.map(|severity| severity.as_str()),
        "subject": letter.subject,
        "text": plain::text(letter),
        "alerts": [],
        "more": letter.more,
    });
    let Some(fields) = body.as_object_mut() else {
        return body;
    };
    match notice {
        Notice::Alerts(notice) => {
            fields.insert("alerts".to_owned(), alerts(&notice.alerts));
        }
        Notice::Digest(of) => {
            fields.insert("alerts".to_owned(), alerts(&of.open));
            fields.insert("digest".to_owned(), digest(of));
        }
        Notice::Text(_) | Notice::Test(_) => {}
    }
    body
}

fn alerts(told: &[Told]) -> Value {
    let one = |told: &Told| {
        let alert = &told.alert;
        let advice: Vec<String> = alert.advice.iter().map(|text| long(text)).collect();
        let facts: serde_json::Map<String, Value> = alert
            .facts
            .iter()
            .map(|(name, fact)| (value(name), visible(fact)))
            .collect();
        json!({
            "id": alert.id,
            "rule": alert.rule,
            "domain": alert.domain.as_deref().map(value),
            "subject": value(&alert.subject),
            "severity": alert.severity.as_str(),
            "status": alert.status.as_str(),
            "occasion": match told.occasion {
                Occasion::New => "new",
                Occasion::Graver => "graver",
                Occasion::Reopened => "reopened",
            },
            "first_day": alert.first_day.to_string(),
            "last_day": alert.last_day.to_string(),
            "messages": alert.messages,
            "title": title(&alert.title),
            "facts": facts,
            "advice": advice,
            "url": told.url,
        })
    };
    Value::Array(told.iter().map(one).collect())
}

/// The same with texts of which every character shows.
fn visible(fact: &Value) -> Value {
    match fact {
        Value::String(text) => json!(value(text)),
        Value::Array(items) => Value::Array(items.iter().map(visible).collect()),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, item)| (value(name), visible(item)))
            .collect::<serde_json::Map<String, Value>>()
            .into(),
        other => other.clone(),
    }
}

fn digest(digest: &Digest) -> Value {
    let domains: Vec<Value> = digest
        .domains
        .iter()
        .map(|line| {
            json!({
                "domain": value(&line.domain),
                "messages": line.messages,
                "passed": line.passed,
                "messages_before": line.messages_before,
                "open_alerts": line.open_alerts,
            })
        })
        .collect();
    let trend: Vec<Value> = digest
        .trend
        .iter()
        .map(|(day, passed, failed)| json!({"day": day.to_string(), "passed": passed, "failed": failed}))
        .collect();
    json!({
        "period": digest.kind.as_str(),
        "first_day": digest.first_day.to_string(),
        "last_day": digest.last_day.to_string(),
        "messages": digest.messages,
        "passed": digest.passed,
        "domains": domains,
        "more_domains": digest.more_domains,
        "trend": trend,
        "url": digest.url,
    })
}

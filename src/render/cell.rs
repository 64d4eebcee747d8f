//! One value as the content of a table cell: links, badges, lists.

use super::html::Html;
use super::words::{is_percent, shown};
use crate::model::domain::is_host_name;
use crate::query::Value;

/// Struct entries of one cell that are shown; a stranger decides how many there are.
const LIST_ITEMS_SHOWN: usize = 20;

/// What stands for the sender of mail that none is known for.
const NOBODY: &str = "not identified";

/// Writes `value` of `column`; links start with `base_path`.
pub fn write_cell(html: &mut Html, base_path: &str, column: &str, value: &Value) {
    match value {
        Value::Null => {
            html.raw("<span class=\"none\">\u{2013}</span>");
        }
        Value::Text(text) => write_text(html, base_path, column, text),
        Value::List(items) => write_list(html, column, items),
        Value::Struct(fields) if column == "alert" => write_alert(html, base_path, fields),
        Value::Int(number) if column == "asn" => {
            html.text(&format!("AS{number}"));
        }
        Value::Bool(_) => write_badge(html, &shown(column, value)),
        _ => {
            html.text(&shown(column, value));
        }
    }
}

/// Where the addresses of a sender begin on the page of senders. Names of the user become words that need no escape.
pub fn sender_anchor(sender: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = sender.chars().take(64).map(plain).collect();
    format!("sender-{name}")
}

/// Whether the values of a column are numbers, which stand on the right.
pub fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Double(_))
}

/// Whether `text` names a report page.
pub fn is_report_id(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn write_text(html: &mut Html, base_path: &str, column: &str, text: &str) {
    match column {
        "domain" if is_host_name(text) => {
            html.raw("<a href=\"")
                .text(base_path)
                .raw("/domains/")
                .text(text)
                .raw("\">")
                .text(text)
                .raw("</a>");
        }
        "sender" if text != NOBODY => {
            html.raw("<a href=\"")
                .text(base_path)
                .raw("/senders#")
                .text(&sender_anchor(text))
                .raw("\">")
                .text(text)
                .raw("</a>");
        }
        "report" | "id" if is_report_id(text) => {
            html.raw("<a class=\"code\" href=\"")
                .text(base_path)
                .raw("/reports/")
                .text(text)
                .raw("\">");
            html.text(&text[..8]).raw("\u{2026}</a>");
        }
        "source_ip" => {
            html.raw("<span class=\"code ip\">")
                .text(text)
                .raw("</span>");
        }
        "selector" | "sha256" | "report_id" | "message_id" => {
            html.raw("<span class=\"code\">").text(text).raw("</span>");
        }
        "disposition" | "outcome" | "status" | "severity" | "result" => write_badge(html, text),
        "category" | "fail_cause" | "main_cause" | "code" => {
            html.text(&text.replace('_', " "));
        }
        _ => {
            html.text(text);
        }
    }
}

/// An alert by its title: `{'id': …, 'title': …}`.
fn write_alert(html: &mut Html, base_path: &str, fields: &[(std::sync::Arc<str>, Value)]) {
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| &**known == name);
        match found {
            Some((_, Value::Text(text))) => text.as_str(),
            _ => "",
        }
    };
    let (id, title) = (field("id"), field("title"));
    if !is_report_id(id) {
        html.text(title);
        return;
    }
    html.raw("<a href=\"")
        .text(base_path)
        .raw("/alerts/")
        .text(id);
    html.raw("\">").text(title).raw("</a>");
}

/// A word whose meaning has a tone; the word itself says all, the colour only helps.
pub fn write_badge(html: &mut Html, word: &str) {
    html.raw("<span class=\"badge ")
        .raw(tone(word))
        .raw("\">")
        .text(word)
        .raw("</span>");
}

fn tone(word: &str) -> &'static str {
    match word {
        "pass" | "accepted" | "ok" | "compliant" | "delivered" => "good",
        "fail" | "reject" | "refused" | "critical" | "threat" | "softfail" | "permerror" => "bad",
        "quarantine" | "conflict" | "warning" | "unknown" | "temperror" | "foreign" | "late"
        | "quiet" => "warn",
        _ => "plain",
    }
}

/// A small bar beside a percentage; draws nothing for other values.
pub fn write_meter(html: &mut Html, column: &str, value: &Value) {
    let width = match value {
        Value::Double(number) if is_percent(column) => percent_tenths(*number),
        Value::Int(number) if is_percent(column) => number.saturating_mul(10).clamp(0, 1000),
        _ => return,
    };
    html.raw("<svg class=\"meter\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    html.raw("<rect class=\"track\" width=\"1000\" height=\"10\"/><rect class=\"fill\" width=\"")
        .int(width);
    html.raw("\" height=\"10\"/></svg>");
}

/// A percentage in tenths, 0 to 1000.
#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
pub fn percent_tenths(value: f64) -> i64 {
    (value * 10.0).round().clamp(0.0, 1000.0) as i64
}

fn write_list(html: &mut Html, column: &str, items: &[Value]) {
    if items.is_empty() {
        html.raw("<span class=\"none\">\u{2013}</span>");
        return;
    }
    html.raw("<ul class=\"mini\">");
    for item in items.iter().take(LIST_ITEMS_SHOWN) {
        html.raw("<li>").text(&shown(column, item)).raw("</li>");
    }
    if items.len() > LIST_ITEMS_SHOWN {
        html.raw("<li>and ")
            .text(&(items.len() - LIST_ITEMS_SHOWN).to_string())
            .raw(" more</li>");
    }
    html.raw("</ul>");
}

//! The page of one alert.

use super::super::cell::{write_badge, write_cell};
use super::super::html::Html;
use super::super::panel::write_query_link;
use super::super::skin::{Frame, Skin};
use super::super::words::{grouped, heading};
use super::{AlertFile, forms};
use crate::model::alert::{Reason, Status};
use crate::model::domain::is_host_name;
use crate::query::{Query, Value};

/// The page: `panels` is what [`super::panels_path`] holds, `rule` the query that found it, where there still is one,
/// `refused` why somebody's action was not taken, which published pages do not have.
pub fn page(
    skin: &Skin,
    file: &AlertFile,
    rule: Option<&Query>,
    panels: &Html,
    refused: Option<&str>,
) -> anyhow::Result<Vec<u8>> {
    let base = skin.base_path();
    let mut body = Html::with_capacity(16 * 1024 + panels.as_str().len());
    body.raw("<div class=\"panels\">\n");
    if let Some(why) = refused {
        body.raw("<div class=\"notice bad wide\" role=\"alert\"><p><strong>Not done.</strong> ")
            .text(why)
            .raw("</p></div>\n");
    }
    write_figures(&mut body, file);
    write_advice(&mut body, file);
    write_facts(&mut body, base, file);
    forms::write(&mut body, base, file);
    if panels.as_str().is_empty() {
        body.raw("<section class=\"panel wide\"><header><h2>Behind it</h2></header><p class=\"empty\">Records, reports and days are shown where an alert is about a sending address, a sender, a reporter or a domain as a whole, and is still found.</p></section>\n");
    }
    body.append(panels);
    write_rule(&mut body, base, file, rule);
    body.raw("</div>");
    let alert = &file.alert;
    let mut trail = vec![("/alerts".to_owned(), "Alerts".to_owned())];
    if let Some(domain) = alert.domain.as_deref().filter(|name| is_host_name(name)) {
        trail.push((format!("/domains/{domain}"), domain.to_owned()));
    }
    let frame = Frame {
        title: alert.title.clone(),
        heading: alert.title.clone(),
        lead: state_words(file),
        current: "/alerts",
        trail,
        foot: Some(
            "The same for programs: /api/alerts, and the table alerts of the published database.",
        ),
        ..Frame::default()
    };
    skin.page(&frame, &body)
}

/// How it stands, in a sentence.
fn state_words(file: &AlertFile) -> String {
    let alert = &file.alert;
    let (first, last) = (alert.first_day, alert.last_day);
    let days = if first == last {
        last.to_string()
    } else {
        format!("{first} to {last}")
    };
    let since = format!("evidence of {days}");
    match (alert.status, file.reason) {
        (status, Some(Reason::RuleFailed)) => {
            let known = match status {
                Status::Open => "reopened",
                Status::Acknowledged => "acknowledged",
                Status::Resolved => "resolved",
            };
            format!("Not known: its rule cannot be asked at present · {known} with {since}")
        }
        (Status::Open, _) => format!("Open · {since}"),
        (Status::Acknowledged, _) => format!("Acknowledged, until it gets graver · {since}"),
        (Status::Resolved, Some(Reason::Quiet)) => {
            format!("Resolved: quiet since {last} · {since}")
        }
        (Status::Resolved, Some(Reason::Ended)) => format!("Resolved: it is over · {since}"),
        (Status::Resolved, Some(Reason::Withdrawn)) => {
            format!(
                "No longer found: later reports or the configuration took the evidence of {days} away"
            )
        }
        (Status::Resolved, Some(Reason::RuleOff)) => {
            format!("Its rule is switched off · {since}")
        }
        (Status::Resolved, _) => format!("Resolved · {since}"),
    }
}

fn write_figures(html: &mut Html, file: &AlertFile) {
    let alert = &file.alert;
    html.raw("<section class=\"panel wide plain\" aria-label=\"In short\"><dl class=\"figures\">");
    html.raw("<div><dt>Severity</dt><dd>");
    write_badge(html, alert.severity.as_str());
    html.raw("</dd></div><div><dt>Status</dt><dd>");
    write_badge(html, alert.status.as_str());
    html.raw("</dd></div><div><dt>Messages</dt><dd>")
        .text(&grouped(alert.messages));
    html.raw("</dd></div><div><dt>Came up</dt><dd>")
        .text(&grouped(file.occurrences as i64));
    html.raw(if file.occurrences == 1 {
        " time"
    } else {
        " times"
    });
    html.raw("</dd></div></dl></section>\n");
}

fn write_advice(html: &mut Html, file: &AlertFile) {
    if file.alert.advice.is_empty() {
        return;
    }
    html.raw("<section class=\"panel half\" aria-labelledby=\"advice-h\"><header><h2 id=\"advice-h\">What to do next</h2></header><ul class=\"advice\">");
    for sentence in &file.alert.advice {
        html.raw("<li>").text(sentence).raw("</li>");
    }
    html.raw("</ul></section>\n");
}

fn write_facts(html: &mut Html, base: &str, file: &AlertFile) {
    let alert = &file.alert;
    html.raw("<section class=\"panel half\" aria-labelledby=\"facts-h\"><header><h2 id=\"facts-h\">Facts</h2></header><dl class=\"facts\">");
    let mut fact = |name: &str, value: &Value| {
        html.raw("<div><dt>").text(&heading(name)).raw("</dt><dd>");
        write_cell(html, base, name, value);
        html.raw("</dd></div>");
    };
    fact("rule", &Value::Text(alert.rule.replace('_', " ")));
    if let Some(domain) = &alert.domain {
        fact("domain", &Value::Text(domain.clone()));
    }
    fact("subject", &Value::Text(alert.subject.clone()));
    fact("first_day", &Value::Day(alert.first_day));
    fact("last_day", &Value::Day(alert.last_day));
    for (name, value) in &alert.facts {
        fact(name, &value_of(value));
    }
    html.raw("</dl></section>\n");
}

fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(yes) => Value::Bool(*yes),
        serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(part)) => Value::Double(part),
            _ => Value::Text(number.to_string()),
        },
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value_of).collect()),
        other => Value::Text(other.to_string()),
    }
}

fn write_rule(html: &mut Html, base: &str, file: &AlertFile, rule: Option<&Query>) {
    html.raw("<section class=\"panel wide\" aria-labelledby=\"rule-h\"><header><h2 id=\"rule-h\">The rule</h2>");
    if let Some(rule) = rule {
        write_query_link(html, base, &rule.name, "the rule");
    }
    html.raw("</header>");
    match rule {
        Some(rule) => {
            html.raw("<p class=\"about\">")
                .text(&super::super::words::capitalised(&rule.description))
                .raw("</p>");
            html.raw(
                "<details class=\"first\"><summary>Its SQL</summary><pre class=\"command\"><code>",
            );
            html.lines(&rule.text);
            html.raw("</code></pre></details>");
        }
        None => {
            html.raw("<p class=\"about\">The rule ")
                .text(&file.alert.rule);
            html.raw(" is not asked any more.</p>");
        }
    }
    html.raw("</section>\n");
}

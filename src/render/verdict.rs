//! A verdict as a sentence with a mark, and its reasons as a list: each with its number and its threshold.
//!
//! The rows come from the query: `verdict` (ready, fix or stay), `policy`, `next_policy`, and for each reason `reason`,
//! `subject` with its `name` for people, `state` (ok, broken, fix or note), `number`, `unit`, `bound` and `threshold`.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::html::Html;
use super::json::{JsonRows, JsonValue};
use super::plot::column;
use super::words::{grouped, heading};
use crate::query::{Table, Value};

/// Senders that the sentence names.
const SENDERS_NAMED: usize = 3;

/// Reasons that are listed; the data table has all.
const REASONS_SHOWN: usize = 20;

/// Columns about the verdict as a whole; the others are about a reason.
const OF_THE_WHOLE: [&str; 3] = ["verdict", "policy", "next_policy"];

/// Writes sentence and reasons.
pub(super) fn write_verdict(html: &mut Html, table: &Table) -> Result<(), String> {
    for name in ["verdict", "reason", "state"] {
        column(table, name)?;
    }
    let (mark, sentence) = sentence(table);
    html.raw("<p class=\"verdict ").raw(mark.tone()).raw("\">");
    mark.write(html);
    html.raw("<strong>").text(&sentence).raw("</strong></p>");
    html.raw("<ul class=\"reasons\">");
    for row in 0..table.rows.len().min(REASONS_SHOWN) {
        write_reason(html, table, row);
    }
    html.raw("</ul>");
    Ok(())
}

/// What stands before a sentence; the words say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Good,
    Wait,
    Mend,
    Note,
}

impl Mark {
    fn of_state(state: &str) -> Self {
        match state {
            "ok" => Self::Good,
            "broken" => Self::Wait,
            "fix" => Self::Mend,
            _ => Self::Note,
        }
    }

    fn tone(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wait => "warn",
            Self::Mend => "bad",
            Self::Note => "plain",
        }
    }

    /// For those who hear the page.
    fn word(self) -> &'static str {
        match self {
            Self::Good => "In order: ",
            Self::Wait => "In the way: ",
            Self::Mend => "To mend: ",
            Self::Note => "",
        }
    }

    fn write(self, html: &mut Html) {
        html.raw("<svg class=\"sign\" viewBox=\"0 0 20 20\" aria-hidden=\"true\"><circle cx=\"10\" cy=\"10\" r=\"9\"/>")
            .raw(match self {
                Self::Good => "<path d=\"M6 10.4l2.8 2.8L14.2 7.6\"/>",
                Self::Wait => "<path d=\"M10 5.4v5.4M10 14.2v.1\"/>",
                Self::Mend => "<path d=\"M7 7l6 6M13 7l-6 6\"/>",
                Self::Note => "<path d=\"M10 9.4v5M10 6v.1\"/>",
            })
            .raw("</svg>");
    }
}

/// The verdict in words; numbers and names are those of the rows.
fn sentence(table: &Table) -> (Mark, String) {
    let policy = text(table, 0, "policy").unwrap_or("the present policy");
    let next = text(table, 0, "next_policy");
    let broken = count(table, "broken");
    let conditions = broken + count(table, "ok");
    match (text(table, 0, "verdict").unwrap_or_default(), next) {
        ("ready", Some(next)) => (Mark::Good, format!("Ready for {next}.")),
        ("ready", None) => (Mark::Good, "Ready.".to_owned()),
        ("fix", Some(next)) => {
            let senders = senders(table);
            let sentence = format!("Stay at {policy}. Before {next}, fix {senders}.");
            (Mark::Mend, sentence)
        }
        ("fix", None) => {
            let sentence = format!("Stay at {policy} and fix {}.", senders(table));
            (Mark::Mend, sentence)
        }
        ("stay", Some(next)) => {
            let verb = if broken == 1 { "is" } else { "are" };
            let sentence = format!(
                "Stay at {policy} for now: {broken} of {conditions} conditions for {next} {verb} not met."
            );
            (Mark::Wait, sentence)
        }
        ("stay", None) if broken == 0 => {
            let sentence = format!("Stay at {policy}: no policy is stricter.");
            (Mark::Good, sentence)
        }
        ("stay", None) => {
            let sentence = format!("Stay at {policy}, and see to what is marked below.");
            (Mark::Wait, sentence)
        }
        (other, _) => (Mark::Note, format!("{}.", heading(other))),
    }
}

/// Rows in a state.
fn count(table: &Table, state: &str) -> usize {
    let rows = 0..table.rows.len();
    rows.filter(|row| text(table, *row, "state") == Some(state))
        .count()
}

/// `Newsletter service (1 234 failing messages), Shop (5) and 2 more`.
fn senders(table: &Table) -> String {
    let rows: Vec<usize> = (0..table.rows.len())
        .filter(|row| text(table, *row, "state") == Some("fix"))
        .collect();
    let mut words = String::new();
    for (at, row) in rows.iter().take(SENDERS_NAMED).enumerate() {
        words.push_str(if at == 0 { "" } else { ", " });
        words.push_str(named(table, *row).unwrap_or("others"));
        let unit = if at == 0 { " failing messages" } else { "" };
        words.push_str(&format!(" ({}{unit})", amount(table, *row, "number")));
    }
    if rows.len() > SENDERS_NAMED {
        words.push_str(&format!(" and {} more", rows.len() - SENDERS_NAMED));
    }
    words
}

fn write_reason(html: &mut Html, table: &Table, row: usize) {
    let mark = Mark::of_state(text(table, row, "state").unwrap_or_default());
    html.raw("<li class=\"").raw(mark.tone()).raw("\">");
    mark.write(html);
    html.raw("<span class=\"what\"><span class=\"unseen\">")
        .raw(mark.word())
        .raw("</span>");
    html.text(&what(text(table, row, "reason").unwrap_or_default()));
    if let Some(subject) = named(table, row) {
        html.raw(": ").text(subject);
    }
    html.raw("</span><span class=\"value\">")
        .text(&amount(table, row, "number"));
    html.raw("</span><span class=\"bound\">");
    if let Some(bound) = text(table, row, "bound") {
        html.text(bound)
            .raw(" ")
            .text(&amount(table, row, "threshold"));
    }
    html.raw("</span></li>");
}

/// A reason in words; one of a query of the user's own by its name.
fn what(reason: &str) -> String {
    match reason {
        "days_of_data" => "Days since the first report",
        "messages" => "Messages in 30 days",
        "days_without_reports" => "Most days in a row without a report",
        "reporter_gone_quiet" => "Share of the mail that reporters silent for 7 days told of",
        "legit_mail_at_risk" => "Legit mail that would be refused",
        "sender_pass_rate" => "Lowest pass rate of an approved sender",
        "sender_to_fix" => "Failing messages of a known sender",
        "forwarded_failing" => "Failing messages that were forwarded, part of the legit mail at risk",
        "unknown_failing" => {
            "Failing messages of unknown senders that pass for another domain: one of them may be yours"
        }
        other => return heading(other),
    }
    .to_owned()
}

/// A number with its unit: percentages with up to two decimals, all else whole.
fn amount(table: &Table, row: usize, name: &str) -> String {
    let number = match table.get(row, name) {
        Value::Int(number) => return with_unit(table, row, &grouped(*number)),
        Value::Double(number) => *number,
        _ => return "\u{2013}".to_owned(),
    };
    let hundredths = format!("{number:.2}");
    let short = hundredths.trim_end_matches('0').trim_end_matches('.');
    match short.parse::<i64>() {
        Ok(whole) => with_unit(table, row, &grouped(whole)),
        Err(_) => with_unit(table, row, short),
    }
}

fn with_unit(table: &Table, row: usize, number: &str) -> String {
    if text(table, row, "unit") == Some("percent") {
        format!("{number}%")
    } else {
        number.to_owned()
    }
}

/// What a reason is about: its name for people, else what it is called.
fn named(table: &Table, row: usize) -> Option<&str> {
    text(table, row, "name").or_else(|| text(table, row, "subject"))
}

fn text<'t>(table: &'t Table, row: usize, name: &str) -> Option<&'t str> {
    match table.get(row, name) {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The verdict as an object of the API: `verdict`, `policy`, `next_policy` and the `reasons`.
pub(super) struct Advice<'a>(pub(super) &'a Table);

impl Serialize for Advice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(table) = self;
        let mut map = serializer.serialize_map(None)?;
        for name in OF_THE_WHOLE {
            map.serialize_entry(name, &JsonValue(table.get(0, name)))?;
        }
        let kept: Vec<usize> = (0..table.columns.len())
            .filter(|at| !OF_THE_WHOLE.contains(&table.columns[*at].as_str()))
            .collect();
        let reasons = Table {
            columns: kept.iter().map(|at| table.columns[*at].clone()).collect(),
            rows: (table.rows.iter())
                .map(|row| kept.iter().map(|at| row[*at].clone()).collect())
                .collect(),
        };
        map.serialize_entry("reasons", &JsonRows(&reasons))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{table, text as word};
    use super::*;

    fn rows(verdict: &str, next: Option<&str>, states: &[&str]) -> Table {
        let row = |state: &&str| {
            [
                word(verdict),
                word("p=quarantine"),
                next.map_or(Value::Null, word),
                word("my_own_rule"),
                word(state),
                word("Shop"),
                Value::Double(1_500.0),
                Value::Double(0.5),
            ]
        };
        table(
            [
                "verdict",
                "policy",
                "next_policy",
                "reason",
                "state",
                "subject",
                "number",
                "threshold",
            ],
            states.iter().map(row).collect(),
        )
    }

    #[test]
    fn a_verdict_is_one_sentence() {
        let reject = Some("p=reject");
        for (verdict, next, states, mark, expect) in [
            (
                "ready",
                reject,
                &["ok"][..],
                Mark::Good,
                "Ready for p=reject.",
            ),
            (
                "fix",
                reject,
                &["ok", "fix"],
                Mark::Mend,
                "Stay at p=quarantine. Before p=reject, fix Shop (1\u{202f}500 failing messages).",
            ),
            (
                "fix",
                None,
                &["fix"; 5],
                Mark::Mend,
                "Stay at p=quarantine and fix Shop (1\u{202f}500 failing messages), Shop (1\u{202f}500), \
                 Shop (1\u{202f}500) and 2 more.",
            ),
            (
                "stay",
                reject,
                &["ok", "broken", "note"],
                Mark::Wait,
                "Stay at p=quarantine for now: 1 of 2 conditions for p=reject is not met.",
            ),
            (
                "stay",
                None,
                &["ok"],
                Mark::Good,
                "Stay at p=quarantine: no policy is stricter.",
            ),
            (
                "stay",
                None,
                &["broken"],
                Mark::Wait,
                "Stay at p=quarantine, and see to what is marked below.",
            ),
            ("a_users_own", None, &["ok"], Mark::Note, "A users own."),
        ] {
            assert_eq!(
                sentence(&rows(verdict, next, states)),
                (mark, expect.to_owned())
            );
        }
    }

    #[test]
    fn numbers_have_as_many_decimals_as_they_need() {
        for (number, unit, expect) in [
            (Value::Double(0.5), "percent", "0.5%"),
            (Value::Double(0.52), "percent", "0.52%"),
            (Value::Double(95.0), "percent", "95%"),
            (Value::Double(100.0), "messages", "100"),
            (Value::Int(12_345), "messages", "12\u{202f}345"),
            (Value::Null, "percent", "\u{2013}"),
            (Value::Double(f64::NAN), "percent", "NaN%"),
        ] {
            let table = table(["unit", "number"], vec![[word(unit), number]]);
            assert_eq!(amount(&table, 0, "number"), expect);
        }
    }

    #[test]
    fn a_query_without_the_columns_of_a_verdict_is_told_so() {
        let table = table(["verdict", "reason"], vec![[word("ready"), word("x")]]);
        let problem = write_verdict(&mut Html::default(), &table);
        assert_eq!(problem, Err("its query has no column state".to_owned()));
    }
}

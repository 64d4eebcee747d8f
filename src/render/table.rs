//! Rows as an HTML table with caption and scoped headings.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::cell::{is_number, sender_anchor, write_cell, write_meter};
use super::html::Html;
use super::words::{heading, is_percent};
use crate::query::{Table, Value};

/// Rows that have room for whatever stands in them.
const FEW_ROWS: usize = 3;

/// More rows than this scroll in a box of their own on a phone.
const LONG_ROWS: usize = 15;

/// Writes a table that scrolls inside its own region on narrow screens. `caption` is read aloud, not seen: the panel's
/// heading stands above.
pub fn write_table(html: &mut Html, base_path: &str, caption: &str, table: &Table) {
    let table = &*known(table);
    let numeric: Vec<bool> = (0..table.columns.len())
        .map(|column| is_numeric(table, column))
        .collect();
    html.raw("<div class=\"scroll")
        .raw(if table.rows.len() > LONG_ROWS {
            " long"
        } else {
            ""
        });
    html.raw("\" role=\"region\" tabindex=\"0\" aria-label=\"")
        .text(caption)
        .raw(", table\">");
    html.raw("<table><caption class=\"unseen\">")
        .text(caption)
        .raw("</caption><thead><tr>");
    for (name, is_right) in table.columns.iter().zip(&numeric) {
        html.raw(if *is_right {
            "<th scope=\"col\" class=\"num\">"
        } else {
            "<th scope=\"col\">"
        });
        html.text(&heading(name)).raw("</th>");
    }
    html.raw("</tr></thead><tbody>");
    let mut anchors = Anchors::new(table);
    for row in &table.rows {
        html.raw("<tr");
        if let Some(anchor) = anchors.of(row) {
            html.raw(" id=\"").text(&anchor).raw("\"");
        }
        html.raw(">");
        write_row(html, base_path, table, row, &numeric);
    }
    html.raw("</tbody></table></div>");
}

/// Columns of what is known of addresses from elsewhere: where nothing is, which is usual, they would be in the way.
const FROM_ELSEWHERE: [&str; 4] = ["asn", "country", "host_name", "network"];

/// Those of them that may be long.
const LONG: [&str; 2] = ["host_name", "network"];

/// The table without columns of [`FROM_ELSEWHERE`] in which nothing stands.
fn known(table: &Table) -> Cow<'_, Table> {
    let is_known = |at: usize| {
        let name = table.columns[at].as_str();
        let mut values = table.rows.iter().filter_map(|row| row.get(at));
        !FROM_ELSEWHERE.contains(&name) || values.any(|value| *value != Value::Null)
    };
    let places: Vec<usize> = (0..table.columns.len())
        .filter(|at| is_known(*at))
        .collect();
    if places.len() == table.columns.len() {
        return Cow::Borrowed(table);
    }
    let columns = places.iter().map(|at| table.columns[*at].clone()).collect();
    let of_row = |row: &Vec<Value>| {
        let values = places.iter().filter_map(|at| row.get(*at));
        values.cloned().collect()
    };
    Cow::Owned(Table {
        columns,
        rows: table.rows.iter().map(of_row).collect(),
    })
}

/// A table of senders is where the names of senders lead: the first row of each has a name.
struct Anchors {
    is_of_senders: bool,
    given: BTreeSet<String>,
}

impl Anchors {
    fn new(table: &Table) -> Self {
        Self {
            is_of_senders: table.columns.first().is_some_and(|name| name == "sender"),
            given: BTreeSet::new(),
        }
    }

    fn of(&mut self, row: &[Value]) -> Option<String> {
        let Some(Value::Text(sender)) = row.first().filter(|_| self.is_of_senders) else {
            return None;
        };
        let anchor = sender_anchor(sender);
        self.given.insert(anchor.clone()).then_some(anchor)
    }
}

fn write_row(html: &mut Html, base_path: &str, table: &Table, row: &[Value], numeric: &[bool]) {
    // One meter a row is a picture, five are noise.
    let with_meter = table.columns.iter().position(|name| is_percent(name));
    for (at, ((name, value), is_right)) in table.columns.iter().zip(row).zip(numeric).enumerate() {
        let is_cut = table.rows.len() > FEW_ROWS && at > 0 && LONG.contains(&name.as_str());
        if let (Value::Text(text), true) = (value, is_cut) {
            write_named(html, base_path, name, text);
            continue;
        }
        let (open, close) = match (at, is_right) {
            (0, false) if matches!(value, Value::Day(_)) => {
                ("<th scope=\"row\" class=\"short\">", "</th>")
            }
            (0, false) => ("<th scope=\"row\">", "</th>"),
            (_, true) => ("<td class=\"num\">", "</td>"),
            (_, false) if is_short(value) => ("<td class=\"short\">", "</td>"),
            (_, false) => ("<td>", "</td>"),
        };
        html.raw(open);
        write_cell(html, base_path, name, value);
        if with_meter == Some(at) {
            write_meter(html, name, value);
        }
        html.raw(close);
    }
    html.raw("</tr>");
}

/// What others call an address may be long, and pushes nothing off the screen: the whole is read when it is pointed at.
fn write_named(html: &mut Html, base_path: &str, name: &str, text: &str) {
    html.raw("<td class=\"named\"><span title=\"")
        .text(text)
        .raw("\">");
    write_cell(html, base_path, name, &Value::Text(text.to_owned()));
    html.raw("</span></td>");
}

/// Values that must not break over lines.
fn is_short(value: &Value) -> bool {
    match value {
        Value::Day(_) | Value::Timestamp(_) | Value::Bool(_) | Value::Null => true,
        Value::Text(text) => text.len() <= 24,
        _ => false,
    }
}

fn is_numeric(table: &Table, column: usize) -> bool {
    let mut values = table
        .rows
        .iter()
        .filter_map(|row| row.get(column))
        .filter(|value| **value != Value::Null);
    // A column of percentages stays on the right also where all of them are absent.
    values
        .next()
        .map_or_else(|| is_percent(&table.columns[column]), is_number)
}

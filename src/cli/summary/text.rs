//! A summary as lines of text. Names may be strangers' text: what a terminal would act on never gets into a line.

use super::{Summary, int};
use crate::query::{Table, Value};
use crate::render::is_unseen;

/// Sources that are listed by their volume.
const TOPS: usize = 25;

/// Problems that are listed.
const PROBLEMS_LISTED: usize = 50;

/// Characters of a name that are shown.
const MAX_NAME_CHARS: usize = 40;

const COLUMNS: [&str; 6] = ["Source", "Name", "Kind", "Messages", "Pass rate", "Failing"];

/// Columns of [`COLUMNS`] that hold text; the others are numbers and stand on the right.
const TEXT_COLUMNS: usize = 3;

/// One line that says how it is.
pub(super) fn title(summary: &Summary) -> String {
    let problems = match summary.problems() {
        0 => "no problems".to_owned(),
        count => counted(count, "problem"),
    };
    let last_day = cell(&summary.totals, 0, "last_day");
    format!(
        "DMARC summary of {}, {} to {last_day}: {problems}",
        about(summary),
        counted(i64::from(summary.days), "day")
    )
}

/// The whole text; ends with a line feed.
pub(super) fn of(summary: &Summary) -> String {
    let totals = &summary.totals;
    let mut out = format!(
        "DMARC summary of {}, {} to {} ({})\n\n",
        about(summary),
        cell(totals, 0, "first_day"),
        cell(totals, 0, "last_day"),
        counted(i64::from(summary.days), "day")
    );
    let total = |name: &str| int(totals, 0, name);
    if total("messages") == 0 {
        out.push_str("No messages were reported for these days.\n");
    } else {
        out.push_str(&format!(
            "{}: {} pass DMARC ({}), {} fail\n",
            counted(total("messages"), "message"),
            total("passed"),
            percent(totals, 0),
            total("failing")
        ));
    }
    out.push_str(&format!(
        "{}, {}, {} by {}\n",
        counted(total("sources"), "source"),
        counted(total("domains"), "domain"),
        counted(total("reports"), "report"),
        counted(total("reporters"), "reporter")
    ));
    push_sources(&mut out, summary);
    push_problems(&mut out, summary);
    out
}

/// Rows of the sources with most messages.
pub(super) fn tops(summary: &Summary) -> Vec<usize> {
    let rows = 0..summary.sources.rows.len();
    rows.filter(|row| (1..=TOPS as i64).contains(&int(&summary.sources, *row, "place")))
        .collect()
}

fn about(summary: &Summary) -> &str {
    summary.domain.as_deref().unwrap_or("all domains")
}

fn push_sources(out: &mut String, summary: &Summary) {
    let table = &summary.sources;
    let rows: Vec<[String; 6]> = tops(summary)
        .into_iter()
        .map(|row| {
            [
                address(table, row),
                harmless(&cell(table, row, "name")),
                cell(table, row, "kind"),
                int(table, row, "messages").to_string(),
                percent(table, row),
                int(table, row, "failing").to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let all = int(&summary.totals, 0, "sources");
    if all > TOPS as i64 {
        out.push_str(&format!("\nThe {TOPS} sources with most messages:\n"));
    } else {
        out.push_str("\nSources:\n");
    }
    let head = COLUMNS.map(str::to_owned);
    let width = |at: usize| {
        let cells = rows
            .iter()
            .chain([&head])
            .map(|row| row[at].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    for row in [&head].into_iter().chain(&rows) {
        push_line(out, row, &widths);
    }
}

fn push_line(out: &mut String, cells: &[String; 6], widths: &[usize]) {
    let mut line = String::new();
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
        line.push_str("  ");
        if at < TEXT_COLUMNS {
            line.push_str(cell);
            line.push_str(&gap);
        } else {
            line.push_str(&gap);
            line.push_str(cell);
        }
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn push_problems(out: &mut String, summary: &Summary) {
    let count = summary.problems();
    if count == 0 {
        out.push_str("\nNo problems.\n");
        return;
    }
    out.push_str(&format!("\n{}:\n", counted(count, "problem")));
    let table = &summary.sources;
    let mut listed = 0;
    for row in summary.problem_rows().take(PROBLEMS_LISTED) {
        listed += 1;
        let name = match harmless(&cell(table, row, "name")) {
            name if name.is_empty() => name,
            name => format!(" ({name})"),
        };
        let source = address(table, row);
        let messages = counted(int(table, row, "messages"), "message");
        let failing = int(table, row, "failing");
        out.push_str(&match table.get(row, "problem") {
            Value::Text(word) if word == "own" => format!(
                "  own address {source}{name}: only {} of {messages} pass, {failing} fail\n",
                percent(table, row)
            ),
            _ => format!("  external address {source}{name}: {failing} of {messages} fail\n"),
        });
    }
    if count > listed {
        out.push_str(&format!("  and {} more\n", count - listed));
    }
}

/// The address, or that there is none: a reporter may have left it out.
fn address(table: &Table, row: usize) -> String {
    match cell(table, row, "source_ip") {
        text if text.is_empty() => "(no address)".to_owned(),
        text => harmless(&text),
    }
}

fn percent(table: &Table, row: usize) -> String {
    match table.get(row, "pass_rate_percent") {
        Value::Double(percent) => format!("{percent:.1}%"),
        _ => "-".to_owned(),
    }
}

/// Text or day of a cell; empty for NULL.
fn cell(table: &Table, row: usize, column: &str) -> String {
    match table.get(row, column) {
        Value::Text(text) => text.clone(),
        Value::Day(day) => day.to_string(),
        _ => String::new(),
    }
}

/// `1 message`, `2 messages`.
fn counted(count: i64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// One line without characters that act on a terminal or are not seen, cut.
fn harmless(text: &str) -> String {
    let mut characters = text
        .chars()
        .map(|c| if is_unseen(c) { '\u{b7}' } else { c });
    let mut line: String = characters.by_ref().take(MAX_NAME_CHARS).collect();
    if characters.next().is_some() {
        line.pop();
        line.push('\u{2026}');
    }
    line
}

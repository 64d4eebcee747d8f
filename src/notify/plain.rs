//! A letter as plain text: the text part of mails, and the text of webhooks.

use super::entry::Entry;
use super::letter::{Letter, Row};

/// Names of facts stand in a column of at most so many characters.
const WIDEST_NAME: usize = 24;

/// The text, lines ending in a line feed.
pub fn text(letter: &Letter) -> String {
    let mut blocks = Vec::new();
    if !letter.heading.is_empty() {
        blocks.push(letter.heading.clone());
    }
    if !letter.lead.is_empty() {
        blocks.push(letter.lead.join("\n"));
    }
    if !letter.fixed.is_empty() {
        blocks.push(letter.fixed.join("\n"));
    }
    if !letter.table.is_empty() {
        blocks.push(table(&letter.table, letter.more_domains));
    }
    blocks.extend(letter.entries.iter().map(entry));
    blocks.extend(letter.more_words());
    if let Some(url) = &letter.url {
        blocks.push(url.clone());
    }
    blocks.join("\n\n") + "\n"
}

fn entry(entry: &Entry) -> String {
    let occasion = entry
        .occasion
        .map_or_else(String::new, |occasion| format!(" ({occasion})"));
    let severity = entry.severity.as_str().to_uppercase();
    let mut lines = vec![format!("{severity}{occasion}: {}", entry.title)];
    let width = entry
        .facts
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0)
        .min(WIDEST_NAME);
    for (name, value) in &entry.facts {
        lines.push(format!("  {name:width$}  {value}"));
    }
    if !entry.advice.is_empty() {
        lines.push("  What to do next:".to_owned());
        lines.extend(entry.advice.iter().map(|advice| format!("  - {advice}")));
    }
    if let Some(url) = &entry.url {
        lines.push(format!("  {url}"));
    }
    lines.join("\n")
}

/// Columns in a fixed width.
pub fn table(rows: &[Row], more: usize) -> String {
    let head = ["Domain", "Messages", "Passed", "Before", "Open alerts"].map(str::to_owned);
    let mut cells = vec![head];
    cells.extend(rows.iter().map(|row| {
        [
            &row.domain,
            &row.messages,
            &row.passed,
            &row.before,
            &row.open,
        ]
        .map(Clone::clone)
    }));
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut lines: Vec<String> = cells
        .iter()
        .map(|row| {
            let mut line = format!("{:w$}", row[0], w = widths[0]);
            for (cell, width) in row.iter().zip(widths).skip(1) {
                line.push_str(&format!("  {cell:>width$}"));
            }
            line
        })
        .collect();
    if more > 0 {
        lines.push(format!("and {more} more domains"));
    }
    lines.join("\n")
}

//! Letters in chats: as much of one as fits, and marks that strangers' text cannot break out of.

use super::entry::Entry;
use super::harmless::unaddressed;
use super::letter::Letter;
use super::plain;

/// How a chat writes.
pub struct Marks {
    /// Text of this program in bold.
    pub bold: fn(&str) -> String,
    /// Strangers' text in a line.
    pub strange: fn(&str) -> String,
    /// Text without any mark.
    pub bare: fn(&str) -> String,
    /// Lines in a fixed width.
    pub fixed: fn(&str) -> String,
    /// Sentences of advice, with strangers' text in them.
    pub advice: fn(&[String]) -> String,
    /// Words that lead to a page of ours.
    pub link: fn(&str, &str) -> String,
}

/// The letter as far as it fits: first the advice goes, then the facts, then the least grave alerts are only counted.
pub fn fitting(
    letter: &Letter,
    fits: impl Fn(&str) -> bool,
    render: impl Fn(&Letter) -> String,
) -> String {
    let mut letter = letter.clone();
    loop {
        let text = render(&letter);
        if fits(&text) || !letter.shrink() {
            return text;
        }
    }
}

/// A list, each line after a bullet.
pub fn bullets(lines: &[String], bare: fn(&str) -> String) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("\u{2022} {}", bare(line)))
        .collect();
    lines.join("\n")
}

/// Length as most chats count it: UTF-16 units.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The letter in a chat's marks.
pub fn render(letter: &Letter, marks: &Marks) -> String {
    let mut blocks = Vec::new();
    if !letter.heading.is_empty() {
        blocks.push((marks.bold)(&unaddressed(&letter.heading)));
    }
    let lead: Vec<String> = letter.lead.iter().map(|line| (marks.bare)(line)).collect();
    if !lead.is_empty() {
        blocks.push(lead.join("\n"));
    }
    if !letter.fixed.is_empty() {
        blocks.push((marks.fixed)(&letter.fixed.join("\n")));
    }
    if !letter.table.is_empty() {
        blocks.push((marks.fixed)(&plain::table(
            &letter.table,
            letter.more_domains,
        )));
    }
    blocks.extend(letter.entries.iter().map(|one| entry(one, marks)));
    blocks.extend(letter.more_words());
    if let Some(url) = &letter.url {
        blocks.push((marks.link)("Open the dashboard", url));
    }
    blocks.join("\n\n")
}

fn entry(entry: &Entry, marks: &Marks) -> String {
    let severity = (marks.bold)(&entry.severity.as_str().to_uppercase());
    let occasion = entry
        .occasion
        .map_or_else(String::new, |occasion| format!(" ({occasion})"));
    let mut lines = vec![format!(
        "{severity}{occasion}: {}",
        (marks.strange)(&entry.title)
    )];
    for (name, value) in &entry.facts {
        let name = (marks.bare)(&unaddressed(name));
        lines.push(format!("{name}: {}", (marks.strange)(value)));
    }
    if !entry.advice.is_empty() {
        lines.push((marks.bare)("What to do next:"));
        lines.push((marks.advice)(&entry.advice));
    }
    if let Some(url) = &entry.url {
        lines.push((marks.link)("Facts, history and actions", url));
    }
    lines.join("\n")
}

impl Letter {
    /// Says less; whether that was possible.
    fn shrink(&mut self) -> bool {
        let fewer = |count: usize| count - count.div_ceil(4);
        if self.entries.iter().any(|entry| !entry.advice.is_empty()) {
            self.entries
                .iter_mut()
                .for_each(|entry| entry.advice.clear());
        } else if self.entries.iter().any(|entry| !entry.facts.is_empty()) {
            self.entries
                .iter_mut()
                .for_each(|entry| entry.facts.clear());
        } else if self.entries.len() > 1 {
            let most = fewer(self.entries.len());
            self.more += self.entries.len() - most;
            self.entries.truncate(most);
        } else if self.table.len() > 1 {
            let most = fewer(self.table.len());
            self.more_domains += self.table.len() - most;
            self.table.truncate(most);
        } else if self.fixed.len() > 1 {
            let most = fewer(self.fixed.len());
            self.fixed.truncate(most);
            if let Some(last) = self.fixed.last_mut() {
                *last = "\u{2026}".to_owned();
            }
        } else {
            return false;
        }
        true
    }
}

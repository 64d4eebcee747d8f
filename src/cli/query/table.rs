//! Rows as aligned columns for a terminal. Report text is written by strangers: control characters never reach it.

use std::io::{self, Write};

use crate::query::{RowSink, Value};

use super::rows::plain;

/// Characters of a cell that are shown.
const MAX_CELL_CHARS: usize = 60;

/// Rows that the widths of the columns are taken from; later rows are printed as they come.
const MEASURED_ROWS: usize = 1_000;

/// Buffers the first rows to find the widths.
pub(super) struct AlignedTable<'o> {
    out: &'o mut (dyn Write + Send),
    columns: Vec<String>,
    is_number: Vec<bool>,
    widths: Vec<usize>,
    waiting: Vec<Vec<String>>,
    is_begun: bool,
    rows: u64,
}

impl RowSink for AlignedTable<'_> {
    fn begin(&mut self, columns: &[String]) -> io::Result<()> {
        self.columns = columns.iter().map(|name| shown(name)).collect();
        self.widths = self
            .columns
            .iter()
            .map(|name| name.chars().count())
            .collect();
        self.is_number = vec![true; columns.len()];
        Ok(())
    }

    fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        self.rows += 1;
        let texts: Vec<String> = cells.iter().map(|value| shown(&plain(value))).collect();
        if self.is_begun {
            return line(self.out, &texts, &self.widths, &self.is_number);
        }
        for (index, (value, text)) in cells.iter().zip(&texts).enumerate() {
            self.widths[index] = self.widths[index].max(text.chars().count());
            self.is_number[index] &=
                matches!(value, Value::Null | Value::Int(_) | Value::Double(_));
        }
        self.waiting.push(texts);
        if self.waiting.len() >= MEASURED_ROWS {
            self.print_waiting()
        } else {
            Ok(())
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if !self.is_begun {
            self.print_waiting()?;
        }
        writeln!(
            self.out,
            "({} {})",
            self.rows,
            if self.rows == 1 { "row" } else { "rows" }
        )
    }
}

impl<'o> AlignedTable<'o> {
    pub(super) fn new(out: &'o mut (dyn Write + Send)) -> Self {
        let (columns, widths, waiting) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            out,
            columns,
            is_number: Vec::new(),
            widths,
            waiting,
            is_begun: false,
            rows: 0,
        }
    }

    fn print_waiting(&mut self) -> io::Result<()> {
        self.is_begun = true;
        let rule: Vec<String> = self.widths.iter().map(|width| "─".repeat(*width)).collect();
        let head = [std::mem::take(&mut self.columns), rule];
        for texts in head.iter().chain(&std::mem::take(&mut self.waiting)) {
            line(self.out, texts, &self.widths, &self.is_number)?;
        }
        Ok(())
    }
}

fn line(
    out: &mut dyn Write,
    texts: &[String],
    widths: &[usize],
    is_number: &[bool],
) -> io::Result<()> {
    let mut line = String::new();
    for (index, text) in texts.iter().enumerate() {
        let gap = widths[index].saturating_sub(text.chars().count());
        let (before, after) = if is_number[index] { (gap, 0) } else { (0, gap) };
        line.push_str(if index > 0 { "  " } else { "" });
        line.extend(std::iter::repeat_n(' ', before));
        line.push_str(text);
        line.extend(std::iter::repeat_n(' ', after));
    }
    writeln!(out, "{}", line.trim_end())
}

/// One line without control and direction characters, cut.
fn shown(text: &str) -> String {
    let mut chars = text.chars().map(|c| if is_harmless(c) { c } else { '·' });
    let mut line: String = chars.by_ref().take(MAX_CELL_CHARS).collect();
    if chars.next().is_some() {
        line.pop();
        line.push('…');
    }
    line
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The answer of EXPLAIN: DuckDB has drawn it already, over several lines.
pub(super) struct Plan<'o> {
    pub(super) out: &'o mut (dyn Write + Send),
}

impl RowSink for Plan<'_> {
    fn begin(&mut self, _columns: &[String]) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        let text = cells.last().map(plain).unwrap_or_default();
        let text: String = text
            .chars()
            .map(|c| if c == '\n' || is_harmless(c) { c } else { '·' })
            .collect();
        writeln!(self.out, "{}", text.trim_end())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Rows as CSV, JSON or NDJSON.

use std::io::{self, Write};

use serde_json::json;

use crate::model::day::rfc3339;
use crate::query::{RowSink, Value};

/// RFC 4180.
pub(super) struct Csv<'o> {
    pub(super) out: &'o mut (dyn Write + Send),
}

impl RowSink for Csv<'_> {
    fn begin(&mut self, columns: &[String]) -> io::Result<()> {
        let cells: Vec<Value> = columns
            .iter()
            .map(|name| Value::Text(name.clone()))
            .collect();
        self.row(&cells)
    }

    fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        for (index, value) in cells.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let text = match value {
                Value::Text(text) => guarded(text),
                other => plain(other),
            };
            if text.contains(['"', ',', '\n', '\r']) {
                write!(self.out, "{comma}\"{}\"", text.replace('"', "\"\""))?;
            } else {
                write!(self.out, "{comma}{text}")?;
            }
        }
        self.out.write_all(b"\r\n")
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Text that a spreadsheet would take for a formula gets a leading apostrophe: report text is written by strangers.
fn guarded(text: &str) -> String {
    let is_formula = text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠',
    ]);
    if is_formula {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// JSON objects, as one array or one a line.
pub(super) struct Json<'o> {
    out: &'o mut (dyn Write + Send),
    columns: Vec<String>,
    is_array: bool,
    rows: u64,
}

impl<'o> Json<'o> {
    pub(super) fn array(out: &'o mut (dyn Write + Send)) -> Self {
        Self {
            out,
            columns: Vec::new(),
            is_array: true,
            rows: 0,
        }
    }

    pub(super) fn lines(out: &'o mut (dyn Write + Send)) -> Self {
        Self {
            is_array: false,
            ..Self::array(out)
        }
    }
}

impl RowSink for Json<'_> {
    fn begin(&mut self, columns: &[String]) -> io::Result<()> {
        self.columns = columns.to_vec();
        if self.is_array {
            self.out.write_all(b"[")
        } else {
            Ok(())
        }
    }

    fn row(&mut self, cells: &[Value]) -> io::Result<()> {
        if self.is_array {
            self.out
                .write_all(if self.rows == 0 { b"\n" } else { b",\n" })?;
        }
        self.rows += 1;
        let fields = self.columns.iter().map(String::as_str).zip(cells);
        write_object(fields, self.out)?;
        if self.is_array {
            Ok(())
        } else {
            self.out.write_all(
                b"
",
            )
        }
    }

    fn end(&mut self) -> io::Result<()> {
        match (self.is_array, self.rows) {
            (false, _) => Ok(()),
            (true, 0) => self.out.write_all(b"]\n"),
            (true, _) => self.out.write_all(b"\n]\n"),
        }
    }
}

/// Writes the JSON form: by hand, to keep the order of fields. A number that JSON cannot write (NaN, infinity) is text.
pub(super) fn write_json(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(b"null"),
        Value::Bool(is) => write!(out, "{is}"),
        Value::Int(number) => write!(out, "{number}"),
        Value::Double(number) if number.is_finite() => write!(out, "{}", json!(number)),
        Value::List(list) => {
            out.write_all(b"[")?;
            for (index, item) in list.iter().enumerate() {
                out.write_all(if index > 0 { b"," } else { b"" })?;
                write_json(item, out)?;
            }
            out.write_all(b"]")
        }
        Value::Struct(fields) => {
            write_object(fields.iter().map(|(name, value)| (&**name, value)), out)
        }
        other => write!(out, "{}", json!(plain(other))),
    }
}

fn write_object<'v>(
    fields: impl Iterator<Item = (&'v str, &'v Value)>,
    out: &mut dyn Write,
) -> io::Result<()> {
    out.write_all(b"{")?;
    for (index, (name, value)) in fields.enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}{}:", json!(name))?;
        write_json(value, out)?;
    }
    out.write_all(b"}")
}

/// The text form; NULL is empty, lists and structs are JSON.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(is) => is.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Day(day) => day.to_string(),
        Value::Timestamp(utc_secs) => rfc3339(*utc_secs),
        Value::List(_) | Value::Struct(_) => {
            let mut text = Vec::new();
            // Writing into memory does not fail, and JSON is UTF-8.
            let _ = write_json(value, &mut text);
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}

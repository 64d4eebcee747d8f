//! Rows as CSV, JSON or NDJSON.

use std::io::{self, Write};

use serde_json::{Map, Value as JsonValue, json};

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
        // Written by hand to keep the order of the columns.
        self.out.write_all(b"{")?;
        for (index, (name, value)) in self.columns.iter().zip(cells).enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(self.out, "{comma}{}:{}", json!(name), as_json(value))?;
        }
        self.out
            .write_all(if self.is_array { b"}" } else { b"}\n" })
    }

    fn end(&mut self) -> io::Result<()> {
        match (self.is_array, self.rows) {
            (false, _) => Ok(()),
            (true, 0) => self.out.write_all(b"]\n"),
            (true, _) => self.out.write_all(b"\n]\n"),
        }
    }
}

/// The JSON form; a number that JSON cannot write (NaN, infinity) is text.
pub(super) fn as_json(value: &Value) -> JsonValue {
    match value {
        Value::Null => JsonValue::Null,
        Value::Bool(is) => json!(is),
        Value::Int(number) => json!(number),
        Value::Double(number) if number.is_finite() => json!(number),
        Value::List(list) => JsonValue::Array(list.iter().map(as_json).collect()),
        Value::Struct(fields) => JsonValue::Object(
            fields
                .iter()
                .map(|(name, v)| (name.clone(), as_json(v)))
                .collect::<Map<_, _>>(),
        ),
        other => json!(plain(other)),
    }
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
        Value::List(_) | Value::Struct(_) => as_json(value).to_string(),
    }
}

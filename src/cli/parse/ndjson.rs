//! One JSON object a document, as lines or as an array. Records are turned into text as they come: of a report only
//! its text is held.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::sink::Ended;
use super::{Format, values};
use crate::model::aggregate::Record;
use crate::parse::Report;

pub(super) struct Ndjson {
    /// The records of the current report, joined by commas.
    records: Vec<u8>,
    is_array: bool,
    is_first: bool,
}

impl Ndjson {
    pub(super) fn lines() -> Self {
        Self {
            records: Vec::new(),
            is_array: false,
            is_first: true,
        }
    }

    pub(super) fn array() -> Self {
        Self {
            is_array: true,
            ..Self::lines()
        }
    }

    fn body(
        &self,
        out: &mut dyn Write,
        result: &Result<Report, crate::model::outcome::Refusal>,
    ) -> io::Result<()> {
        match result {
            Ok(Report::Aggregate(head)) => {
                let text = values::head(head).to_string();
                write!(
                    out,
                    r#""kind":"aggregate","report":{},"records":["#,
                    text.strip_suffix('}').unwrap_or(&text)
                )?;
                out.write_all(&self.records)?;
                write!(
                    out,
                    r#"]}},"oddities":{}"#,
                    values::oddities(&head.oddities)
                )
            }
            Ok(Report::Tls(tls)) => pair(
                out,
                "tls",
                &values::tls(tls),
                &values::oddities(&tls.oddities),
            ),
            Ok(Report::Failure(failure)) => pair(
                out,
                "failure",
                &values::failure(failure),
                &values::oddities(&failure.oddities),
            ),
            Err(refusal) => {
                write!(
                    out,
                    r#""kind":"error","code":{},"message":{}"#,
                    json!(refusal.code),
                    json!(refusal.message)
                )
            }
        }
    }
}

fn pair(out: &mut dyn Write, kind: &str, report: &Value, oddities: &Value) -> io::Result<()> {
    write!(
        out,
        r#""kind":"{kind}","report":{report},"oddities":{oddities}"#
    )
}

impl Format for Ndjson {
    fn record(&mut self, record: Record) {
        if !self.records.is_empty() {
            self.records.push(b',');
        }
        // Writing into a Vec does not fail.
        let _ = serde_json::to_writer(&mut self.records, &values::record(&record));
    }

    fn restart(&mut self) {
        self.records.clear();
    }

    fn document(&mut self, out: &mut dyn Write, document: &Ended<'_>) -> io::Result<()> {
        if self.is_array {
            out.write_all(if self.is_first { b"[\n" } else { b",\n" })?;
        }
        self.is_first = false;
        write!(out, r#"{{"source":{},"#, json!(document.source))?;
        if let Some(member) = &document.member {
            write!(out, r#""member":{},"#, json!(member))?;
        }
        self.body(out, document.result)?;
        out.write_all(if self.is_array { b"}" } else { b"}\n" })
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match (self.is_array, self.is_first) {
            (true, true) => out.write_all(b"[]\n"),
            (true, false) => out.write_all(b"\n]\n"),
            (false, _) => Ok(()),
        }
    }
}

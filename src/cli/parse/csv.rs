//! The aggregate CSV of parsedmarc, one line a record. Cells are guarded against formulas: spreadsheets run them.

use std::io::{self, Write};

use super::Format;
use super::parsedmarc::date;
use super::sink::Ended;
use crate::model::aggregate::{AggregateHead, Record};
use crate::parse::Report;

const COLUMNS: &str = "xml_schema,org_name,org_email,org_extra_contact_info,report_id,begin_date,end_date,\
normalized_timespan,errors,domain,adkim,aspf,p,sp,np,pct,fo,testing,discovery_method,source_ip_address,\
source_country,source_reverse_dns,source_base_domain,source_name,source_type,source_asn,source_as_name,\
source_as_domain,count,spf_aligned,dkim_aligned,dmarc_aligned,disposition,policy_override_reasons,\
policy_override_comments,envelope_from,header_from,envelope_to,dkim_domains,dkim_selectors,dkim_results,\
spf_domains,spf_scopes,spf_results\n";

/// Columns that only look-ups of addresses could fill.
const ENRICHMENT_COLUMNS: usize = 8;

#[derive(Default)]
pub(super) struct Csv {
    records: Vec<Record>,
    has_header: bool,
}

impl Csv {
    fn header(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !std::mem::replace(&mut self.has_header, true) {
            out.write_all(COLUMNS.as_bytes())?;
        }
        Ok(())
    }
}

impl Format for Csv {
    fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    fn restart(&mut self) {
        self.records.clear();
    }

    fn document(&mut self, out: &mut dyn Write, document: &Ended<'_>) -> io::Result<()> {
        self.header(out)?;
        let Ok(Report::Aggregate(head)) = document.result else {
            return Ok(());
        };
        let before = head_cells(head);
        for record in &self.records {
            let cells = before.iter().cloned().chain(record_cells(record));
            let line: Vec<String> = cells.map(|cell| quoted(&cell)).collect();
            writeln!(out, "{}", line.join(","))?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.header(out)
    }
}

fn head_cells(head: &AggregateHead) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let or_relaxed = |value: &Option<String>| value.clone().unwrap_or_else(|| "r".to_owned());
    vec![
        if head.schema == "rfc9990" {
            "2.0"
        } else {
            "draft"
        }
        .to_owned(),
        head.org_name.clone(),
        text(&head.org_email),
        text(&head.extra_contact),
        head.report_id.clone(),
        date(head.begin_utc_secs),
        date(head.end_utc_secs),
        "False".to_owned(),
        head.errors.join("|"),
        head.domain.clone(),
        or_relaxed(&head.adkim),
        or_relaxed(&head.aspf),
        text(&head.p),
        head.sp
            .clone()
            .or_else(|| head.p.clone())
            .unwrap_or_default(),
        text(&head.np),
        head.pct.map(|pct| pct.to_string()).unwrap_or_default(),
        text(&head.fo),
        head.testing
            .map(|testing| if testing { "y" } else { "n" }.to_owned())
            .unwrap_or_default(),
        text(&head.discovery_method),
    ]
}

fn record_cells(record: &Record) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let truth = |value: bool| if value { "True" } else { "False" }.to_owned();
    let mut cells = vec![
        record
            .source_ip
            .map(|ip| ip.to_string())
            .unwrap_or_default(),
    ];
    cells.extend(std::iter::repeat_n(String::new(), ENRICHMENT_COLUMNS));
    cells.extend([
        record.messages.to_string(),
        truth(record.spf_aligned),
        truth(record.dkim_aligned),
        truth(record.dmarc_pass()),
        record.disposition.map_or("none", |d| d.as_str()).to_owned(),
        joined(record.reasons.iter().map(|r| Some(r.kind)), ",", "none"),
        joined(
            record.reasons.iter().map(|r| r.comment.as_deref()),
            "|",
            "none",
        ),
        text(&record.envelope_from),
        text(&record.header_from),
        text(&record.envelope_to),
        joined(record.dkim.iter().map(|r| r.domain.as_deref()), ",", ""),
        joined(
            record.dkim.iter().map(|r| r.selector.as_deref()),
            ",",
            "none",
        ),
        joined(record.dkim.iter().map(|r| r.result), ",", "none"),
        joined(record.spf.iter().map(|r| r.domain.as_deref()), ",", ""),
        joined(record.spf.iter().map(|r| r.scope), ",", "mfrom"),
        joined(record.spf.iter().map(|r| r.result), ",", "none"),
    ]);
    cells
}

fn joined<'a>(
    values: impl Iterator<Item = Option<&'a str>>,
    separator: &str,
    missing: &str,
) -> String {
    values
        .map(|value| value.unwrap_or(missing))
        .collect::<Vec<_>>()
        .join(separator)
}

/// One cell by RFC 4180, with `'` before what a spreadsheet would take for a formula.
fn quoted(cell: &str) -> String {
    const STARTS: [char; 11] = [
        '=', '+', '-', '@', '\t', '\0', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}',
    ];
    let guard = if cell.starts_with(STARTS) || cell.starts_with('\u{ff20}') {
        "'"
    } else {
        ""
    };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{guard}{}\"", cell.replace('"', "\"\""))
    } else {
        format!("{guard}{cell}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_guarded_against_formulas() {
        for (cell, expect) in [
            ("example.com", "example.com"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@x,y", "\"'@x,y\""),
            ("-1", "'-1"),
            ("\u{ff1d}x", "'\u{ff1d}x"),
        ] {
            assert_eq!(quoted(cell), expect, "{cell:?}");
        }
    }

    #[test]
    fn every_line_has_a_cell_for_every_column() {
        let cells =
            head_cells(&AggregateHead::default()).len() + record_cells(&Record::default()).len();
        assert_eq!(cells, COLUMNS.split(',').count());
    }
}

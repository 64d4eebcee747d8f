//! The JSON of parsedmarc: what only look-ups of addresses could tell is null. Dates are UTC, periods are not split.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::sink::Ended;
use super::{Format, values};
use crate::model::aggregate::{AggregateHead, Record};
use crate::model::day::rfc3339;
use crate::parse::Report;

#[derive(Default)]
pub(super) struct Parsedmarc {
    records: Vec<Record>,
    is_begun: bool,
    failures: Vec<Value>,
    tls: Vec<Value>,
}

/// `YYYY-MM-DD HH:MM:SS`, UTC.
pub(super) fn date(utc_secs: i64) -> String {
    rfc3339(utc_secs)
        .replace('T', " ")
        .trim_end_matches('Z')
        .to_owned()
}

/// `pass` or `fail`.
pub(super) fn verdict(passed: bool) -> &'static str {
    if passed { "pass" } else { "fail" }
}

fn yes_no(testing: Option<bool>) -> Option<&'static str> {
    testing.map(|testing| if testing { "y" } else { "n" })
}

impl Format for Parsedmarc {
    fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    fn restart(&mut self) {
        self.records.clear();
    }

    fn document(&mut self, out: &mut dyn Write, document: &Ended<'_>) -> io::Result<()> {
        match document.result {
            Ok(Report::Aggregate(head)) => {
                let start = if self.is_begun {
                    ",\n"
                } else {
                    "{\"aggregate_reports\":[\n"
                };
                self.is_begun = true;
                write!(out, "{start}{}", aggregate(head, &self.records))
            }
            Ok(Report::Tls(tls)) => {
                self.tls.push(tls_report(&values::tls(tls)));
                Ok(())
            }
            Ok(Report::Failure(failure)) => {
                self.failures.push(values::failure(failure));
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let start = if self.is_begun {
            "\n"
        } else {
            "{\"aggregate_reports\":["
        };
        let (failures, tls) = (json!(self.failures), json!(self.tls));
        writeln!(
            out,
            "{start}],\"failure_reports\":{failures},\"smtp_tls_reports\":{tls}}}"
        )
    }
}

fn aggregate(head: &AggregateHead, records: &[Record]) -> Value {
    let span_secs = head.end_utc_secs.saturating_sub(head.begin_utc_secs);
    json!({
        "xml_schema": if head.schema == "rfc9990" { "2.0" } else { "draft" },
        "xml_namespace": null,
        "report_metadata": {
            "org_name": head.org_name,
            "org_email": head.org_email,
            "org_extra_contact_info": head.extra_contact,
            "report_id": head.report_id,
            "begin_date": date(head.begin_utc_secs),
            "end_date": date(head.end_utc_secs),
            "timespan_requires_normalization": span_secs > 86_400,
            "original_timespan_seconds": span_secs,
            "errors": head.errors,
            "generator": head.generator,
        },
        "policy_published": {
            "domain": head.domain,
            "adkim": head.adkim.as_deref().unwrap_or("r"),
            "aspf": head.aspf.as_deref().unwrap_or("r"),
            "p": head.p,
            "sp": head.sp.as_ref().or(head.p.as_ref()),
            "pct": head.pct.map(|pct| pct.to_string()),
            "fo": head.fo,
            "np": head.np,
            "testing": yes_no(head.testing),
            "discovery_method": head.discovery_method,
        },
        "records": records.iter().map(|r| record(head, r)).collect::<Vec<_>>(),
    })
}

fn record(head: &AggregateHead, record: &Record) -> Value {
    let reasons: Vec<Value> = record
        .reasons
        .iter()
        .map(|r| json!({"type": r.kind, "comment": r.comment}))
        .collect();
    json!({
        "source": {
            "ip_address": record.source_ip.map(|ip| ip.to_string()),
            "country": null, "reverse_dns": null, "base_domain": null, "name": null, "type": null,
            "asn": null, "as_name": null, "as_domain": null,
        },
        "count": record.messages,
        "alignment": {"spf": record.spf_aligned, "dkim": record.dkim_aligned, "dmarc": record.dmarc_pass()},
        "policy_evaluated": {
            "disposition": record.disposition.map_or("none", |d| d.as_str()),
            "dkim": verdict(record.dkim_aligned),
            "spf": verdict(record.spf_aligned),
            "policy_override_reasons": reasons,
        },
        "identifiers": {
            "header_from": record.header_from,
            "envelope_from": record.envelope_from,
            "envelope_to": record.envelope_to,
        },
        "auth_results": auth_results(record),
        "normalized_timespan": false,
        "interval_begin": date(head.begin_utc_secs),
        "interval_end": date(head.end_utc_secs),
    })
}

fn auth_results(record: &Record) -> Value {
    let or =
        |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    let dkim = record.dkim.iter().map(|r| {
        json!({
            "domain": r.domain, "selector": or(&r.selector, "none"), "result": r.result.unwrap_or("none"),
            "human_result": r.human_result,
        })
    });
    let spf = record.spf.iter().map(|r| {
        json!({
            "domain": r.domain, "scope": r.scope.unwrap_or("mfrom"), "result": r.result.unwrap_or("none"),
            "human_result": r.human_result,
        })
    });
    json!({"dkim": dkim.collect::<Vec<_>>(), "spf": spf.collect::<Vec<_>>()})
}

fn tls_report(report: &Value) -> Value {
    json!({
        "organization_name": report["org_name"],
        "begin_date": report["begin_utc"],
        "end_date": report["end_utc"],
        "contact_info": report["contact_info"],
        "report_id": report["report_id"],
        "policies": report["policies"],
    })
}

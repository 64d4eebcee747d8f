//! `/api/homepage`: flat scalars for the `customapi` widget of gethomepage. No `error` key, no null under a number.

use serde::{Deserialize, Serialize};

use super::words::grouped;
use crate::model::day::rfc3339;
use crate::query::{Table, Value};

/// The answer of `/api/homepage`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Homepage {
    /// Over all domains.
    #[serde(flatten)]
    pub totals: Totals,
    /// RFC 3339; empty in the published file, filled by the server from the ledger.
    pub last_check_at: String,
    /// The same for each domain.
    pub domains: Vec<DomainTotals>,
}

/// The answer of `/api/homepage/{domain}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DomainTotals {
    /// Name of the domain.
    pub domain: String,
    /// Its numbers.
    #[serde(flatten)]
    pub totals: Totals,
    /// As in [`Homepage`].
    pub last_check_at: String,
}

/// Numbers of the window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// `ok`, `warning` or `critical`.
    pub status: String,
    /// `98.4%`, or `n/a` without messages.
    pub dmarc_pass_rate: String,
    /// `98.4`; 0 without messages.
    pub dmarc_pass_rate_percent: f64,
    /// Open alerts of severity critical.
    pub critical_alerts: i64,
    /// Open alerts of severity warning.
    pub warnings: i64,
    /// One sentence.
    pub summary: String,
    /// Messages reported.
    pub messages: i64,
    /// Messages that failed DMARC.
    pub failing: i64,
    /// Sending addresses that no known sender explains.
    pub unknown_sources: i64,
    /// Reports accepted.
    pub reports: i64,
    /// RFC 3339 end of the newest report's period; empty when there is none.
    pub last_report_at: String,
}

/// The answer from the rows of the catalogue: one row a domain, and one with a NULL or no `domain` for the whole.
pub fn from_tables<'a>(tables: impl Iterator<Item = &'a Table>, window: &str) -> Homepage {
    let mut whole = None;
    let mut domains = Vec::new();
    for table in tables {
        for values in &table.rows {
            let row = Row {
                columns: &table.columns,
                values,
            };
            let counts = row.counts();
            match row.text("domain") {
                Some(name) => domains.push((name.to_owned(), counts)),
                None => whole = Some(counts),
            }
        }
    }
    let whole = whole.unwrap_or_else(|| sum(domains.iter().map(|(_, counts)| counts)));
    let totals = |(domain, counts): (String, Counts)| DomainTotals {
        totals: counts.totals(window),
        domain,
        last_check_at: String::new(),
    };
    Homepage {
        totals: whole.totals(window),
        last_check_at: String::new(),
        domains: domains.into_iter().map(totals).collect(),
    }
}

/// The published answer (of the whole or of a domain) with the time of the last check, in RFC 3339.
pub fn with_last_check(published: &[u8], last_check_at: &str) -> anyhow::Result<Vec<u8>> {
    if let Ok(mut page) = serde_json::from_slice::<Homepage>(published) {
        page.last_check_at = last_check_at.to_owned();
        page.domains
            .iter_mut()
            .for_each(|domain| domain.last_check_at = last_check_at.to_owned());
        return super::json::to_bytes(&page);
    }
    let mut domain: DomainTotals = serde_json::from_slice(published)?;
    domain.last_check_at = last_check_at.to_owned();
    super::json::to_bytes(&domain)
}

#[derive(Debug, Clone, Default)]
struct Counts {
    status: Option<String>,
    pass_rate_percent: Option<f64>,
    messages: i64,
    passed: i64,
    critical_alerts: i64,
    warnings: i64,
    unknown_sources: i64,
    reports: i64,
    last_report_utc_secs: Option<i64>,
}

struct Row<'a> {
    columns: &'a [String],
    values: &'a [Value],
}

impl Row<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        let at = self.columns.iter().position(|column| column == name)?;
        self.values.get(at)
    }

    fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.value(name) {
            Some(text)
        } else {
            None
        }
    }

    fn int(&self, name: &str) -> Option<i64> {
        if let Some(Value::Int(number)) = self.value(name) {
            Some(*number)
        } else {
            None
        }
    }

    fn counts(&self) -> Counts {
        let messages = self.int("messages").unwrap_or(0);
        let failing = self.int("failing").or_else(|| self.int("failed"));
        let percent = match self
            .value("dmarc_pass_rate_percent")
            .or_else(|| self.value("pass_percent"))
        {
            Some(Value::Double(percent)) if percent.is_finite() => Some(*percent),
            Some(Value::Int(percent)) => i32::try_from(*percent).ok().map(f64::from),
            _ => None,
        };
        let last_report_utc_secs = match self
            .value("last_report_at")
            .or_else(|| self.value("last_report_utc"))
        {
            Some(Value::Timestamp(utc_secs)) => Some(*utc_secs),
            _ => None,
        };
        Counts {
            status: self
                .text("status")
                .filter(|word| ["ok", "warning", "critical"].contains(word))
                .map(str::to_owned),
            pass_rate_percent: percent,
            messages,
            passed: self
                .int("passed")
                .unwrap_or_else(|| messages.saturating_sub(failing.unwrap_or(0))),
            critical_alerts: self.int("critical_alerts").unwrap_or(0),
            warnings: self.int("warnings").unwrap_or(0),
            unknown_sources: self.int("unknown_sources").unwrap_or(0),
            reports: self.int("reports").unwrap_or(0),
            last_report_utc_secs,
        }
    }
}

fn sum<'a>(all: impl Iterator<Item = &'a Counts>) -> Counts {
    all.fold(Counts::default(), |sum, counts| Counts {
        status: None,
        pass_rate_percent: None,
        messages: sum.messages.saturating_add(counts.messages),
        passed: sum.passed.saturating_add(counts.passed),
        critical_alerts: sum.critical_alerts.saturating_add(counts.critical_alerts),
        warnings: sum.warnings.saturating_add(counts.warnings),
        unknown_sources: sum.unknown_sources.saturating_add(counts.unknown_sources),
        reports: sum.reports.saturating_add(counts.reports),
        last_report_utc_secs: sum.last_report_utc_secs.max(counts.last_report_utc_secs),
    })
}

impl Counts {
    fn totals(&self, window: &str) -> Totals {
        let percent = self
            .pass_rate_percent
            .unwrap_or_else(|| self.passed_percent());
        let rate = if self.messages == 0 {
            "n/a".to_owned()
        } else {
            format!("{percent:.1}%")
        };
        let failing = self.messages.saturating_sub(self.passed).max(0);
        Totals {
            status: self
                .status
                .clone()
                .unwrap_or_else(|| self.status_of_alerts().to_owned()),
            summary: self.summary(&rate, failing, window),
            dmarc_pass_rate: rate,
            dmarc_pass_rate_percent: if self.messages == 0 {
                0.0
            } else {
                one_decimal(percent)
            },
            critical_alerts: self.critical_alerts,
            warnings: self.warnings,
            messages: self.messages,
            failing,
            unknown_sources: self.unknown_sources,
            reports: self.reports,
            last_report_at: self.last_report_utc_secs.map(rfc3339).unwrap_or_default(),
        }
    }

    fn status_of_alerts(&self) -> &'static str {
        match (self.critical_alerts, self.warnings) {
            (1.., _) => "critical",
            (_, 1..) => "warning",
            _ => "ok",
        }
    }

    /// Tenths are cut, not rounded: 100.0 means that nothing failed.
    fn passed_percent(&self) -> f64 {
        let tenths = i128::from(self.passed) * 1000 / i128::from(self.messages.max(1));
        f64::from(i32::try_from(tenths).unwrap_or(1000)) / 10.0
    }

    fn summary(&self, rate: &str, failing: i64, window: &str) -> String {
        if self.messages == 0 {
            return format!("No mail was reported in the {window}.");
        }
        let messages = grouped(self.messages);
        if failing == 0 {
            return format!("All {messages} messages passed DMARC in the {window}.");
        }
        format!(
            "{rate} of {messages} messages passed DMARC in the {window}; {} failed.",
            grouped(failing)
        )
    }
}

fn one_decimal(percent: f64) -> f64 {
    (percent * 10.0).round() / 10.0
}

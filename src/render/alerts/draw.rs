//! Alerts of the tables -> their pages and JSON.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::super::answers::{ALERTS, Answers};
use super::super::html::Html;
use super::super::panel::write_panel;
use super::super::{Emit, Rows, Site};
use super::{AlertCount, AlertFile, AlertList, Done, EvidenceDay, Listed, list_page};
use super::{json_path, page, page_path, panels_path};
use crate::model::alert::{Action, Alert, Reason, Severity, Status};
use crate::model::day::Day;
use crate::model::rule_fault::RuleFault;
use crate::query::{Params, Table, Value};

/// Alerts whose days of evidence are asked for together: each has hundreds, and an answer has a bound.
const ASKED_AT_ONCE: usize = 200;

impl Site<'_> {
    /// `site/alerts.html` and `site/api/alerts.json`.
    pub fn alert_list(
        &self,
        files: &[AlertFile],
        rows: Rows<'_>,
        emit: Emit<'_>,
    ) -> anyhow::Result<()> {
        let counts = self.ask_page("alert_counts", &Params::new(), rows)?;
        let counts: Vec<AlertCount> = (0..counts.rows.len())
            .map(|row| count(&counts, row))
            .collect::<Result<_, _>>()?;
        let total = counts
            .iter()
            .fold(0, |sum: u64, count| sum.saturating_add(count.alerts));
        let list = AlertList {
            as_of: self.as_of,
            total,
            counts,
            matching: total,
            offset: 0,
            rule_faults: self.rule_faults(rows)?,
            alerts: files.iter().map(Listed::from).collect(),
        };
        emit("site/api/alerts.json", &list.to_bytes()?)?;
        emit("site/alerts.html", &list_page(self.skin, &list, None)?)
    }

    fn rule_faults(&self, rows: Rows<'_>) -> anyhow::Result<Vec<RuleFault>> {
        let table = self.ask_page("rule_faults", &Params::new(), rows)?;
        let fault = |row| RuleFault {
            rule: text(&table, row, "rule"),
            fault: text(&table, row, "fault"),
            is_failure: *table.get(row, "is_failure") == Value::Bool(true),
            rows: match table.get(row, "rows") {
                Value::Int(rows) => Some(*rows),
                _ => None,
            },
            problem: text(&table, row, "problem"),
        };
        Ok((0..table.rows.len()).map(fault).collect())
    }

    /// What is published of the alerts that have a page, in the order of the list.
    pub fn alert_files(&self, rows: Rows<'_>) -> anyhow::Result<Vec<AlertFile>> {
        let most = Value::Int(super::MOST_ALERTS as i64);
        let table = self.ask_page(
            "alert_list",
            &Params::from([("most".to_owned(), most)]),
            rows,
        )?;
        self.whole(&table, rows)
    }

    /// The same of some alerts, in the order of their ids.
    pub fn alerts_named(&self, ids: &[&str], rows: Rows<'_>) -> anyhow::Result<Vec<AlertFile>> {
        let ids = ids.iter().map(|id| Value::Text((*id).to_owned()));
        let params = Params::from([("ids".to_owned(), Value::List(ids.collect()))]);
        let table = self.ask_page("alert_named", &params, rows)?;
        self.whole(&table, rows)
    }

    /// Rows of `alert_list` with the days of their evidence and what people did.
    fn whole(&self, table: &Table, rows: Rows<'_>) -> anyhow::Result<Vec<AlertFile>> {
        let mut files: Vec<AlertFile> = (0..table.rows.len())
            .map(|row| file(table, row))
            .collect::<Result<_, _>>()?;
        for files in files.chunks_mut(ASKED_AT_ONCE) {
            let ids = files.iter().map(|file| Value::Text(file.alert.id.clone()));
            let params = Params::from([("ids".to_owned(), Value::List(ids.collect()))]);
            let mut evidence = self.evidence(&params, rows)?;
            let mut done = self.done(&params, rows)?;
            for file in files {
                file.evidence = evidence.remove(&file.alert.id).unwrap_or_default();
                file.actions = done.remove(&file.alert.id).unwrap_or_default();
            }
        }
        Ok(files)
    }

    fn evidence(
        &self,
        params: &Params,
        rows: Rows<'_>,
    ) -> anyhow::Result<BTreeMap<String, Vec<EvidenceDay>>> {
        let table = self.ask_page("alert_evidence", params, rows)?;
        let mut by_alert: BTreeMap<String, Vec<EvidenceDay>> = BTreeMap::new();
        for row in 0..table.rows.len() {
            let day = EvidenceDay {
                day: day(&table, row, "day"),
                severity: severity(&table, row)?,
                messages: int(&table, row, "messages"),
                ended_day: match table.get(row, "ended_day") {
                    Value::Day(day) => Some(*day),
                    _ => None,
                },
            };
            by_alert
                .entry(text(&table, row, "alert"))
                .or_default()
                .push(day);
        }
        Ok(by_alert)
    }

    fn done(&self, params: &Params, rows: Rows<'_>) -> anyhow::Result<BTreeMap<String, Vec<Done>>> {
        let table = self.ask_page("alert_done", params, rows)?;
        let mut by_alert: BTreeMap<String, Vec<Done>> = BTreeMap::new();
        for row in 0..table.rows.len() {
            let word = text(&table, row, "action");
            let action = Action::ALL
                .into_iter()
                .find(|action| action.as_str() == word);
            let done = Done {
                seq: int(&table, row, "seq").unsigned_abs(),
                at_utc_secs: match table.get(row, "at_utc") {
                    Value::Timestamp(secs) => *secs,
                    _ => 0,
                },
                action: action.with_context(|| format!("`{word}` is no action"))?,
                severity: severity(&table, row)?,
                last_day: day(&table, row, "last_day"),
                note: match table.get(row, "note") {
                    Value::Text(note) => Some(note.clone()),
                    _ => None,
                },
            };
            by_alert
                .entry(text(&table, row, "alert"))
                .or_default()
                .push(done);
        }
        Ok(by_alert)
    }

    /// The pages of some alerts, with their panels.
    pub fn alerts(
        &self,
        files: &[AlertFile],
        rows: Rows<'_>,
        emit: Emit<'_>,
    ) -> anyhow::Result<()> {
        let ids: Vec<&str> = files.iter().map(|file| file.alert.id.as_str()).collect();
        let answers = self.alert_answers(&ids, rows)?;
        for file in files {
            let id = &file.alert.id;
            let mut panels = Html::default();
            for shown in answers
                .get(id)
                .iter()
                .flat_map(|answers| self.shown("alert", answers))
            {
                if !shown.table.rows.is_empty() {
                    write_panel(&mut panels, self.skin.base_path(), &shown, "");
                }
            }
            let rule = self.catalogue.queries.get(&file.alert.rule);
            emit(&panels_path(id), panels.as_str().as_bytes())?;
            emit(&page_path(id), &page(self.skin, file, rule, &panels, None)?)?;
            emit(&json_path(id), &file.to_bytes()?)?;
        }
        Ok(())
    }

    fn alert_answers(
        &self,
        ids: &[&str],
        rows: Rows<'_>,
    ) -> anyhow::Result<BTreeMap<String, Answers>> {
        self.answers_about(&ALERTS, &["alert"], ids, rows)
    }

    fn ask_page(&self, name: &str, params: &Params, rows: Rows<'_>) -> anyhow::Result<Table> {
        let query = self.catalogue.queries.get(name);
        rows(
            query.with_context(|| format!("there is no query {name}"))?,
            params,
        )
    }
}

impl From<&AlertFile> for Listed {
    fn from(file: &AlertFile) -> Self {
        let alert = &file.alert;
        Self {
            id: alert.id.clone(),
            rule: alert.rule.clone(),
            domain: alert.domain.clone(),
            subject: alert.subject.clone(),
            severity: alert.severity,
            status: alert.status,
            reason: file.reason,
            first_day: alert.first_day,
            last_day: alert.last_day,
            messages: alert.messages,
            occurrences: file.occurrences,
            title: alert.title.clone(),
        }
    }
}

/// A row of `alert_page`.
pub fn listed(table: &Table, row: usize) -> anyhow::Result<Listed> {
    let word = |name: &str| text(table, row, name);
    Ok(Listed {
        id: word("id"),
        rule: word("rule"),
        domain: domain(table, row),
        subject: word("subject"),
        severity: severity(table, row)?,
        status: status(table, row)?,
        reason: reason(table, row),
        first_day: day(table, row, "first_day"),
        last_day: day(table, row, "last_day"),
        messages: int(table, row, "messages"),
        occurrences: int(table, row, "occurrences").unsigned_abs(),
        title: word("title"),
    })
}

fn domain(table: &Table, row: usize) -> Option<String> {
    match table.get(row, "domain") {
        Value::Text(domain) => Some(domain.clone()),
        _ => None,
    }
}

fn reason(table: &Table, row: usize) -> Option<Reason> {
    let word = text(table, row, "reason");
    Reason::ALL
        .into_iter()
        .find(|reason| reason.as_str() == word)
}

fn file(table: &Table, row: usize) -> anyhow::Result<AlertFile> {
    let word = |name: &str| text(table, row, name);
    let facts = word("facts");
    let advice = match table.get(row, "advice") {
        Value::List(items) => items
            .iter()
            .filter_map(|item| match item {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Ok(AlertFile {
        alert: Alert {
            id: word("id"),
            rule: word("rule"),
            domain: domain(table, row),
            subject: word("subject"),
            severity: severity(table, row)?,
            status: status(table, row)?,
            first_day: day(table, row, "first_day"),
            last_day: day(table, row, "last_day"),
            messages: int(table, row, "messages"),
            title: word("title"),
            facts: serde_json::from_str(&facts)
                .with_context(|| format!("reading the facts of an alert: {facts}"))?,
            advice,
        },
        reason: reason(table, row),
        occurrences: int(table, row, "occurrences").unsigned_abs(),
        evidence: Vec::new(),
        actions: Vec::new(),
    })
}

fn severity(table: &Table, row: usize) -> anyhow::Result<Severity> {
    let word = text(table, row, "severity");
    let read = word.parse();
    read.map_err(|()| anyhow::anyhow!("`{word}` is no severity"))
}

fn status(table: &Table, row: usize) -> anyhow::Result<Status> {
    let word = text(table, row, "status");
    let known = Status::ALL.into_iter().find(|known| known.as_str() == word);
    known.with_context(|| format!("`{word}` is no status"))
}

fn count(table: &Table, row: usize) -> anyhow::Result<AlertCount> {
    Ok(AlertCount {
        status: status(table, row)?,
        severity: severity(table, row)?,
        alerts: int(table, row, "alerts").unsigned_abs(),
    })
}

fn text(table: &Table, row: usize, column: &str) -> String {
    match table.get(row, column) {
        Value::Text(text) => text.clone(),
        _ => String::new(),
    }
}

fn int(table: &Table, row: usize, column: &str) -> i64 {
    match table.get(row, column) {
        Value::Int(number) => *number,
        _ => 0,
    }
}

fn day(table: &Table, row: usize, column: &str) -> Day {
    match table.get(row, column) {
        Value::Day(day) => *day,
        _ => Day::default(),
    }
}

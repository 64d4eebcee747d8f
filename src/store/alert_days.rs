//! Table `alert_days`, read row by row without a copy: it may have a row for each record.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use duckdb::Connection;
use duckdb::arrow::array::{Array, AsArray, PrimitiveArray, StringArray, StructArray};
use duckdb::arrow::datatypes::{ArrowPrimitiveType, Date32Type, Int64Type};

use super::working::Store;
use crate::model::day::Day;
use crate::query::{Params, Query, Value, each_batch};

/// A row of `alert_days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertDay<'a> {
    /// Name of the query in `queries/alerts`.
    pub rule: &'a str,
    /// Policy domain; `None` for a finding about the whole.
    pub domain: Option<&'a str>,
    /// What it is about.
    pub subject: &'a str,
    /// UTC day.
    pub day: Day,
    /// How grave.
    pub severity: &'a str,
    /// Messages concerned.
    pub messages: i64,
    /// Day from which it is over.
    pub ended_day: Option<Day>,
    /// What else the rule says: JSON.
    pub facts: &'a str,
}

/// Which alerts may stand otherwise than before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// All of these rules.
    pub rules: BTreeSet<String>,
    /// All about these domains.
    pub domains: BTreeSet<String>,
}

impl Changed {
    /// Whether an alert is among them.
    pub fn holds(&self, rule: &str, domain: Option<&str>) -> bool {
        self.rules.contains(rule) || domain.is_some_and(|domain| self.domains.contains(domain))
    }
}

/// Rows of tables `alerts` and `alert_days` that [`Changed`] is about.
const CHANGED: &str = "rule in (select unnest($rules::varchar[])) or coalesce(domain in (select unnest($domains::varchar[])), false)";

fn query(sql: String, changed: Option<&Changed>) -> (Query, Params) {
    let Some(changed) = changed else {
        return (Query::ad_hoc(&sql, Vec::new()), Params::new());
    };
    let list =
        |texts: &BTreeSet<String>| Value::List(texts.iter().cloned().map(Value::Text).collect());
    let params = [("domains", &changed.domains), ("rules", &changed.rules)];
    let kinds = params.map(|(name, _)| (name.to_owned(), "VARCHAR[]".to_owned()));
    let params = params.map(|(name, texts)| (name.to_owned(), list(texts)));
    (Query::ad_hoc(&sql, kinds.to_vec()), Params::from(params))
}

impl Store {
    /// Gives the rows of `alert_days` (`None`: all), alert by alert and day by day.
    pub fn each_alert_day(
        &self,
        connection: &Connection,
        changed: Option<&Changed>,
        take: &mut dyn FnMut(&AlertDay<'_>) -> Result<()>,
    ) -> Result<()> {
        let which = changed.map_or("true", |_| CHANGED);
        let sql = format!(
            "select rule, domain, subject, day, severity, messages, ended_day, facts::varchar as facts
            from alert_days where {which} order by rule, domain nulls first, subject, day, facts"
        );
        let (query, params) = query(sql, changed);
        each_batch(connection, &query, &params, &mut |batch| {
            let columns = Columns::of(batch).context("a row of alert_days has another form")?;
            (0..batch.len()).try_for_each(|row| take(&columns.row(row)))
        })
        .context("reading what the rules found")
    }
}

struct Columns<'a> {
    rule: &'a StringArray,
    domain: &'a StringArray,
    subject: &'a StringArray,
    day: &'a PrimitiveArray<Date32Type>,
    severity: &'a StringArray,
    messages: &'a PrimitiveArray<Int64Type>,
    ended_day: &'a PrimitiveArray<Date32Type>,
    facts: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a StructArray) -> Option<Self> {
        Some(Self {
            rule: texts(batch, 0)?,
            domain: texts(batch, 1)?,
            subject: texts(batch, 2)?,
            day: numbers(batch, 3)?,
            severity: texts(batch, 4)?,
            messages: numbers(batch, 5)?,
            ended_day: numbers(batch, 6)?,
            facts: texts(batch, 7)?,
        })
    }

    fn row(&self, row: usize) -> AlertDay<'a> {
        let day = |days: &PrimitiveArray<Date32Type>| {
            let days = days.is_valid(row).then(|| days.value(row));
            days.and_then(Day::from_epoch_days)
        };
        AlertDay {
            rule: self.rule.value(row),
            domain: self.domain.is_valid(row).then(|| self.domain.value(row)),
            subject: self.subject.value(row),
            day: day(self.day).unwrap_or_default(),
            severity: self.severity.value(row),
            messages: self.messages.value(row),
            ended_day: day(self.ended_day),
            facts: self.facts.value(row),
        }
    }
}

fn texts(batch: &StructArray, column: usize) -> Option<&StringArray> {
    batch.columns().get(column)?.as_string_opt::<i32>()
}

fn numbers<T: ArrowPrimitiveType>(
    batch: &StructArray,
    column: usize,
) -> Option<&PrimitiveArray<T>> {
    batch.columns().get(column)?.as_primitive_opt::<T>()
}

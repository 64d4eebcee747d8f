//! What rules find: rows of `alert_days`, made by the rules' own SQL, and of `alerts`, made of them and of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params};

use super::alert_days::Changed;
use super::batch::append;
use super::columns::{Columns, bigint};
use super::rule_faults::rule_outage_rows;
use super::working::Store;
use crate::ledger::{AlertLine, Outage, RuleOutage};
use crate::model::alert::{Alert, Reason};
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::query::list_text;

/// Keys of `about` that say what was judged.
const KEYS: [&str; 4] = ["alert_seq", "judged_as_of", "judged_to", "rules_hash"];

/// What was judged: alerts are a function of it and of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Items up to this one.
    pub item_no: ItemNo,
    /// For this day.
    pub as_of: Day,
    /// By rules of this hash.
    pub rules_hash: String,
    /// With the ledger up to this line.
    pub alert_seq: u64,
}

/// What is known of a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderFacts {
    /// Its identifier.
    pub sender: String,
    /// Its name for people.
    pub name: String,
    /// Whether it is a well-known service.
    pub is_service: bool,
    /// What its customers include into their SPF record, separated by spaces.
    pub spf_include: String,
    /// Whether SPF can align for it.
    pub aligns_spf: Option<String>,
    /// Whether DKIM can.
    pub aligns_dkim: Option<String>,
}

/// An alert as the table has it.
#[derive(Debug, Clone)]
pub struct AlertRow {
    /// What is said of it.
    pub alert: Alert,
    /// Why it is resolved.
    pub reason: Option<Reason>,
    /// Days of evidence that it is about.
    pub evidence_days: u64,
    /// How often it came up.
    pub occurrences: u64,
}

impl Store {
    /// What was judged last; `None`: nothing.
    pub fn judged(&self) -> Result<Option<Judged>> {
        let sql = "select key, value from about where key in (select unnest(?::varchar[]))";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([format!("[{}]", KEYS.join(", "))], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let values: BTreeMap<String, String> = rows
            .collect::<duckdb::Result<_>>()
            .context("reading what was judged")?;
        let [alert_seq, as_of, item_no, rules_hash] = KEYS.map(|key| values.get(key));
        let judged = || {
            Some(Judged {
                item_no: item_no?.parse().ok()?,
                as_of: as_of?.parse().ok()?,
                rules_hash: rules_hash?.clone(),
                alert_seq: alert_seq?.parse().ok()?,
            })
        };
        Ok(judged())
    }

    /// Forgets what was judged: everything is judged again.
    pub fn forget_judged(&self) -> Result<()> {
        forget_judged(&self.connection)
    }

    /// Days of domains with reports of items behind `item_no`, or of days from `since` on. A report of more than 26
    /// hours touches every day of its period: table `daily` spreads its messages over them.
    pub fn touched(&self, item_no: ItemNo, since: Day) -> Result<BTreeMap<String, BTreeSet<Day>>> {
        let sql = "select distinct domain, day
            from (
                select item_no, domain, unnest(case
                    when end_utc - begin_utc > interval 26 hours and end_utc - begin_utc <= interval 31 days
                    then range(date_trunc('day', begin_utc), end_utc, interval 1 day) || [day::timestamp]
                    else [day::timestamp]
                end)::date as day
                from reports
                where item_no > ? or day - date '1970-01-01' >= ? - 31
            )
            where item_no > ? or day - date '1970-01-01' >= ?";
        let mut touched: BTreeMap<String, BTreeSet<Day>> = BTreeMap::new();
        let mut statement = self.connection.prepare(sql)?;
        let (item_no, since) = (bigint(item_no), since.to_epoch_days());
        let parameters = params![item_no, since, item_no, since];
        let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, day(row, 1)?)))?;
        for row in rows {
            let (domain, day) = row.context("looking for days with something new")?;
            touched.entry(domain).or_default().insert(day);
        }
        Ok(touched)
    }

    /// Does `work` in a transaction.
    pub fn atomically<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.tentatively(|store| Ok((work(store)?, true)))
    }

    /// Does `work` in a transaction, which stays where `work` gives true.
    pub fn tentatively<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(T, bool)>,
    ) -> Result<T> {
        self.connection.execute_batch("begin")?;
        let done = work(self);
        let end = match &done {
            Ok((_, true)) => "commit",
            _ => "rollback",
        };
        let ended = self
            .connection
            .execute_batch(end)
            .with_context(|| format!("ending a transaction: {end}"));
        done.and_then(|(done, _)| ended.map(|()| done))
    }

    /// Forgets what a rule found for some domains (`None`: for all, and for none) from a day until before another.
    pub fn forget_part(
        &self,
        rule: &str,
        domains: Option<&[String]>,
        since: Day,
        until: Day,
    ) -> Result<()> {
        let domains = domains.map(|domains| list_text(domains.iter().map(String::as_str)));
        let delete = "delete from alert_days
            where rule = ? and (? is null or domain in (select unnest(?::varchar[]))) and day - date '1970-01-01' >= ?
                and day - date '1970-01-01' < ?";
        let (since, until) = (since.to_epoch_days(), until.to_epoch_days());
        let parameters = params![rule, domains, domains, since, until];
        self.connection
            .execute(delete, parameters)
            .context("forgetting what a rule found")?;
        Ok(())
    }

    /// Notes what a rule has just answered.
    pub fn note_found(&self, rule: &str) -> Result<()> {
        let insert = "insert into alert_days
            select ?, domain, subject, day, severity, messages, ended_day, facts
            from found where left_out is null
            order by domain, subject, day, facts";
        self.connection
            .execute(insert, [rule])
            .context("noting what a rule found")?;
        Ok(())
    }

    /// Days on which a rule found something.
    pub fn alert_days_of(&self, rule: &str) -> Result<u64> {
        let sql = "select count(*) from alert_days where rule = ?";
        let count: i64 = self
            .connection
            .query_row(sql, [rule], |row| row.get(0))
            .context("counting what a rule found")?;
        Ok(count.unsigned_abs())
    }

    /// Forgets what a rule found.
    pub fn forget_rule(&self, rule: &str) -> Result<()> {
        self.connection
            .execute("delete from alert_days where rule = ?", [rule])
            .context("forgetting what a rule found")?;
        Ok(())
    }

    /// Forgets what rules found that are not asked any more.
    pub fn forget_rules_but(&self, names: &[&str]) -> Result<()> {
        for table in ["alert_days", "rule_faults"] {
            let sql =
                format!("delete from {table} where rule not in (select unnest(?::varchar[]))");
            self.connection
                .execute(&sql, [list_text(names.iter().copied())])
                .context("forgetting rules that are not asked")?;
        }
        Ok(())
    }

    /// What is known of each sender.
    pub fn sender_facts(&self) -> Result<Vec<SenderFacts>> {
        let sql = "select sender, name, kind <> 'configured', array_to_string(list_sort(spf_include), ' '), aligns_spf, aligns_dkim
            from senders order by sender";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(SenderFacts {
                sender: row.get(0)?,
                name: row.get(1)?,
                is_service: row.get(2)?,
                spf_include: row.get(3)?,
                aligns_spf: row.get(4)?,
                aligns_dkim: row.get(5)?,
            })
        })?;
        rows.collect::<duckdb::Result<_>>()
            .context("reading what is known of senders")
    }

    /// Writes tables that are made of the ledger alone.
    pub fn write_told(
        &self,
        outages: &[Outage],
        rule_outages: &[RuleOutage],
        alerts: &BTreeMap<String, AlertLine>,
    ) -> Result<()> {
        self.connection.execute_batch(
            "delete from mailbox_outages; delete from rule_outages; delete from alert_actions",
        )?;
        append(&self.connection, "mailbox_outages", outages, outage_rows)?;
        append(
            &self.connection,
            "rule_outages",
            rule_outages,
            rule_outage_rows,
        )?;
        let mut actions: Vec<(&str, &crate::model::alert::Acted)> = alerts
            .iter()
            .flat_map(|(id, line)| line.actions.iter().map(|acted| (id.as_str(), acted)))
            .collect();
        actions.sort_by_key(|(_, acted)| acted.seq);
        append(&self.connection, "alert_actions", &actions, action_rows)
    }

    /// Deletes rows of table `alerts` (`None`: all).
    pub fn clear_alerts(&self, changed: Option<&Changed>) -> Result<()> {
        let cleared = match changed {
            None => self.connection.execute("delete from alerts", []),
            Some(changed) => self.connection.execute(
                "delete from alerts where rule in (select unnest(?::varchar[]))
                    or domain in (select unnest(?::varchar[]))",
                [&changed.rules, &changed.domains]
                    .map(|texts| list_text(texts.iter().map(String::as_str))),
            ),
        };
        cleared.map(drop).context("emptying table alerts")
    }

    /// Adds rows to table `alerts`.
    pub fn add_alerts(&self, rows: &[AlertRow]) -> Result<()> {
        append(&self.connection, "alerts", rows, alert_rows)
    }

    /// Notes what was judged.
    pub fn note_judged(&self, judged: &Judged) -> Result<()> {
        let values = [
            judged.alert_seq.to_string(),
            judged.as_of.to_string(),
            judged.item_no.to_string(),
            judged.rules_hash.clone(),
        ];
        for (key, value) in KEYS.into_iter().zip(values) {
            self.connection
                .execute("delete from about where key = ?", [key])?;
            self.connection
                .execute("insert into about values (?, ?)", [key, &value])?;
        }
        Ok(())
    }
}

pub(super) fn forget_judged(connection: &Connection) -> Result<()> {
    let sql = "delete from about where key in (select unnest(?::varchar[]))";
    connection
        .execute(sql, [format!("[{}]", KEYS.join(", "))])
        .context("forgetting what was judged")?;
    Ok(())
}

fn day(row: &duckdb::Row, index: usize) -> duckdb::Result<Day> {
    let duckdb::types::Value::Date32(days) = row.get(index)? else {
        return Ok(Day::default());
    };
    Ok(Day::from_epoch_days(days).unwrap_or_default())
}

fn outage_rows(outages: &[Outage]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    let rows = || outages.iter();
    columns.text("inbox", rows().map(|row| Some(row.inbox.as_str())));
    columns.timestamp("since_utc", rows().map(|row| Some(row.since_utc_secs)));
    columns.timestamp("until_utc", rows().map(|row| row.until_utc_secs));
    columns.timestamp("last_utc", rows().map(|row| Some(row.last_utc_secs)));
    columns.text("error", rows().map(|row| Some(row.error.as_str())));
    columns.boolean("needs_a_person", rows().map(|row| Some(row.needs_a_person)));
    columns.finish()
}

fn action_rows(actions: &[(&str, &crate::model::alert::Acted)]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    let rows = || actions.iter().map(|(_, acted)| *acted);
    columns.bigint("seq", rows().map(|row| Some(bigint(row.seq))));
    columns.text("alert", actions.iter().map(|(id, _)| Some(*id)));
    columns.timestamp("at_utc", rows().map(|row| Some(row.at_utc_secs)));
    columns.text("action", rows().map(|row| Some(row.action.as_str())));
    columns.text("severity", rows().map(|row| Some(row.severity.as_str())));
    columns.day("last_day", rows().map(|row| row.last_day));
    columns.text("note", rows().map(|row| row.note.as_deref()));
    columns.finish()
}

fn alert_rows(rows: &[AlertRow]) -> Result<RecordBatch, ArrowError> {
    let alerts = || rows.iter().map(|row| &row.alert);
    let mut columns = Columns::default();
    columns.text("id", alerts().map(|a| Some(a.id.as_str())));
    columns.text("rule", alerts().map(|a| Some(a.rule.as_str())));
    columns.text("domain", alerts().map(|a| a.domain.as_deref()));
    columns.text("subject", alerts().map(|a| Some(a.subject.as_str())));
    columns.text("severity", alerts().map(|a| Some(a.severity.as_str())));
    columns.text("status", alerts().map(|a| Some(a.status.as_str())));
    columns.text(
        "reason",
        rows.iter().map(|row| row.reason.map(Reason::as_str)),
    );
    columns.day("first_day", alerts().map(|a| a.first_day));
    columns.day("last_day", alerts().map(|a| a.last_day));
    columns.bigint(
        "evidence_days",
        rows.iter().map(|row| Some(bigint(row.evidence_days))),
    );
    columns.bigint(
        "occurrences",
        rows.iter().map(|row| Some(bigint(row.occurrences))),
    );
    columns.bigint("messages", alerts().map(|a| Some(a.messages)));
    columns.text("title", alerts().map(|a| Some(a.title.as_str())));
    columns.owned_text(
        "facts",
        alerts().map(|a| Some(serde_json::json!(a.facts).to_string())),
    );
    columns.texts("advice", alerts().map(|a| Some(a.advice.as_slice())));
    columns.text("explanation", alerts().map(|_| None));
    columns.finish()
}

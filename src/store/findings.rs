//! What rules find: rows of `alert_days`, made by the rules' own SQL, and of `alerts`, made of them and of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params};

use super::batch::append;
use super::columns::{Columns, bigint};
use super::working::Store;
use crate::ledger::{AlertLine, Outage};
use crate::model::alert::{Alert, Reason, Severity};
use crate::model::day::Day;
use crate::model::item::ItemNo;
use crate::query::{Params, Query, Value, each_row, run_around};

/// Keys of `about` that say what was judged.
const KEYS: [&str; 4] = ["alert_seq", "judged_as_of", "judged_to", "rules_hash"];

/// Columns of a rule's answer that are columns of `alert_days`; the others are facts.
const FIXED: &str = r#"{"domain": null, "subject": null, "day": null, "severity": null, "messages": null, "ended_day": null}"#;

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

/// What a rule is asked, and what its answer takes the place of.
pub struct Asked<'a> {
    /// The rule.
    pub query: &'a Query,
    /// All its parameters.
    pub params: &'a Params,
    /// Domains that the answer is about; `None`: all, and what is about none.
    pub domains: Option<&'a [String]>,
    /// First day.
    pub since: Day,
    /// The day behind the last one.
    pub until: Day,
    /// How grave it is where the answer does not say.
    pub severity: Severity,
    /// How grave it is, whatever the answer says.
    pub is_fixed: bool,
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

    /// Days of domains with reports of items behind `item_no`, or of days from `since` on.
    pub fn touched(&self, item_no: ItemNo, since: Day) -> Result<BTreeMap<String, BTreeSet<Day>>> {
        let sql = "select distinct domain, day from reports where item_no > ? or day - date '1970-01-01' >= ?";
        let mut touched: BTreeMap<String, BTreeSet<Day>> = BTreeMap::new();
        let mut statement = self.connection.prepare(sql)?;
        let parameters = params![bigint(item_no), since.to_epoch_days()];
        let rows = statement.query_map(parameters, |row| Ok((row.get(0)?, day(row, 1)?)))?;
        for row in rows {
            let (domain, day) = row.context("looking for days with something new")?;
            touched.entry(domain).or_default().insert(day);
        }
        Ok(touched)
    }

    /// Every domain that there is a report about.
    pub fn all_domains(&self) -> Result<Vec<String>> {
        let sql = "select distinct domain from reports order by domain";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<duckdb::Result<_>>()
            .context("looking for domains")
    }

    /// Does `work` in a transaction.
    pub fn atomically<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.connection.execute_batch("begin")?;
        let done = work(self);
        let end = if done.is_ok() { "commit" } else { "rollback" };
        let ended = self
            .connection
            .execute_batch(end)
            .with_context(|| format!("ending a transaction: {end}"));
        done.and_then(|done| ended.map(|()| done))
    }

    /// Asks a rule; its answer takes the place of what it found there before.
    pub fn find(&self, asked: &Asked) -> Result<()> {
        let name = &asked.query.name;
        let domains = asked
            .domains
            .map(|domains| serde_json::json!(domains).to_string());
        let delete = "delete from alert_days
            where rule = ? and (? is null or domain in (select unnest(?::varchar[]))) and day - date '1970-01-01' >= ?
                and day - date '1970-01-01' < ?";
        let (since, until) = (asked.since.to_epoch_days(), asked.until.to_epoch_days());
        let parameters = params![name, domains, domains, since, until];
        self.connection.execute(delete, parameters)?;
        let severity = asked.severity;
        let said = if asked.is_fixed {
            "null"
        } else {
            "said ->> 'severity'"
        };
        // The answer is about what it was asked about, whatever else a rule gives.
        run_around(&self.connection, asked.query, asked.params, &|text| {
            format!(
                "insert into alert_days
                select '{name}', domain, subject, day,
                    case when {said} in ('info', 'warning', 'critical') then {said} else '{severity}' end,
                    least(coalesce((said ->> 'messages')::hugeint, 0), 9223372036854775807)::bigint,
                    (said ->> 'ended_day')::date,
                    json_merge_patch(said, '{FIXED}')
                from (select domain, left(subject, 1024) as subject, day::date as day, to_json(answer) as said
                    from ({text}\n) answer)
                where subject is not null and day - date '1970-01-01' >= {since} and day - date '1970-01-01' < {until}
                order by domain, subject, day"
            )
        })
    }

    /// Forgets what rules found that are not asked any more.
    pub fn forget_rules_but(&self, names: &[&str]) -> Result<()> {
        let sql = "delete from alert_days where rule not in (select unnest(?::varchar[]))";
        self.connection
            .execute(sql, [serde_json::json!(names).to_string()])
            .context("forgetting rules that are not asked")?;
        Ok(())
    }

    /// Gives all rows of `alert_days`, alert by alert and day by day.
    pub fn each_alert_day(
        &self,
        connection: &Connection,
        take: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        let sql = "select rule, domain, subject, day, severity, messages, ended_day, facts::varchar as facts
            from alert_days order by rule, domain nulls first, subject, day, facts";
        each_row(
            connection,
            &Query::ad_hoc(sql, Vec::new()),
            &Params::new(),
            take,
        )
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
        alerts: &BTreeMap<String, AlertLine>,
    ) -> Result<()> {
        self.connection
            .execute_batch("delete from mailbox_outages; delete from alert_actions")?;
        append(&self.connection, "mailbox_outages", outages, outage_rows)?;
        let mut actions: Vec<(&str, &crate::model::alert::Acted)> = alerts
            .iter()
            .flat_map(|(id, line)| line.actions.iter().map(|acted| (id.as_str(), acted)))
            .collect();
        actions.sort_by_key(|(_, acted)| acted.seq);
        append(&self.connection, "alert_actions", &actions, action_rows)
    }

    /// Empties table `alerts`.
    pub fn clear_alerts(&self) -> Result<()> {
        self.connection
            .execute_batch("delete from alerts")
            .context("emptying table alerts")
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

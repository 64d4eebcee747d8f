//! What is wrong with rules: rows of `rule_faults`, made by judging, and of `rule_outages`, made of the ledger.

use anyhow::{Context, Result};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::params;

use super::columns::{Columns, bigint};
use super::working::Store;
use crate::ledger::RuleOutage;
use crate::model::rule_fault::Fault;

impl Store {
    /// Notes what is wrong with a rule, in the place of what was.
    pub fn note_faults(&self, rule: &str, faults: &[(Fault, Option<u64>)]) -> Result<()> {
        let noted = || -> duckdb::Result<()> {
            self.connection
                .execute("delete from rule_faults where rule = ?", [rule])?;
            for (fault, rows) in faults {
                self.connection.execute(
                    "insert into rule_faults values (?, ?, ?, ?, ?)",
                    params![
                        rule,
                        fault.as_str(),
                        fault.is_failure(),
                        rows.map(bigint),
                        fault.about()
                    ],
                )?;
            }
            Ok(())
        };
        noted().context("noting what is wrong with a rule")
    }

    /// Rules with which something was wrong when they were asked last, and whether nothing of their answer counts.
    pub fn faulty_rules(&self) -> Result<Vec<(String, bool)>> {
        let sql = "select rule, bool_or(is_failure) from rule_faults group by rule order by rule";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<duckdb::Result<_>>()
            .context("reading what is wrong with rules")
    }
}

pub(super) fn rule_outage_rows(outages: &[RuleOutage]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    let rows = || outages.iter();
    columns.bigint("seq", rows().map(|row| Some(bigint(row.seq))));
    columns.text("rule", rows().map(|row| Some(row.rule.as_str())));
    columns.day("since_day", rows().map(|row| row.since_day));
    columns.optional_day("until_day", rows().map(|row| row.until_day));
    columns.text("problem", rows().map(|row| Some(row.problem.as_str())));
    columns.finish()
}

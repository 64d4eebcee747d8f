//! Records of addresses with another name -> classified as if they came now, and the sums that they are in.
//!
//! They are staged once more from what table `records` holds of them, so that the same statements find their senders.
//! Sums lose them as they were and gain them as they are.

use std::collections::BTreeSet;
use std::net::IpAddr;

use anyhow::{Context, Result};
use duckdb::Connection;
use serde::Deserialize;

use super::batch::{appender, classify, execute};
use super::models::{ROLL_UPS, STAGES};
use super::record_rows::RecordRows;
use super::stage::Stage;
use crate::model::aggregate::{Disposition, DkimResult, Reason, Record, SpfResult};
use crate::model::day::{Day, day_of};

/// More records are loaded anew with all others: what is staged has to fit into memory.
const MOST_RECORDS: i64 = 50_000;

/// As for their number, of the text in the reports that they are in.
const MOST_TEXT_BYTES: i64 = 64 << 20;

/// Addresses whose records may be classified otherwise.
pub(super) const STAGE_RENAMED: &str =
    "create or replace temp table stage_renamed (source_ip varchar not null)";

const STAGE_RECLASSIFIED: &str = "create or replace temp table stage_reclassified (report varchar not null,
    record_no bigint not null, domain varchar not null, sender varchar, carrier varchar, category varchar not null,
    had_sender varchar, had_category varchar not null, load_key bigint not null)";

macro_rules! model {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../queries/models/", $name, ".sql")),
        )
    };
}

/// Days on which records are classified otherwise.
pub(super) type Days = BTreeSet<Day>;

/// Classifies the records of the addresses in `stage_renamed` anew, within the transaction of the caller; `None` where
/// that is too much, and all have to be loaded.
pub(super) fn reclassify(stage: &Stage) -> Result<Option<Days>> {
    let connection = &stage.connection;
    let (_, extent) = model!("renamed_extent");
    let extent = connection.query_row(extent, [], |row| {
        let text_bytes: i128 = row.get(1)?;
        Ok((row.get::<_, i64>(0)?, text_bytes, row.get::<_, bool>(2)?))
    });
    let (records, text_bytes, is_huge) = extent.context("measuring the records of addresses")?;
    if records == 0 {
        return Ok(Some(Days::new()));
    }
    if is_huge || records > MOST_RECORDS || text_bytes > i128::from(MOST_TEXT_BYTES) {
        return Ok(None);
    }
    for table in STAGES.into_iter().chain([STAGE_RECLASSIFIED]) {
        connection
            .execute_batch(table)
            .context("making a staging table")?;
    }
    stage.make_room(usize::try_from(records).unwrap_or(usize::MAX))?;
    let days = with_staged(connection);
    stage.make_room(0)?;
    days.map(Some)
}

fn with_staged(connection: &Connection) -> Result<Days> {
    let (name, reports) = model!("renamed_reports");
    execute(connection, name, reports)?;
    stage_records(connection)?;
    classify(connection)?;
    let (name, reclassified) = model!("reclassified");
    execute(connection, name, reclassified)?;
    connection.execute_batch("delete from stage_classified")?;
    let (name, parts) = model!("reclassified_parts");
    execute(connection, name, parts)?;
    let days = days(connection)?;
    for (name, statement) in ROLL_UPS.into_iter().chain([
        model!("reclassified_records"),
        model!("reclassified_senders"),
    ]) {
        execute(connection, name, statement)?;
    }
    Ok(days)
}

fn stage_records(connection: &Connection) -> Result<()> {
    let (_, sql) = model!("renamed_records");
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let mut into = appender(connection, "temp", "stage_records")?;
    let mut rows = RecordRows::default();
    for row in found {
        let (load_key, text) = row.context("reading records again")?;
        let told: Told = serde_json::from_str(&text).context("reading a record again")?;
        rows.push(load_key, told.into());
        if rows.is_full()
            && let Some(chunk) = rows.take()?
        {
            into.append_record_batch(chunk)?;
        }
    }
    if let Some(chunk) = rows.take()? {
        into.append_record_batch(chunk)?;
    }
    into.flush().context("staging records")
}

fn days(connection: &Connection) -> Result<Days> {
    let sql = "select distinct epoch_ms(day::timestamp) // 86400000 as day from stage_reports
        semi join stage_reclassified using (load_key) order by day";
    let mut statement = connection.prepare(sql)?;
    let days = statement.query_map([], |row| Ok(day_of(row.get::<_, i64>(0)? * 86_400)))?;
    days.collect::<duckdb::Result<_>>()
        .context("reading days of records")
}

/// A record as its table has it: as much as the classification looks at.
#[derive(Deserialize)]
struct Told {
    record_no: u64,
    source_ip: Option<IpAddr>,
    messages: u64,
    disposition: Option<String>,
    dkim_aligned: bool,
    spf_aligned: bool,
    header_from: Option<String>,
    reasons: Vec<ToldReason>,
    dkim: Vec<ToldResult>,
    spf: Vec<ToldResult>,
}

#[derive(Deserialize)]
struct ToldReason {
    #[serde(rename = "type")]
    kind: Option<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
struct ToldResult {
    domain: Option<String>,
    selector: Option<String>,
    result: Option<String>,
    aligned: Option<bool>,
}

impl From<Told> for Record {
    fn from(told: Told) -> Self {
        let dispositions = [
            Disposition::None,
            Disposition::Pass,
            Disposition::Quarantine,
            Disposition::Reject,
        ];
        let disposition = dispositions
            .into_iter()
            .find(|one| Some(one.as_str()) == told.disposition.as_deref());
        Self {
            record_no: told.record_no,
            source_ip: told.source_ip,
            messages: told.messages,
            disposition,
            dkim_aligned: told.dkim_aligned,
            spf_aligned: told.spf_aligned,
            header_from: told.header_from,
            reasons: told.reasons.into_iter().map(Reason::from).collect(),
            dkim: told.dkim.into_iter().map(DkimResult::from).collect(),
            spf: told.spf.into_iter().map(SpfResult::from).collect(),
            ..Self::default()
        }
    }
}

impl From<ToldReason> for Reason {
    fn from(told: ToldReason) -> Self {
        // Those that a classification tells apart.
        let kinds = [
            "forwarded",
            "trusted_forwarder",
            "mailing_list",
            "local_policy",
            "sampled_out",
        ];
        let kind = kinds
            .into_iter()
            .find(|kind| Some(*kind) == told.kind.as_deref());
        Self {
            kind: kind.unwrap_or("other"),
            comment: told.comment,
        }
    }
}

impl ToldResult {
    /// It passes, it does not, or there is none.
    fn word(&self) -> Option<&'static str> {
        let word = self.result.as_deref()?;
        Some(if word == "pass" { "pass" } else { "fail" })
    }
}

impl From<ToldResult> for DkimResult {
    fn from(told: ToldResult) -> Self {
        Self {
            result: told.word(),
            aligned: told.aligned.unwrap_or_default(),
            domain: told.domain,
            selector: told.selector,
            human_result: None,
        }
    }
}

impl From<ToldResult> for SpfResult {
    fn from(told: ToldResult) -> Self {
        Self {
            result: told.word(),
            aligned: told.aligned.unwrap_or_default(),
            domain: told.domain,
            ..Self::default()
        }
    }
}

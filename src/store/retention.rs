//! What retention needs of the tables: the rows that say what is gone, first sights, and items whose bytes may go.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use anyhow::{Context, Result, anyhow};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params};

use super::batch::append;
use super::columns::Columns;
use super::holders::stage_hashes;
use super::settings::StoreConfig;
use super::stage::Staged;
use super::working::Store;
use crate::model::day::{Day, day_of};
use crate::model::hex::hex;
use crate::model::item::ItemNo;
use crate::model::outcome::Refusal;
use crate::model::retention::{FirstSight, Loud, SightKind};

/// First sights that are noted at once, those of the largest sources first: a year of a large provider has a tenth of
/// it, and what strangers invent has an end.
const FIRST_SIGHTS: usize = 250_000;

/// What `about` says of the retention.
pub(super) const KEY: &str = "expired_before";

/// Documents that end otherwise when a cut-off passes them, and whose day is in no table.
const UNDATED: &str = "outcome = 'foreign' or code = 'limit-messages' or (kind = 'failure' and outcome = 'duplicate')";

/// The cut-off as `about` has it, empty where there is none.
pub(super) fn cut_off(config: &StoreConfig) -> String {
    let retention = config.retention.as_ref();
    retention.map_or_else(String::new, |had| had.expired_before.to_string())
}

/// Notes in a new database what is gone.
pub(super) fn note(connection: &Connection, config: &StoreConfig) -> Result<()> {
    let Some(retention) = &config.retention else {
        return Ok(());
    };
    let row = params![KEY, cut_off(config)];
    connection.execute("insert into about values (?, ?)", row)?;
    append(connection, "first_seen", &retention.first_seen, rows)
}

fn rows(sights: &[FirstSight]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.text("kind", sights.iter().map(|s| Some(s.kind.as_str())));
    columns.text("domain", sights.iter().map(|s| Some(s.domain.as_str())));
    columns.text("subject", sights.iter().map(|s| Some(s.subject.as_str())));
    columns.day("first_day", sights.iter().map(|s| s.day));
    columns.finish()
}

impl Store {
    /// First sights that reports before a day gave and that are not in table `first_seen`, in order; and whether there
    /// are more than are worth a note.
    pub fn first_sights(&self, before: Day, loud: Loud) -> Result<(Vec<FirstSight>, bool)> {
        let sql = include_str!("../../queries/models/first_sights.sql");
        let mut statement = self.connection.prepare(sql)?;
        let parameters = params![
            before.to_string(),
            FIRST_SIGHTS as i64 + 1,
            loud.days,
            loud.messages
        ];
        let rows = statement.query_map(parameters, |row| {
            let kind: String = row.get(0)?;
            let day = day_of(row.get::<_, i64>(3)? * 86_400);
            Ok((kind, row.get(1)?, row.get(2)?, day))
        });
        let mut sights = Vec::new();
        for row in rows.context("looking for first sights")? {
            let (kind, domain, subject, day) = row.context("reading first sights")?;
            let known = SightKind::ALL.into_iter().find(|one| one.as_str() == kind);
            sights.push(FirstSight {
                kind: known.ok_or_else(|| anyhow!("{kind} is seen by nobody"))?,
                domain,
                subject,
                day,
            });
        }
        let is_cut = sights.len() > FIRST_SIGHTS;
        sights.truncate(FIRST_SIGHTS);
        sights.sort_unstable();
        Ok((sights, is_cut))
    }

    /// Whether nothing in the tables changes when the retention moves on to a day.
    pub fn is_untouched_by(&self, expired_before: Day) -> Result<bool> {
        let sql = format!(
            "select not exists (from reports where day < $1::date)
                and not exists (from tls_reports where day < $1::date)
                and not exists (from failure_reports where day < $1::date)
                and not exists (from documents where {UNDATED})"
        );
        let row = self
            .connection
            .query_row(&sql, [expired_before.to_string()], |row| row.get(0));
        row.context("looking for what expires")
    }

    /// Notes that the retention has moved on to a day; [`Store::is_untouched_by`] it holds.
    pub fn note_cut_off(&self, expired_before: Day) -> Result<()> {
        let connection = &self.connection;
        connection.execute_batch("begin")?;
        connection.execute("delete from about where key = ?", [KEY])?;
        let row = params![KEY, expired_before.to_string()];
        connection.execute("insert into about values (?, ?)", row)?;
        Ok(connection.execute_batch("commit")?)
    }

    /// Items that hold nothing but expired reports, whose bytes nobody needs any more.
    pub fn prunable_items(&self) -> Result<Vec<RangeInclusive<ItemNo>>> {
        let sql = include_str!("../../queries/models/prunable_items.sql");
        let mut statement = self.connection.prepare(sql)?;
        let number = |row: &duckdb::Row, index| row.get::<_, i64>(index).map(i64::unsigned_abs);
        let rows = statement.query_map([], |row| Ok(number(row, 0)?..=number(row, 1)?))?;
        rows.collect::<duckdb::Result<_>>()
            .context("looking for items that expired")
    }
}

/// The sizes of bytes that were kept until all in them expired, as far as the tables have them.
pub(crate) fn expired(
    connection: &Connection,
    hashes: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], u64>> {
    if hashes.is_empty() {
        return Ok(HashMap::new());
    }
    stage_hashes(connection, hashes)?;
    let of_text = find_expired(connection).context("looking up expired bytes")?;
    Ok(hashes
        .iter()
        .filter_map(|hash| Some((*hash, *of_text.get(&hex(hash))?)))
        .collect())
}

fn find_expired(connection: &Connection) -> duckdb::Result<HashMap<String, u64>> {
    let sql = include_str!("../../queries/models/expired_items.sql");
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    rows.collect()
}

/// What refers to the bytes of an item that expired has expired too, whatever its own name would make of them: so it
/// ends in the same way when the bytes are gone.
pub(super) fn expire_known(connection: &Connection, staged: &mut Staged) -> Result<()> {
    let mut known: Vec<usize> = Vec::new();
    for (index, document) in &staged.documents {
        let is_known = staged
            .items
            .get(*index)
            .is_some_and(|item| item.content == "known");
        if is_known && !document.is_expired() && known.last() != Some(index) {
            known.push(*index);
        }
    }
    if known.is_empty() {
        return Ok(());
    }
    let hashes: Vec<[u8; 32]> = known
        .iter()
        .map(|index| staged.items[*index].sha256)
        .collect();
    let in_tables = expired(connection, &hashes)?;
    let in_batch: HashSet<[u8; 32]> = staged
        .items
        .iter()
        .filter(|item| item.content == Refusal::EXPIRED)
        .map(|item| item.sha256)
        .collect();
    let is_gone =
        |(_, hash): &(usize, [u8; 32])| in_tables.contains_key(hash) || in_batch.contains(hash);
    let gone = known.into_iter().zip(hashes).filter(is_gone);
    staged.expire(&gone.map(|(index, _)| index).collect());
    Ok(())
}

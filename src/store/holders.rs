//! Which reports in the tables hold the bytes or the keys of a batch: one join for each, on the begin of the period
//! first, so that a batch of new days reads nothing of the old ones.

use std::collections::HashMap;

use anyhow::{Context, Result};
use duckdb::Connection;
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;

use super::batch::append_to;
use super::columns::Columns;
use super::decide::ReadDocument;
use super::keys::{Holder, Holders, Key, kind};
use super::seen::Seen;
use super::working::Store;
use crate::model::hex::hex;
use crate::model::item::ItemNo;

const STAGE_KEYS: &str = "create or replace temp table stage_keys (document_no bigint not null, kind varchar not null,
    sha256 varchar, org_domain varchar, domain varchar, report_id varchar, begin_utc timestamp, end_utc timestamp)";

const HOLDERS: &str = include_str!("../../queries/models/key_holders.sql");

/// A report that is looked up.
struct Candidate<'a> {
    document_no: i64,
    kind: &'static str,
    sha256: Option<[u8; 32]>,
    key: Option<&'a Key>,
}

/// What the tables hold of each document with its key, in order; those that `seen` has not seen are nowhere in them.
pub(super) fn find<'a>(
    connection: &Connection,
    documents: impl Iterator<Item = (&'a ReadDocument, Option<&'a Key>)>,
    seen: &Seen,
) -> Result<Vec<Holders>> {
    let mut holders = Vec::new();
    let mut candidates = Vec::new();
    for (document_no, (document, key)) in (0..).zip(documents) {
        holders.push(Holders::default());
        if let Ok(report) = &document.result
            && seen.may_have(document.sha256, key)
        {
            candidates.push(Candidate {
                document_no,
                kind: kind(report),
                sha256: document.sha256,
                key,
            });
        }
    }
    if candidates.is_empty() {
        return Ok(holders);
    }
    connection
        .execute_batch(STAGE_KEYS)
        .context("making a staging table")?;
    append_to(connection, "temp", "stage_keys", &candidates, rows)?;
    look_up(connection, &mut holders).context("looking up the keys of reports")?;
    Ok(holders)
}

fn rows(candidates: &[Candidate]) -> Result<RecordBatch, ArrowError> {
    let keys = || candidates.iter().map(|candidate| candidate.key);
    let mut columns = Columns::default();
    columns.bigint(
        "document_no",
        candidates.iter().map(|c| Some(c.document_no)),
    );
    columns.text("kind", candidates.iter().map(|c| Some(c.kind)));
    columns.owned_text(
        "sha256",
        candidates
            .iter()
            .map(|c| c.sha256.map(|sha256| hex(&sha256))),
    );
    columns.text(
        "org_domain",
        keys().map(|k| k.map(|k| k.org_domain.as_str())),
    );
    columns.text("domain", keys().map(|k| k.map(|k| k.domain.as_str())));
    columns.text("report_id", keys().map(|k| k.map(|k| k.report_id.as_str())));
    columns.timestamp("begin_utc", keys().map(|k| k.map(|k| k.begin_utc_secs)));
    columns.timestamp("end_utc", keys().map(|k| k.map(|k| k.end_utc_secs)));
    columns.finish()
}

fn look_up(connection: &Connection, holders: &mut [Holders]) -> duckdb::Result<()> {
    let mut statement = connection.prepare(HOLDERS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let document_no: usize = row.get(0)?;
        let by_bytes: bool = row.get(1)?;
        let holder = Holder {
            id: row.get(2)?,
            content_sha256: row.get(3)?,
            records: row.get(4)?,
            messages: row.get(5)?,
            is_conflict: row.get(6)?,
        };
        if let Some(found) = holders.get_mut(document_no) {
            *(if by_bytes {
                &mut found.of_bytes
            } else {
                &mut found.of_key
            }) = Some(holder);
        }
    }
    Ok(())
}

const STAGE_HASHES: &str = "create or replace temp table stage_hashes (sha256 varchar not null)";

impl Store {
    /// The first item that keeps the bytes of each hash, as far as there is one in the tables.
    pub fn kept(&self, hashes: &[[u8; 32]]) -> Result<HashMap<[u8; 32], ItemNo>> {
        kept(&self.connection, hashes)
    }
}

/// The first item that keeps the bytes of each hash, as far as there is one in the tables.
pub(crate) fn kept(
    connection: &Connection,
    hashes: &[[u8; 32]],
) -> Result<HashMap<[u8; 32], ItemNo>> {
    if hashes.is_empty() {
        return Ok(HashMap::new());
    }
    stage_hashes(connection, hashes)?;
    let found = find_kept(connection).context("looking up known bytes")?;
    let of_text: HashMap<String, ItemNo> = found.into_iter().collect();
    Ok(hashes
        .iter()
        .filter_map(|hash| Some((*hash, *of_text.get(&hex(hash))?)))
        .collect())
}

/// Fills temporary table `stage_hashes`.
pub(super) fn stage_hashes(connection: &Connection, hashes: &[[u8; 32]]) -> Result<()> {
    connection
        .execute_batch(STAGE_HASHES)
        .context("making a staging table")?;
    append_to(connection, "temp", "stage_hashes", hashes, hash_rows)
}

fn hash_rows(hashes: &[[u8; 32]]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.owned_text("sha256", hashes.iter().map(|hash| Some(hex(hash))));
    columns.finish()
}

fn find_kept(connection: &Connection) -> duckdb::Result<Vec<(String, ItemNo)>> {
    let mut statement = connection.prepare(include_str!("../../queries/models/kept_items.sql"))?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
    })?;
    rows.collect()
}

//! One transaction: items, documents, reports, records and roll-ups of a batch, and with them the position.

use anyhow::{Context, Result};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Appender, Connection};

use super::columns::CHUNK_ROWS;
use super::decide::{Decided, DocumentRow, ReadDocument};
use super::holders;
use super::keys::{Key, key};
use super::models::{CLASSIFICATION, CLEAR, MODELS};
use super::settings::Elsewhere;
use super::stage::{Stage, Staged};
use super::working::Store;
use super::{addresses, intake_rows, other_rows, report_rows, retention};
use crate::model::item::{ItemKind, ItemNo, MailHeader, Provenance};

/// An item on its way into table `items`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow {
    /// Its number.
    pub item_no: ItemNo,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Mail or file.
    pub kind: ItemKind,
    /// `kept`, `known`, `dropped` or `expired`.
    pub content: &'static str,
    /// Its size.
    pub bytes: u64,
    /// Where it came from.
    pub provenance: Provenance,
    /// Envelope facts; the raw header is not needed here.
    pub header: MailHeader,
    /// When it was read, seconds since 1970 UTC.
    pub received_utc_secs: i64,
}

/// A transaction; dropped without [`Transaction::commit`], it leaves the tables as they were.
struct Transaction<'c> {
    connection: &'c Connection,
    is_open: bool,
}

impl Store {
    /// Decides how every document of a batch ends and makes all of it durable. Returns the documents in order.
    pub fn commit(&mut self, stage: &Stage, mut staged: Staged) -> Result<Vec<DocumentRow>> {
        let connection = &stage.connection;
        retention::expire_known(connection, &mut staged)?;
        let transaction = Transaction::begin(connection)?;
        append(connection, "items", &staged.items, intake_rows::items)?;
        let decided = self.decide(connection, staged)?;
        append(
            connection,
            "documents",
            &decided.documents,
            intake_rows::documents,
        )?;
        append(
            connection,
            "failure_reports",
            &decided.failures,
            other_rows::failure_reports,
        )?;
        write_tls(connection, &decided)?;
        write_reports(connection, &decided, &self.config.elsewhere)?;
        connection
            .execute_batch(CLEAR)
            .context("dropping the staging tables")?;
        transaction.commit()?;
        self.work_in_log()?;
        stage.make_room(0)?;
        Ok(decided.documents)
    }

    fn decide(&mut self, connection: &Connection, staged: Staged) -> Result<Decided> {
        let documents = || staged.documents.iter().map(|(_, document)| document);
        let key_of = |document: &ReadDocument| document.result.as_ref().ok().and_then(key);
        let keys: Vec<Option<Key>> = documents().map(key_of).collect();
        let with_keys = || documents().zip(keys.iter().map(Option::as_ref));
        let holders = holders::find(connection, with_keys(), &self.seen)?;
        for (document, key) in with_keys() {
            self.seen.note(document.sha256, key);
        }
        let mut decided = Decided::default();
        let documents = staged.documents.into_iter().zip(keys).zip(holders);
        for (((index, document), key), holders) in documents {
            if let Some(item) = staged.items.get(index) {
                decided.add(&self.config, item, (document, key), holders);
            }
        }
        Ok(decided)
    }
}

impl<'c> Transaction<'c> {
    fn begin(connection: &'c Connection) -> Result<Self> {
        connection
            .execute_batch("begin")
            .context("beginning a batch")?;
        Ok(Self {
            connection,
            is_open: true,
        })
    }

    fn commit(mut self) -> Result<()> {
        self.connection
            .execute_batch("commit")
            .context("committing a batch")?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open
            && let Err(error) = self.connection.execute_batch("rollback")
        {
            tracing::warn!("rolling back a batch: {error}");
        }
    }
}

fn write_tls(connection: &Connection, decided: &Decided) -> Result<()> {
    let policies = other_rows::policy_rows(&decided.tls);
    let failures = other_rows::failure_detail_rows(&policies);
    append(
        connection,
        "tls_reports",
        &decided.tls,
        other_rows::tls_reports,
    )?;
    append(
        connection,
        "tls_policies",
        &policies,
        other_rows::tls_policies,
    )?;
    append(
        connection,
        "tls_failures",
        &failures,
        other_rows::tls_failures,
    )
}

fn write_reports(connection: &Connection, decided: &Decided, elsewhere: &Elsewhere) -> Result<()> {
    if decided.reports.is_empty() {
        return Ok(());
    }
    append(
        connection,
        "reports",
        &decided.reports,
        report_rows::reports,
    )?;
    append_to(
        connection,
        "temp",
        "stage_reports",
        &decided.reports,
        report_rows::staged,
    )?;
    addresses::add_new(connection, elsewhere)?;
    classify(connection)?;
    for (name, statement) in MODELS {
        execute(connection, name, statement)?;
    }
    Ok(())
}

/// Finds sender, category and cause of the staged records.
pub(super) fn classify(connection: &Connection) -> Result<()> {
    for (name, statement) in CLASSIFICATION {
        execute(connection, name, statement)?;
    }
    Ok(())
}

pub(super) fn execute(connection: &Connection, name: &str, statement: &str) -> Result<()> {
    connection
        .execute_batch(statement)
        .with_context(|| format!("running queries/models/{name}.sql"))
}

pub(super) fn append<T>(
    connection: &Connection,
    table: &str,
    rows: &[T],
    build: fn(&[T]) -> Result<RecordBatch, ArrowError>,
) -> Result<()> {
    let catalog: String =
        connection.query_row("select current_database()", [], |row| row.get(0))?;
    append_to(connection, &catalog, table, rows, build)
}

/// Appends rows to a table, a chunk at a time.
pub(super) fn append_to<T>(
    connection: &Connection,
    catalog: &str,
    table: &str,
    rows: &[T],
    build: fn(&[T]) -> Result<RecordBatch, ArrowError>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut appender = appender(connection, catalog, table)?;
    for chunk in rows.chunks(CHUNK_ROWS) {
        appender
            .append_record_batch(build(chunk)?)
            .with_context(|| format!("writing table {table}"))?;
    }
    appender
        .flush()
        .with_context(|| format!("writing table {table}"))
}

pub(super) fn appender<'c>(
    connection: &'c Connection,
    catalog: &str,
    table: &str,
) -> Result<Appender<'c>> {
    connection
        .appender_to_catalog_and_db(table, catalog, "main")
        .with_context(|| format!("opening table {table}"))
}

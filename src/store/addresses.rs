//! Table `addresses`: filled as reports tell of addresses, and changed as look-ups and files of networks change.
//!
//! An address has a row where reports tell of it and something is known of it from elsewhere. Its host name is also
//! evidence of a sender: where a new name is, records of before may have to be classified anew.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, params};

use super::batch::{append, append_to};
use super::columns::Columns;
use super::evidence::octets;
use super::findings::forget_judged;
use super::models::{ADDRESS_EVIDENCE, STAGE_ADDRESSES};
use super::reclassify::{STAGE_RENAMED, reclassify};
use super::settings::{Elsewhere, StoreConfig};
use super::stage::Stage;
use super::working::Store;
use crate::ledger::HostNames;
use crate::model::address::NetworkFacts;
use crate::model::day::Day;

/// Keys of `about`: what table `addresses` was filled from.
const HOSTS: &str = "hosts_hash";
const NETWORKS: &str = "networks_hash";

/// What taking new names and files into effect has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learnt {
    /// The table, and records that go by it.
    Shown(Shown),
    /// Nothing yet: so many records would have to be classified anew that all are better loaded.
    Reload,
}

/// What pages may show that they did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Hash of the names of hosts that were in effect before.
    pub before: String,
    /// Domains for which an address sent of which something else is known now.
    pub domains: BTreeSet<String>,
    /// Days on which records are classified otherwise.
    pub days: BTreeSet<Day>,
}

/// A row of the table.
struct Row {
    source_ip: String,
    host_name: Option<String>,
    facts: NetworkFacts,
}

/// An address of which another name is known.
struct Renamed {
    source_ip: String,
    address: IpAddr,
    name: Option<String>,
}

impl Elsewhere {
    fn row(&self, source_ip: String, host_name: Option<String>) -> Option<Row> {
        let address: IpAddr = source_ip.parse().ok()?;
        let facts = self.networks.facts(address);
        (host_name.is_some() || !facts.is_empty()).then_some(Row {
            source_ip,
            host_name,
            facts,
        })
    }

    fn name(&self, source_ip: &str) -> Option<String> {
        let address = source_ip.parse().ok()?;
        self.host_names.name(address).map(str::to_owned)
    }
}

/// Notes in a new database what its addresses are filled from.
pub(super) fn note(connection: &Connection, config: &StoreConfig) -> Result<()> {
    let Elsewhere {
        networks,
        host_names,
    } = &config.elsewhere;
    set(connection, HOSTS, &host_names.hash())?;
    set(connection, NETWORKS, networks.hash())
}

/// Adds the addresses that a batch tells of first. All names count that are known by now: nothing was classified by
/// others.
pub(super) fn add_new(connection: &Connection, elsewhere: &Elsewhere) -> Result<()> {
    if elsewhere.is_empty() {
        return Ok(());
    }
    let sql = include_str!("../../queries/models/new_addresses.sql");
    let mut statement = connection.prepare(sql)?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut rows = Vec::new();
    for source_ip in found {
        let source_ip = source_ip.context("reading new addresses")?;
        let name = elsewhere.name(&source_ip);
        rows.extend(elsewhere.row(source_ip, name));
    }
    append(connection, "addresses", &rows, table)
}

impl Store {
    /// Takes into effect what the ledger says of hosts, and what the configured files say of networks.
    pub fn learn(&mut self, host_names: &Arc<HostNames>) -> Result<Learnt> {
        self.config.elsewhere.host_names = Arc::clone(host_names);
        let (before, after) = (self.noted(HOSTS)?, host_names.hash());
        let has_other_files = self.noted(NETWORKS)? != self.config.elsewhere.networks.hash();
        let mut shown = Shown {
            before: before.clone(),
            ..Shown::default()
        };
        if before == after && !has_other_files {
            return Ok(Learnt::Shown(shown));
        }
        let stage = self.stage()?;
        let connection = &stage.connection;
        let told = told(connection)?;
        let renamed = renamed(&told, host_names);
        stage_renamed(connection, &renamed)?;
        connection.execute_batch("begin")?;
        let learnt = self.rename(&stage, &renamed).and_then(|days| {
            let Some(days) = days else {
                return Ok(Learnt::Reload);
            };
            if !days.is_empty() {
                forget_judged(connection)?;
            }
            shown.days = days;
            shown.domains = domains(connection, &renamed)?;
            if has_other_files {
                self.fill_anew(connection, told)?;
            }
            set(connection, HOSTS, &after)?;
            set(connection, NETWORKS, self.config.elsewhere.networks.hash())?;
            Ok(Learnt::Shown(shown))
        });
        let end = match &learnt {
            Ok(Learnt::Shown(_)) => "commit",
            _ => "rollback",
        };
        connection
            .execute_batch(end)
            .context("ending a transaction")?;
        learnt
    }

    /// Writes the new names, and classifies records by them; `None` where these are too many.
    fn rename(&self, stage: &Stage, renamed: &[Renamed]) -> Result<Option<BTreeSet<Day>>> {
        let connection = &stage.connection;
        connection.execute_batch(STAGE_ADDRESSES)?;
        connection.execute_batch(ADDRESS_EVIDENCE)?;
        connection
            .execute_batch("create or replace temp table stage_before as from stage_addresses")?;
        let gone = "delete from addresses where source_ip in (select source_ip from stage_records)";
        connection.execute_batch(gone)?;
        let rows = renamed.iter().filter_map(|one| {
            let elsewhere = &self.config.elsewhere;
            elsewhere.row(one.source_ip.clone(), one.name.clone())
        });
        append(connection, "addresses", &rows.collect::<Vec<_>>(), table)?;
        connection.execute_batch(STAGE_ADDRESSES)?;
        connection.execute_batch(ADDRESS_EVIDENCE)?;
        connection.execute_batch(STAGE_RENAMED)?;
        let sql = include_str!("../../queries/models/recognised_otherwise.sql");
        connection
            .execute_batch(sql)
            .context("looking for records that names may classify")?;
        reclassify(stage)
    }

    /// Looks all addresses up in other files.
    fn fill_anew(
        &self,
        connection: &Connection,
        told: Vec<(String, Option<String>)>,
    ) -> Result<()> {
        connection.execute_batch("delete from addresses")?;
        let elsewhere = &self.config.elsewhere;
        let rows = told.into_iter().filter_map(|(source_ip, _)| {
            let name = elsewhere.name(&source_ip);
            elsewhere.row(source_ip, name)
        });
        append(connection, "addresses", &rows.collect::<Vec<_>>(), table)
    }

    fn noted(&self, key: &str) -> Result<String> {
        let sql = "select coalesce(max(value), '') from about where key = ?";
        let value = self.connection.query_row(sql, [key], |row| row.get(0));
        value.with_context(|| format!("reading {key}"))
    }
}

/// All addresses that reports tell of, with the names that are in effect.
fn told(connection: &Connection) -> Result<Vec<(String, Option<String>)>> {
    let sql = include_str!("../../queries/models/told_addresses.sql");
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect::<duckdb::Result<_>>()
        .context("reading the addresses")
}

fn renamed(told: &[(String, Option<String>)], host_names: &HostNames) -> Vec<Renamed> {
    let renamed = told.iter().filter_map(|(source_ip, had)| {
        let address: IpAddr = source_ip.parse().ok()?;
        let has = host_names.name(address);
        (had.as_deref() != has).then(|| Renamed {
            source_ip: source_ip.clone(),
            address,
            name: has.map(str::to_owned),
        })
    });
    renamed.collect()
}

/// As much of the staging tables as the evidence of addresses is found by.
fn stage_renamed(connection: &Connection, renamed: &[Renamed]) -> Result<()> {
    connection.execute_batch(
        "create or replace temp table stage_records (source_ip varchar not null, address_key bigint not null,
            address blob not null)",
    )?;
    append_to(connection, "temp", "stage_records", renamed, staged)
}

fn domains(connection: &Connection, renamed: &[Renamed]) -> Result<BTreeSet<String>> {
    // The staging table may have been used for something else meanwhile.
    stage_renamed(connection, renamed)?;
    let sql = "select distinct domain from sources semi join stage_records using (source_ip) order by domain";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect::<duckdb::Result<_>>()
        .context("reading the domains of addresses")
}

fn set(connection: &Connection, key: &str, value: &str) -> Result<()> {
    connection.execute("delete from about where key = ?", [key])?;
    if !value.is_empty() {
        connection.execute("insert into about values (?, ?)", params![key, value])?;
    }
    Ok(())
}

fn staged(renamed: &[Renamed]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.text("source_ip", renamed.iter().map(|one| Some(&*one.source_ip)));
    columns.bigint("address_key", (0..).take(renamed.len()).map(Some));
    columns.blob(
        "address",
        renamed.iter().map(|one| Some(octets(one.address))),
    );
    columns.finish()
}

fn table(rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.text("source_ip", rows.iter().map(|row| Some(&*row.source_ip)));
    columns.text("host_name", rows.iter().map(|row| row.host_name.as_deref()));
    columns.text(
        "country",
        rows.iter().map(|row| row.facts.country.as_deref()),
    );
    columns.bigint("asn", rows.iter().map(|row| row.facts.asn.map(i64::from)));
    columns.text(
        "network",
        rows.iter().map(|row| row.facts.network.as_deref()),
    );
    columns.finish()
}

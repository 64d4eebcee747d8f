//! Senders of the configuration and well-known services -> table `senders`, and what they are known by for a batch.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use duckdb::Connection;
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use ipnet::IpNet;

use super::batch::{append, append_to};
use super::columns::Columns;
use super::evidence::octets;
use super::models::KNOWN;
use super::settings::{KnownSender, StoreConfig};
use crate::model::service::Service;

/// A row of table `senders`.
#[derive(Default)]
struct Row {
    sender: String,
    name: String,
    kind: String,
    approved_for: Vec<String>,
    networks: Vec<String>,
    dkim_domains: Vec<String>,
    dkim_selectors: Vec<String>,
    spf_domains: Vec<String>,
    ptr_domains: Vec<String>,
    spf_include: Vec<String>,
    aligns_spf: String,
    aligns_dkim: String,
    rides_on: Vec<String>,
    aligned_dkim: bool,
}

/// A piece of evidence of a sender: its strength, 1 the strongest, its mechanism and its value.
type Piece<'a> = (&'a str, i32, &'static str, &'a str);

type Network<'a> = (&'a str, &'a IpNet);

/// Fills table `senders` of a new database.
pub fn note(connection: &Connection, config: &StoreConfig) -> Result<()> {
    append(connection, "senders", &rows(config), table)
}

/// Makes the temporary tables of what senders are known by, and the type of their identifiers: a number a row.
pub fn stage(connection: &Connection, config: &StoreConfig) -> Result<()> {
    let rows = rows(config);
    // The empty one is nobody's: a type has at least one value.
    let ids: Vec<String> = std::iter::once("")
        .chain(rows.iter().map(|row| &*row.sender))
        .map(|id| format!("'{}'", id.replace('\'', "''")))
        .collect();
    connection
        .execute_batch(&format!(
            "create or replace temp type sender_id as enum ({})",
            ids.join(", ")
        ))
        .context("making the type of senders")?;
    connection
        .execute_batch(KNOWN)
        .context("making the tables of evidence")?;
    let networks: Vec<Network<'_>> = (config.known_senders.iter())
        .flat_map(|sender| sender.networks.iter().map(|n| (&*sender.sender, n)))
        .collect();
    append_to(connection, "temp", "stage_networks", &networks, of_networks)?;
    append_to(
        connection,
        "temp",
        "stage_evidence",
        &pieces(config),
        of_pieces,
    )
}

/// What the user says of a sender that is called like a service goes with what is known of the service.
fn rows(config: &StoreConfig) -> Vec<Row> {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for known in &config.services {
        let row = of_service(&known.service, &known.approved_for);
        rows.insert(&known.service.id, row);
    }
    for sender in &config.known_senders {
        let row = rows.entry(&sender.sender).or_insert_with(|| Row {
            sender: sender.sender.clone(),
            name: sender.name.clone(),
            kind: "configured".to_owned(),
            ..Row::default()
        });
        add(row, sender);
    }
    rows.into_values().collect()
}

fn of_service(service: &Service, approved_for: &[String]) -> Row {
    let service = service.clone();
    Row {
        sender: service.id,
        name: service.name,
        kind: service.kind,
        approved_for: approved_for.to_vec(),
        dkim_domains: service.dkim_domains,
        dkim_selectors: service.dkim_selectors,
        spf_domains: service.mail_from_domains,
        ptr_domains: service.ptr_domains,
        spf_include: service.spf_include,
        aligns_spf: service.aligns_spf,
        aligns_dkim: service.aligns_dkim,
        rides_on: service.rides_on,
        ..Row::default()
    }
}

fn add(row: &mut Row, sender: &KnownSender) {
    row.networks = sender.networks.iter().map(IpNet::to_string).collect();
    row.aligned_dkim = sender.aligned_dkim;
    for (into, more) in [
        (&mut row.approved_for, &sender.approved_for),
        (&mut row.dkim_domains, &sender.dkim_domains),
        (&mut row.spf_domains, &sender.spf_domains),
    ] {
        into.extend_from_slice(more);
        into.sort_unstable();
        into.dedup();
    }
}

/// Evidence of the user before that of services; addresses, the first of all, and an aligned DKIM pass, the fourth, are
/// no names.
fn pieces(config: &StoreConfig) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for sender in &config.known_senders {
        let id = sender.sender.as_str();
        pieces.extend(sender.dkim_domains.iter().map(|d| (id, 2, "dkim", &**d)));
        pieces.extend(sender.spf_domains.iter().map(|d| (id, 3, "spf", &**d)));
    }
    for known in &config.services {
        let strength = |mechanism| match mechanism {
            "dkim" => 5,
            "spf" => 6,
            "selector" => 7,
            _ => 8,
        };
        let of_service = known.service.evidence();
        pieces.extend(of_service.map(|(mechanism, value)| {
            let id = known.service.id.as_str();
            (id, strength(mechanism), mechanism, value)
        }));
    }
    pieces
}

fn table(rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    let text = |text: &str| (!text.is_empty()).then_some(text).map(str::to_owned);
    columns.text("sender", rows.iter().map(|r| Some(&*r.sender)));
    columns.text("name", rows.iter().map(|r| Some(&*r.name)));
    columns.text("kind", rows.iter().map(|r| Some(&*r.kind)));
    columns.texts("approved_for", rows.iter().map(|r| Some(&*r.approved_for)));
    columns.texts("networks", rows.iter().map(|r| Some(&*r.networks)));
    columns.texts("dkim_domains", rows.iter().map(|r| Some(&*r.dkim_domains)));
    columns.texts(
        "dkim_selectors",
        rows.iter().map(|r| Some(&*r.dkim_selectors)),
    );
    columns.texts("spf_domains", rows.iter().map(|r| Some(&*r.spf_domains)));
    columns.texts("ptr_domains", rows.iter().map(|r| Some(&*r.ptr_domains)));
    columns.texts("spf_include", rows.iter().map(|r| Some(&*r.spf_include)));
    columns.owned_text("aligns_spf", rows.iter().map(|r| text(&r.aligns_spf)));
    columns.owned_text("aligns_dkim", rows.iter().map(|r| text(&r.aligns_dkim)));
    columns.texts("rides_on", rows.iter().map(|r| Some(&*r.rides_on)));
    columns.boolean("aligned_dkim", rows.iter().map(|r| Some(r.aligned_dkim)));
    columns.finish()
}

fn of_pieces(pieces: &[Piece<'_>]) -> Result<RecordBatch, ArrowError> {
    let mut columns = Columns::default();
    columns.text("sender", pieces.iter().map(|piece| Some(piece.0)));
    columns.integer("strength", pieces.iter().map(|piece| Some(piece.1)));
    columns.text("mechanism", pieces.iter().map(|piece| Some(piece.2)));
    columns.text("value", pieces.iter().map(|piece| Some(piece.3)));
    columns.finish()
}

fn of_networks(networks: &[Network<'_>]) -> Result<RecordBatch, ArrowError> {
    let bits = |network: &IpNet| {
        i32::from(network.prefix_len()) + if network.addr().is_ipv4() { 96 } else { 0 }
    };
    let all = || networks.iter();
    let mut columns = Columns::default();
    columns.text("sender", all().map(|(sender, _)| Some(*sender)));
    columns.owned_text("network", all().map(|(_, n)| Some(n.trunc().to_string())));
    columns.blob(
        "first_address",
        all().map(|(_, n)| Some(octets(n.network()))),
    );
    columns.blob(
        "last_address",
        all().map(|(_, n)| Some(octets(n.broadcast()))),
    );
    columns.integer("prefix_bits", all().map(|(_, n)| Some(bits(n))));
    columns.finish()
}

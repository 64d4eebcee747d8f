//! Batches on a real working database: outcomes, classification, roll-ups.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use duckdb::Connection;

use super::batch::ItemRow;
use super::decide::{ReadDocument, Refused};
use super::record_rows::RecordRows;
use super::settings::{KnownSender, StoreConfig};
use super::working::Store;
use crate::model::aggregate::{AggregateHead, Disposition, DkimResult, Reason, Record, SpfResult};
use crate::model::failure::FailureReport;
use crate::model::item::{ItemKind, MailHeader, Provenance};
use crate::model::limits::Limits;
use crate::model::tls::{TlsFailure, TlsPolicy, TlsReport};
use crate::parse::Report;

mod compare;
mod lake;
mod meaning;
mod retention;
mod senders;

const DAY_SECS: i64 = 86_400;
/// 2023-11-14T00:00:00Z
const MIDNIGHT: i64 = 1_699_920_000;

fn config(folder: &Path) -> StoreConfig {
    StoreConfig {
        path: folder.join("work/sentinel.duckdb"),
        memory_limit_bytes: 256 << 20,
        threads: 2,
        code_hash: "code".into(),
        config_hash: "config".into(),
        load_hash: "load".into(),
        domains: None,
        known_senders: Vec::new(),
        services: Vec::new(),
        limits: Limits::default(),
        retention_months: None,
        retention: None,
        elsewhere: Default::default(),
    }
}

fn record(ip: &str, messages: u64, dkim_aligned: bool, spf_aligned: bool) -> Record {
    Record {
        source_ip: ip.parse::<IpAddr>().ok(),
        messages,
        disposition: Some(Disposition::None),
        dkim_aligned,
        spf_aligned,
        header_from: Some("example.com".into()),
        ..Record::default()
    }
}

fn dkim(domain: &str, result: &'static str, aligned: bool) -> DkimResult {
    DkimResult {
        domain: Some(domain.into()),
        result: Some(result),
        aligned,
        ..DkimResult::default()
    }
}

fn spf(domain: &str, result: &'static str, aligned: bool) -> SpfResult {
    SpfResult {
        domain: Some(domain.into()),
        result: Some(result),
        aligned,
        ..SpfResult::default()
    }
}

fn reason(kind: &'static str, comment: &str) -> Reason {
    Reason {
        kind,
        comment: Some(comment.into()),
    }
}

fn head(report_id: &str, records: &[Record]) -> AggregateHead {
    let messages = records.iter().map(|r| r.messages).sum();
    AggregateHead {
        org_name: "Receiver".into(),
        org_domain: "receiver.example".into(),
        report_id: report_id.into(),
        begin_utc_secs: MIDNIGHT,
        end_utc_secs: MIDNIGHT + DAY_SECS - 1,
        domain: "example.com".into(),
        p: Some("reject".into()),
        schema: "rfc7489",
        record_count: records.len() as u64,
        messages,
        passed: records
            .iter()
            .filter(|r| r.dmarc_pass())
            .map(|r| r.messages)
            .sum(),
        // stands for the hash of the records
        records_sha256: [(messages % 251) as u8; 32],
        ..AggregateHead::default()
    }
}

fn item(item_no: u64) -> ItemRow {
    ItemRow {
        item_no,
        sha256: [item_no as u8; 32],
        kind: ItemKind::File,
        content: "kept",
        bytes: 100,
        provenance: Provenance {
            source: "file".into(),
            path: Some(format!("{item_no}.xml")),
            ..Provenance::default()
        },
        header: MailHeader::default(),
        received_utc_secs: MIDNIGHT,
    }
}

/// A document: one byte that stands for its hash, and how it read.
type Read = (u8, Result<(Report, Vec<Record>), Refused>);

fn aggregate(hash: u8, head: AggregateHead, records: Vec<Record>) -> Read {
    (hash, Ok((Report::Aggregate(Box::new(head)), records)))
}

/// Commits items of one document each as one batch; returns outcome and detail of each.
fn commit(store: &mut Store, documents: Vec<Read>) -> Vec<(&'static str, String)> {
    let first = store.position().unwrap() + 1;
    let mut rows = RecordRows::default();
    let stage = store.stage().unwrap();
    let mut batch = stage.begin().unwrap();
    for (item_no, (hash, result)) in (first..).zip(documents) {
        let load_key = item_no as i64;
        let result = result.map(|(report, records)| {
            for (record_no, record) in (1..).zip(records) {
                rows.push(
                    load_key,
                    Record {
                        record_no,
                        ..record
                    },
                );
            }
            report
        });
        let document = ReadDocument {
            path: String::new(),
            sha256: Some([hash; 32]),
            load_key,
            result,
        };
        batch.add(item(item_no), vec![document]);
    }
    if let Some(records) = rows.take().unwrap() {
        batch.stage(records).unwrap();
    }
    let staged = batch.end().unwrap();
    let documents = store.commit(&stage, staged).unwrap();
    documents
        .into_iter()
        .map(|d| (d.outcome.as_str(), d.detail.unwrap_or_default()))
        .collect()
}

/// Rows of a query, each as one line.
fn lines(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection
        .prepare(&format!("select columns(*)::varchar from ({sql})"))
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    let columns = rows.as_ref().unwrap().column_count();
    let mut lines = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        let value = |column| {
            row.get::<_, Option<String>>(column)
                .unwrap()
                .unwrap_or_else(|| "-".into())
        };
        lines.push((0..columns).map(value).collect::<Vec<_>>().join(" "));
    }
    lines
}

#[test]
fn each_document_ends_in_one_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.domains = Some(BTreeSet::from(["example.com".to_owned()]));
    let mut store = Store::open(config).unwrap();
    let one = || vec![record("192.0.2.1", 3, true, true)];
    let other = || vec![record("192.0.2.1", 4, true, true)];
    let foreign = AggregateHead {
        domain: "example.net".into(),
        ..head("r9", &one())
    };
    let below = AggregateHead {
        domain: "a.example.com".into(),
        ..head("r1", &one())
    };
    let absurd = AggregateHead {
        messages: 1 << 50,
        ..head("r8", &one())
    };
    let refused = |code: &str| Refused {
        code: code.into(),
        message: "why".into(),
    };
    let first = vec![
        aggregate(1, head("r1", &one()), one()),
        aggregate(1, head("r1", &one()), one()),
        aggregate(2, head("r1", &one()), one()),
        aggregate(3, head("r1", &other()), other()),
        aggregate(4, head("r2", &[]), vec![]),
        aggregate(5, foreign, one()),
        aggregate(6, below, one()),
        aggregate(7, absurd, one()),
        (8, Err(refused("gzip-corrupt"))),
        (9, Err(refused("not-a-report"))),
    ];
    let id = "01".repeat(16);
    let conflict = format!(
        "report {id} keeps the key with 1 records and 3 messages; this one has 1 records and 4 messages"
    );
    let expect = [
        ("accepted", String::new()),
        ("duplicate", format!("the same bytes as report {id}")),
        ("duplicate", format!("the same records as report {id}")),
        ("conflict", conflict.clone()),
        ("no-traffic", String::new()),
        ("foreign", String::new()),
        ("accepted", String::new()),
        (
            "refused",
            "1125899906842624 messages in one report; at most 1000000000000 are believable".into(),
        ),
        ("refused", "why".into()),
        ("not-a-report", "why".into()),
    ];
    assert_eq!(commit(&mut store, first), expect);
    let again = vec![
        aggregate(1, head("r1", &one()), one()),
        aggregate(12, head("r1", &one()), one()),
        aggregate(13, head("r1", &other()), other()),
        aggregate(4, head("r2", &[]), vec![]),
    ];
    let outcomes: Vec<_> = commit(&mut store, again)
        .into_iter()
        .map(|(outcome, _)| outcome)
        .collect();
    assert_eq!(
        outcomes,
        ["duplicate", "duplicate", "conflict", "duplicate"]
    );
    assert_eq!(store.position().unwrap(), 14);
    let counts = lines(
        store.connection(),
        "select (select count(*) from reports), (select count(*) from records)",
    );
    assert_eq!(counts, ["3 2"]);
}

#[test]
fn a_conflict_that_comes_again_is_a_duplicate() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let report = |hash: u8, messages: u64| {
        let records = vec![record("192.0.2.1", messages, true, true)];
        aggregate(hash, head("r1", &records), records)
    };
    let id = "01".repeat(16);
    let again = format!("the same bytes as an earlier conflict with report {id}");
    let ends = commit(&mut store, vec![report(1, 3), report(2, 4), report(2, 4)]);
    assert_eq!(
        [ends[1].0, ends[2].0, &ends[2].1],
        ["conflict", "duplicate", &again]
    );
    let ends = commit(&mut store, vec![report(2, 4), report(3, 5), report(1, 3)]);
    assert_eq!(
        ends.iter().map(|end| end.0).collect::<Vec<_>>(),
        ["duplicate", "conflict", "duplicate"]
    );
    assert_eq!(ends[0].1, again);
}

#[test]
fn a_key_is_found_again_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let one = || vec![record("192.0.2.1", 3, true, true)];
    commit(&mut store, vec![aggregate(1, head("r1", &one()), one())]);
    store.close().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    assert_eq!(
        commit(&mut store, vec![aggregate(2, head("r1", &one()), one())])[0].0,
        "duplicate"
    );
}

#[test]
fn other_code_or_configuration_empties_the_working_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    commit(
        &mut store,
        vec![(
            1,
            Err(Refused {
                code: "x".into(),
                message: "y".into(),
            }),
        )],
    );
    store.close().unwrap();
    let kept = Store::open(config(folder.path())).unwrap();
    assert_eq!(kept.position().unwrap(), 1);
    kept.close().unwrap();
    let changed = Store::open(StoreConfig {
        load_hash: "other".into(),
        ..config(folder.path())
    })
    .unwrap();
    assert_eq!(changed.position().unwrap(), 0);
    changed.close().unwrap();
    std::fs::write(
        folder.path().join("work/sentinel.duckdb"),
        b"not a database at all",
    )
    .unwrap();
    assert_eq!(
        Store::open(config(folder.path()))
            .unwrap()
            .position()
            .unwrap(),
        0
    );
}

#[test]
fn a_batch_that_is_dropped_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let mut rows = RecordRows::default();
    rows.push(1, record("192.0.2.1", 3, true, true));
    let stage = store.stage().unwrap();
    let mut batch = stage.begin().unwrap();
    batch.stage(rows.take().unwrap().unwrap()).unwrap();
    batch.add(item(1), vec![]);
    drop(batch);
    assert_eq!(store.position().unwrap(), 0);
    let empty = stage.begin().unwrap().end().unwrap();
    store.commit(&stage, empty).unwrap();
    assert_eq!(store.position().unwrap(), 0);
}

#[test]
fn wide_reports_of_every_kind_weigh_in_a_batch() {
    let weight = |report: Report| {
        let document = ReadDocument {
            path: String::new(),
            sha256: None,
            load_key: 0,
            result: Ok(report),
        };
        document.weight()
    };
    let failures = vec![TlsFailure::default(); 1_000];
    let policies = vec![TlsPolicy {
        failures,
        ..TlsPolicy::default()
    }];
    let tls = TlsReport {
        policies,
        ..TlsReport::default()
    };
    assert_eq!(weight(Report::Tls(Box::new(tls))), 1_002);
    let failure = FailureReport {
        spf_dns: vec!["x".repeat(4_096); 200],
        ..FailureReport::default()
    };
    assert!(weight(Report::Failure(Box::new(failure))) > 10_000);
    assert_eq!(weight(Report::Failure(Box::default())), 1);
    assert_eq!(weight(Report::Aggregate(Box::default())), 0);
}

#[test]
fn tls_and_failure_reports_get_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let failure = TlsFailure {
        result_type: Some("certificate-expired".into()),
        failed_sessions: 2,
        ..TlsFailure::default()
    };
    let policy = TlsPolicy {
        policy_type: Some("sts".into()),
        domain: "example.com".into(),
        mx_hosts: vec!["mx.example.com".into()],
        successful_sessions: 5,
        failed_sessions: 2,
        failures: vec![failure],
        ..TlsPolicy::default()
    };
    let tls = TlsReport {
        org_domain: "receiver.example".into(),
        report_id: "t1".into(),
        begin_utc_secs: MIDNIGHT,
        end_utc_secs: MIDNIGHT + DAY_SECS,
        policies: vec![policy],
        ..TlsReport::default()
    };
    let arf = FailureReport {
        domain: "example.com".into(),
        arrival_utc_secs: Some(MIDNIGHT + 5),
        source_ip: "192.0.2.1".parse().ok(),
        incidents: 1,
        auth_failures: vec!["dmarc".into()],
        identity_alignment: Some(vec![]),
        ..FailureReport::default()
    };
    let read = |hash, report: Report| -> Read { (hash, Ok((report, vec![]))) };
    let tls = || Report::Tls(Box::new(tls.clone()));
    let other = TlsReport {
        policies_sha256: [9; 32],
        ..match tls() {
            Report::Tls(t) => *t,
            _ => TlsReport::default(),
        }
    };
    let arf = || Report::Failure(Box::new(arf.clone()));
    let outcomes = |documents: Vec<(&'static str, String)>| {
        documents.into_iter().map(|d| d.0).collect::<Vec<_>>()
    };
    let documents = vec![
        read(1, tls()),
        read(2, tls()),
        read(3, Report::Tls(Box::new(other))),
        read(4, arf()),
        read(4, arf()),
    ];
    assert_eq!(
        outcomes(commit(&mut store, documents)),
        ["accepted", "duplicate", "conflict", "accepted", "duplicate"]
    );
    let again = vec![read(5, tls()), read(1, tls()), read(4, arf())];
    assert_eq!(
        outcomes(commit(&mut store, again)),
        ["duplicate", "duplicate", "duplicate"]
    );
    let found = lines(
        store.connection(),
        "select r.org_domain, r.day, p.domain, p.mx_hosts, p.successful_sessions, f.result_type, f.failed_sessions
        from tls_reports r join tls_policies p on p.report = r.id join tls_failures f on f.report = r.id",
    );
    assert_eq!(
        found,
        ["receiver.example 2023-11-14 example.com [mx.example.com] 5 certificate-expired 2"]
    );
    let found = lines(
        store.connection(),
        "select day, domain, source_ip, auth_failures, identity_alignment, spf_dns from failure_reports",
    );
    assert_eq!(found, ["2023-11-14 example.com 192.0.2.1 [dmarc] [] []"]);
}

#[test]
fn every_table_and_column_has_its_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(config(folder.path())).unwrap();
    let columns = "select table_name || '.' || column_name from duckdb_columns()
        where comment is null and not internal order by all";
    assert_eq!(lines(store.connection(), columns), Vec::<String>::new());
    let tables = "select table_name from duckdb_tables() where comment is null and not temporary
        union all select view_name from duckdb_views() where comment is null and not internal";
    assert_eq!(lines(store.connection(), tables), Vec::<String>::new());
}

#[test]
fn the_file_can_be_read_by_duckdb_1_4_and_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(config(folder.path())).unwrap();
    let closed = store.close().unwrap();
    let file = Connection::open(closed.path).unwrap();
    let form = "select tags['storage_version'] from duckdb_databases() where not internal";
    assert_eq!(lines(&file, form), ["v1.4.0+"]);
}

#[test]
fn auth_results_has_a_row_for_each_result() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let full = Record {
        dkim: vec![
            dkim("example.com", "pass", true),
            dkim("esp.example", "pass", false),
        ],
        spf: vec![spf("bounce.example", "fail", false)],
        ..record("192.0.2.1", 2, true, false)
    };
    let records = vec![full, record("192.0.2.2", 1, false, false)];
    commit(
        &mut store,
        vec![aggregate(1, head("r1", &records), records)],
    );
    let sql = "select record_no, mechanism, result_no, policy_domain, domain, result, aligned
        from auth_results order by record_no, mechanism, result_no";
    assert_eq!(
        lines(store.connection(), sql),
        [
            "1 dkim 1 example.com example.com pass true",
            "1 dkim 2 example.com esp.example pass false",
            "1 spf 1 example.com bounce.example fail false"
        ]
    );
}

//! Reports that are older than the retention are gone from tables, lake and site, and the archive and the ledger say so
//! alone: whatever the runs were, what they leave gives the same once more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use sentinel::archive::Archive;

use crate::product::{AS_OF, Mailbox, Product, until};

const ONE_MONTH: &str = "retention:\n  months: 1\n";
/// What one month means at [`AS_OF`].
const CUT_OFF: &str = "2026-02-01";
/// A century from now: every month before it is closed.
const LATER_UTC_SECS: i64 = 4_900_000_000;

/// Four months of reports, and late copies of the first of them.
fn mailbox() -> Mailbox {
    let mut mailbox = Mailbox::invented(240, 110);
    for index in [0, 1, 2] {
        let copy = mailbox.bytes(index);
        mailbox.add("late copy.eml", &copy);
    }
    mailbox
}

/// The same archive and ledger, and nothing else.
fn restored(product: &Product) -> Product {
    let other = Product::with_config(ONE_MONTH);
    for folder in ["archive", "ledger"] {
        let (from, to) = (product.data().join(folder), other.data().join(folder));
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    let said = other.run(&["rebuild"]);
    assert_eq!(said.code, 0, "{}", said.err);
    other
}

fn assert_gone(product: &Product, what: &str) {
    for table in [
        "reports",
        "records",
        "tls_reports",
        "tls_policies",
        "tls_failures",
        "failure_reports",
    ] {
        let sql = format!("select count(*) as n from {table} where day < date '{CUT_OFF}'");
        assert_eq!(product.query(&[&sql])[0]["n"], 0, "{what}: {table}");
    }
    let manifest = product.current().manifest;
    let cut_off = format!("day={CUT_OFF}");
    for path in manifest
        .files
        .keys()
        .filter(|path| path.starts_with("lake/"))
    {
        let day = path.split('/').nth(2).unwrap();
        assert!(day >= cut_off.as_str(), "{what}: {path}");
    }
    let pages = manifest
        .files
        .keys()
        .filter(|path| path.starts_with("site/reports/"));
    let reports = product.query(&["select count(*) as n from reports"]);
    assert!(
        pages.count() as u64 >= reports[0]["n"].as_u64().unwrap(),
        "{what}"
    );
    assert_eq!(
        manifest.values.expired_before.unwrap().to_string(),
        CUT_OFF,
        "{what}"
    );
}

#[test]
fn what_the_runs_leave_gives_the_same_site_lake_and_tables_once_more() {
    let mailbox = mailbox();
    let names = &mailbox.names;
    let last = names.len();
    for steps in [
        vec![(last, AS_OF)],
        vec![(90, "2025-12-20"), (170, "2026-01-20"), (last, AS_OF)],
        vec![(last, "2025-12-20"), (last, AS_OF)],
    ] {
        let product = Product::with_config(ONE_MONTH);
        let mut begin = 0;
        for (end, as_of) in &steps {
            let said = match begin == *end {
                true => product.poll_as_of(as_of),
                false => product.ingest_as_of(&mailbox, &names[begin..*end], as_of),
            };
            assert!(said.code <= 1, "{}", said.err);
            product.assert_verified(&format!("{steps:?} {as_of}"));
            begin = *end;
        }
        assert_gone(&product, &format!("{steps:?}"));
        assert!(product.outcomes()["expired"] > 50, "{steps:?}");
        product.assert_same(&restored(&product), &format!("{steps:?}"));
    }
}

#[test]
fn bytes_that_expired_are_not_missed() {
    let mailbox = mailbox();
    let product = Product::with_config(ONE_MONTH);
    product.ingest_as_of(&mailbox, &mailbox.names[..50], "2025-12-20");
    product.ingest_as_of(&mailbox, &mailbox.names[50..100], "2025-12-20");
    product.ingest(&mailbox, &mailbox.names[100..]);
    let sql = "select item_no from items where content = 'expired' order by all";
    let expired: Vec<u64> = product
        .query(&[sql])
        .iter()
        .map(|row| row["item_no"].as_u64().unwrap())
        .collect();
    let ranges: Vec<_> = expired.iter().map(|item_no| *item_no..=*item_no).collect();
    let mut archive = Archive::open(&product.data().join("archive")).unwrap();
    let pruned = archive.prune(LATER_UTC_SECS, &ranges, "expired").unwrap();
    assert_eq!(pruned.pruned_items, expired.len() as u64);
    assert!(pruned.bytes_after < pruned.bytes_before, "{pruned:?}");
    product.assert_verified("pruned");
    let joined = archive.compact(LATER_UTC_SECS).unwrap();
    assert_eq!((joined.segments_before, joined.segments_after), (2, 1));
    product.assert_verified("joined");
    product.assert_same(&restored(&product), "restored");
    let said = product.ingest(&mailbox, &mailbox.names[..5]);
    assert!(
        said.err.contains("5 older than the retention"),
        "{}",
        said.err
    );
    product.assert_verified("the same files again");
}

#[test]
fn a_run_that_died_behind_the_cut_off_is_finished_by_the_next() {
    let mailbox = mailbox();
    let middle = mailbox.names.len() / 2;
    for moment in ["the cut-off is in the ledger", "pages are drawn"] {
        let product = Product::with_config(ONE_MONTH);
        product.ingest_as_of(&mailbox, &mailbox.names[..middle], "2025-12-20");
        let mut run = product.start_ingest(&mailbox, &mailbox.names[middle..]);
        let is_there = || match moment {
            "pages are drawn" => product
                .data()
                .join("public/releases/.staging/site")
                .exists(),
            _ => {
                let ledger = fs::read_to_string(product.data().join("ledger/events.jsonl"));
                ledger.unwrap().contains(&format!("\"{CUT_OFF}\""))
            }
        };
        let is_seen = until(is_there);
        run.kill().unwrap();
        run.wait().unwrap();
        assert!(is_seen, "never seen: {moment}");
        product.assert_verified(moment);
        assert!(product.poll().code <= 1);
        let archived = product.current().manifest.values.archive_position as usize;
        if archived < mailbox.names.len() {
            product.ingest(&mailbox, &mailbox.names[archived..]);
        }
        assert_gone(&product, moment);
        product.assert_verified(moment);
        product.assert_same(&restored(&product), moment);
    }
}

#[test]
fn months_can_be_fewer_later_but_what_is_gone_stays_gone() {
    let mailbox = mailbox();
    let product = Product::new();
    product.ingest(&mailbox, &mailbox.names);
    let had = "select source_ip, domain, first_day from sources order by all";
    let firsts = product.query(&[had]);
    product.configure("retention:\n  months: 2\n");
    product.poll();
    let some = product.outcomes()["expired"];
    product.configure(ONE_MONTH);
    product.poll();
    assert!(product.outcomes()["expired"] > some);
    let sources = product.query(&[had]);
    assert!(sources.len() < firsts.len() && sources.iter().all(|source| firsts.contains(source)));
    let seen = "select count(*) as n from first_seen where kind = 'source'";
    assert!(product.query(&[seen])[0]["n"].as_u64().unwrap() > 0);
    assert_gone(&product, "one month");
    for more in ["", "retention:\n  months: 24\n"] {
        product.configure(more);
        product.poll();
        assert_gone(&product, more);
        let said = product.run(&["check"]);
        assert!(
            said.out
                .contains(&format!("reports before {CUT_OFF} are gone")),
            "{}",
            said.out
        );
    }
}

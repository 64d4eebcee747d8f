//! What tells two databases apart.

use super::*;

/// Fills table `sources` with so many rows and changes the last few.
fn fill(store: &Store, rows: u64, changed: u64) {
    let sql = format!(
        "insert into sources by name
        select repeat(md5(n::varchar), 8) as source_ip, 'example.com' as domain, date '2026-03-01' as first_day,
            date '2026-03-01' as last_day, case when n > {rows} - {changed} then n + 1 else n end as messages,
            0 as passed, 0 as dkim_aligned, 0 as spf_aligned, 0 as compliant, 0 as forwarded_pass,
            0 as forwarded_fail, 0 as misconfigured, 0 as known_unapproved, 0 as unknown, 0 as threat
        from range(1, {rows} + 1) r(n)"
    );
    store.connection.execute_batch(&sql).unwrap();
    store.checkpoint().unwrap();
}

#[test]
fn differences_are_counted_in_tables_larger_than_memory() {
    const ROWS: u64 = 600_000;
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [one, same, other] = folders.each_ref().map(|folder| {
        let config = StoreConfig {
            memory_limit_bytes: 64 << 20,
            ..config(folder.path())
        };
        Store::open(config).unwrap()
    });
    fill(&one, ROWS, 0);
    fill(&same, ROWS, 0);
    fill(&other, ROWS, 3);
    let differences = |with: Store| {
        let closed = with.close().unwrap();
        one.attach(&closed.path).unwrap();
        let differences = one.differences().unwrap();
        one.detach().unwrap();
        differences
    };
    assert_eq!(differences(same), Vec::<String>::new());
    let line = "table sources: 3 rows are published that a rebuild does not give, 3 the other way";
    assert_eq!(differences(other), [line]);
}

#[test]
fn rows_that_are_not_the_same_have_other_fingerprints() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(config(folder.path())).unwrap();
    let rows = [
        "null::varchar[]",
        "[]::varchar[]",
        "[null::varchar]",
        "['NULL']",
        "['']",
        "['a', 'b']",
        "['b', 'a']",
    ];
    let fingerprints = rows.map(|row| {
        let row = format!("(select {row} as list) r");
        store.fingerprint(&row).unwrap()
    });
    let distinct: std::collections::HashSet<_> = fingerprints.iter().collect();
    assert_eq!(distinct.len(), rows.len(), "{fingerprints:?}");
}

#[test]
fn what_is_odd_in_either_schema_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let one = Store::open(config(&folder.path().join("one"))).unwrap();
    let other = Store::open(config(&folder.path().join("other"))).unwrap();
    let alter = |store: &Store, column: &str| {
        let sql = format!("alter table documents add column {column} integer");
        store.connection().execute_batch(&sql).unwrap();
    };
    alter(&one, "of_one");
    alter(&other, "of_other");
    one.attach(&other.close().unwrap().path).unwrap();
    let differences = one.differences().unwrap();
    assert_eq!(
        differences,
        [
            "schema or comments differ: published are [\"documents of_other INTEGER true\"], \
             a rebuild gives [\"documents of_one INTEGER true\"]"
        ]
    );
}

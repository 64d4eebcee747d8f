//! Typed values, limits, and what a reader's connection cannot reach.

use std::path::Path;

use duckdb::Connection;

use super::super::{
    Bounds, Catalogue, Params, Query, ReaderLimits, Table, Value, open_read_only, run, run_within,
};
use crate::model::day::Day;

fn query(text: &str, params: &[(&str, &str)]) -> Query {
    let params = params
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()))
        .collect();
    Query {
        name: "test".to_owned(),
        folder: "panels".to_owned(),
        params,
        text: text.to_owned(),
        is_users: true,
        ..Query::default()
    }
}

fn first_row(sql: &str) -> Vec<Value> {
    let database = Connection::open_in_memory().unwrap();
    run(&database, &query(sql, &[]), &Params::new())
        .unwrap()
        .rows
        .remove(0)
}

#[test]
fn each_type_becomes_its_value() {
    let day = |text: &str| Value::Day(text.parse::<Day>().unwrap());
    for (sql, value) in [
        ("null", Value::Null),
        ("null::bigint", Value::Null),
        ("true", Value::Bool(true)),
        ("7::utinyint", Value::Int(7)),
        (
            "sum(x) from (values (3::bigint), (4)) as t(x)",
            Value::Int(7),
        ),
        (
            "170141183460469231731687303715884105727::hugeint",
            Value::Text((i128::MAX).to_string()),
        ),
        (
            "18446744073709551615::ubigint",
            Value::Text(u64::MAX.to_string()),
        ),
        ("98.4::decimal(5,1)", Value::Double(98.4)),
        ("round(100.0 * 2 / 3, 1)", Value::Double(66.7)),
        ("'ä'", Value::Text("ä".to_owned())),
        ("'{\"a\":1}'::json", Value::Text("{\"a\":1}".to_owned())),
        ("date '1969-12-31'", day("1969-12-31")),
        ("timestamp '1970-01-01 00:00:01.5'", Value::Timestamp(1)),
        ("[1, null]", Value::List(vec![Value::Int(1), Value::Null])),
        (
            "{'a': 1, 'b': 'x'}",
            Value::Struct(vec![
                ("a".into(), Value::Int(1)),
                ("b".into(), Value::Text("x".into())),
            ]),
        ),
        ("timestamptz '1970-01-01 02:00:01+02'", Value::Timestamp(1)),
        ("'infinity'::date", Value::Text("infinity".to_owned())),
        ("'-infinity'::date", Value::Text("-infinity".to_owned())),
        (
            "-12345678901234567890.05::decimal(38, 2)",
            Value::Text("-12345678901234567890.05".to_owned()),
        ),
        ("'b'::enum('a', 'b')", Value::Text("b".to_owned())),
        (
            "'00000000-0000-0000-0000-000000000001'::uuid",
            Value::Text("00000000-0000-0000-0000-000000000001".to_owned()),
        ),
    ] {
        let sql = format!("select {sql}");
        assert_eq!(first_row(&sql), [value], "{sql}");
    }
}

#[test]
fn unusual_types_give_text_or_an_error_and_never_a_panic() {
    let database = Connection::open_in_memory().unwrap();
    for value in [
        "map {'a': 1}",
        "interval 3 days",
        "time '12:00:00'",
        "'infinity'::date",
        "'infinity'::timestamp",
        "'ab'::blob",
        "'101'::bit",
        "timestamptz '2026-01-01 00:00:00+00'",
        "array[1, 2]::integer[2]",
        "union_value(num := 1)",
        "'290000-01-01'::date",
        "'a'::varchar::uuid",
        "timestamp_ns '2026-01-01'",
        "uuid '00000000-0000-0000-0000-000000000001'",
        "'nan'::double",
        "12345678901234567890123456789012345678::hugeint",
    ] {
        let _ = run(
            &database,
            &query(&format!("select {value} as v"), &[]),
            &Params::new(),
        );
    }
}

#[test]
fn parameters_are_typed_and_others_are_left_out() {
    let database = Connection::open_in_memory().unwrap();
    let query = query(
        "select $day - 1 as day, $name || '!' as name, $n + 1 as n",
        &[("day", "DATE"), ("name", "VARCHAR"), ("n", "BIGINT")],
    );
    let text = |text: &str| Value::Text(text.to_owned());
    let mut params = Params::from([
        ("day".into(), text("2026-01-31")),
        ("name".into(), text("a'b")),
        ("n".into(), text("4")),
    ]);
    params.insert("other".into(), Value::Null);
    let table = run(&database, &query, &params).unwrap();
    assert_eq!(
        table.rows,
        [[
            Value::Day("2026-01-30".parse().unwrap()),
            text("a'b!"),
            Value::Int(5)
        ]]
    );
    params.insert("day".into(), text("yesterday"));
    let error = format!("{:#}", run(&database, &query, &params).unwrap_err());
    assert_eq!(error, "running the query test: $day has to be a DATE");
    params.remove("n");
    let error = format!("{:#}", run(&database, &query, &params).unwrap_err());
    assert_eq!(error, "running the query test: it needs the parameter $n");
}

#[test]
fn lists_of_text_are_parameters_whatever_is_in_them() {
    let database = Connection::open_in_memory().unwrap();
    let query = query(
        "select unnest($names::varchar[]) as name order by name",
        &[("names", "VARCHAR[]")],
    );
    let text = |text: &str| Value::Text(text.to_owned());
    let list = |items: &[&str]| Value::List(items.iter().map(|item| text(item)).collect());
    let hostile = [
        "", " a ", "NULL", "\"", "\\", "a, b", "it's", "[x]", "{'a': 1}", "ü",
    ];
    let mut sorted = hostile.to_vec();
    sorted.sort_unstable();
    for (given, expected) in [
        (list(&hostile), sorted),
        (list(&[]), vec![]),
        (
            text("example.net, example.com"),
            vec!["example.com", "example.net"],
        ),
    ] {
        let params = Params::from([("names".into(), given)]);
        let rows = run(&database, &query, &params).unwrap().rows;
        let expected: Vec<Vec<Value>> = expected.into_iter().map(|name| vec![text(name)]).collect();
        assert_eq!(rows, expected);
    }
    let params = Params::from([("names".into(), Value::List(vec![Value::Int(1)]))]);
    let error = format!("{:#}", run(&database, &query, &params).unwrap_err());
    assert_eq!(
        error,
        "running the query test: $names has to be a VARCHAR[]"
    );
}

#[test]
fn rows_that_came_after_the_first_run_are_read_right() {
    let database = Connection::open_in_memory().unwrap();
    database
        .execute_batch("create table t (n bigint not null, name varchar not null)")
        .unwrap();
    let query = query("select name, n from t order by n, name", &[]);
    assert_eq!(
        run(&database, &query, &Params::new()).unwrap().rows,
        Vec::<Vec<Value>>::new()
    );
    database
        .execute_batch("insert into t values (7, 'accepted'), (900000, 'refused')")
        .unwrap();
    let rows = run(&database, &query, &Params::new()).unwrap().rows;
    let row = |name: &str, n| vec![Value::Text(name.to_owned()), Value::Int(n)];
    assert_eq!(rows, [row("accepted", 7), row("refused", 900_000)]);
}

#[test]
fn too_many_rows_or_bytes_are_an_error_and_not_a_cut() {
    let database = Connection::open_in_memory().unwrap();
    let query = query("select i from range(3000) as t(i)", &[]);
    let within = |rows, bytes| {
        let bounds = Bounds { rows, bytes };
        run_within(&database, &query, &Params::new(), bounds)
            .map(|table| table.rows.len())
            .map_err(|error| format!("{error:#}"))
    };
    assert_eq!(within(3000, usize::MAX), Ok(3000));
    for (rows, bytes, expect) in [
        (2999, usize::MAX, "more than 2999 rows"),
        (3000, 10_000, "more than 10000 bytes"),
    ] {
        let error = within(rows, bytes).unwrap_err();
        assert!(error.contains(expect), "{error}");
    }
}

#[test]
fn errors_in_the_middle_of_a_result_are_errors() {
    let database = Connection::open_in_memory().unwrap();
    let query = query(
        "select (if(i = 250000, 'x', '1'))::integer as n from range(300000) as t(i)",
        &[],
    );
    let bounds = Bounds {
        rows: 1_000_000,
        ..Bounds::default()
    };
    assert!(run_within(&database, &query, &Params::new(), bounds).is_err());
}

#[test]
fn missing_cells_are_null() {
    let table = Table {
        columns: vec!["a".to_owned()],
        rows: vec![vec![Value::Int(1)]],
    };
    assert_eq!(
        (table.get(0, "a"), table.get(1, "a"), table.get(0, "b")),
        (&Value::Int(1), &Value::Null, &Value::Null)
    );
}

fn published(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("sentinel.duckdb");
    let database = Connection::open(&path).unwrap();
    let tables = Catalogue::load(None).unwrap().tables;
    for table in tables
        .values()
        .filter(|table| table.text.contains("create table"))
    {
        database.execute_batch(&table.text).unwrap();
    }
    path
}

#[test]
fn reader_reaches_nothing_beyond_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = published(folder.path());
    let secret = folder.path().join("secret.csv");
    std::fs::write(&secret, "a\n1\n").unwrap();
    let (secret, target) = (
        secret.display(),
        folder.path().join("out").display().to_string(),
    );
    let reader = open_read_only(&path, ReaderLimits::default()).unwrap();
    assert_eq!(
        reader
            .query_row("select count(*) from reports", [], |r| r.get::<_, i64>(0))
            .unwrap(),
        0
    );
    for sql in [
        format!("copy reports to '{target}'"),
        format!("copy (select 1) to '{target}' (format parquet)"),
        format!("export database '{target}'"),
        format!("attach '{target}'"),
        format!("select * from read_csv('{secret}')"),
        format!("select * from read_text('{secret}')"),
        format!("select * from '{secret}'"),
        format!("select * from glob('{}/*')", folder.path().display()),
        "install httpfs".to_owned(),
        "load httpfs".to_owned(),
        "set enable_external_access = true".to_owned(),
        "set threads = 64".to_owned(),
        "create table x (a integer)".to_owned(),
        "delete from reports".to_owned(),
    ] {
        assert!(reader.execute_batch(&sql).is_err(), "{sql}");
    }
    assert!(!Path::new(&target).exists());
}

#[test]
fn reader_needs_a_file() {
    let folder = tempfile::tempdir().unwrap();
    assert!(open_read_only(&folder.path().join("none.duckdb"), ReaderLimits::default()).is_err());
}

//! The command over a small published database, in every format.

use std::path::Path;

use duckdb::Connection;

use super::*;

/// A data folder with a published database.
fn data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("public");
    let current = public.join("releases/1");
    std::fs::create_dir_all(&current).unwrap();
    std::os::unix::fs::symlink("releases/1", public.join("current")).unwrap();
    std::fs::write(current.join("manifest.json"), MANIFEST).unwrap();
    let database = Connection::open(current.join("sentinel.duckdb")).unwrap();
    let tables = Catalogue::load(None).unwrap().tables;
    for text in tables
        .values()
        .filter(|query| query.text.contains("create table"))
        .map(|query| &query.text)
    {
        database.execute_batch(text).unwrap();
    }
    database
        .execute_batch(
            "insert into daily by name select * from (values (date '2026-01-30', 'example.com', 3, 2)) t(day, domain, messages, passed),
                (select 0 as dkim_aligned, 0 as spf_aligned, 0 as both_aligned, 0 as delivered, 0 as quarantined, 0 as rejected,
                 0 as disposition_unknown, 0 as overridden, 0 as compliant, 0 as forwarded_pass, 0 as forwarded_fail,
                 0 as misconfigured, 0 as known_unapproved, 0 as unknown, 0 as threat, 0 as both_pass_none_aligned,
                 0 as dkim_pass_unaligned, 0 as spf_pass_unaligned, 0 as own_signature_broken, 0 as no_authentication)",
        )
        .unwrap();
    folder
}

fn asked(
    folder: &Path,
    query: &str,
    params: &[&str],
    format: QueryFormat,
) -> Result<Vec<u8>, String> {
    let args = QueryArgs {
        query: Some(query.to_owned()),
        params: params.iter().map(|text| key_value(text).unwrap()).collect(),
        list: false,
        format: None,
    };
    let mut out = Vec::new();
    let catalogue = Catalogue::load(None).unwrap();
    match answer(&args, &catalogue, folder, None, format, &mut out) {
        Ok(()) => Ok(out),
        Err(StreamError::Question(error)) => Err(format!("2: {error:#}")),
        Err(error) => Err(format!("3: {error:#}")),
    }
}

fn text(query: &str, params: &[&str], format: QueryFormat) -> Result<String, String> {
    asked(data().path(), query, params, format).map(|bytes| String::from_utf8(bytes).unwrap())
}

const MANIFEST: &str = r#"{"format": 1, "generation": 1, "archive_position": 1, "ledger_offset": 0,
    "as_of": "2026-01-31", "config_hash": "", "code_hash": "", "database_bytes": 1, "files": {}}"#;

const SAMPLE: &str = "select 7 as n, '=1+1' as t, null as e, 'a,\"b\"' as q, date '2026-01-30' as d, [1, 2] as l, \
                      {'a': true} as s, -1.5::double as f";

#[test]
fn csv_is_quoted_and_text_is_no_formula() {
    let csv = text(SAMPLE, &[], QueryFormat::Csv).unwrap();
    assert_eq!(
        csv,
        "n,t,e,q,d,l,s,f\r\n7,'=1+1,,\"a,\"\"b\"\"\",2026-01-30,\"[1,2]\",\"{\"\"a\"\":true}\",-1.5\r\n"
    );
}

#[test]
fn json_keeps_types_and_the_order_of_columns() {
    let row = r#"{"n":7,"t":"=1+1","e":null,"q":"a,\"b\"","d":"2026-01-30","l":[1,2],"s":{"a":true},"f":-1.5}"#;
    assert_eq!(
        text(SAMPLE, &[], QueryFormat::Ndjson).unwrap(),
        format!("{row}\n")
    );
    assert_eq!(
        text(SAMPLE, &[], QueryFormat::Json).unwrap(),
        format!("[\n{row}\n]\n")
    );
    assert_eq!(
        text("select 1 as a where false", &[], QueryFormat::Json).unwrap(),
        "[]\n"
    );
    assert_eq!(
        text("select 1 as a where false", &[], QueryFormat::Ndjson).unwrap(),
        ""
    );
}

#[test]
fn table_aligns_and_shows_no_control_characters() {
    let table = text(
        "from (values ('a', 5), ('b' || chr(27) || '[2J', 1000)) t(name, n) order by n",
        &[],
        QueryFormat::Table,
    );
    assert_eq!(
        table.unwrap(),
        "name   n\n─────  ────\na         5\nb·[2J  1000\n(2 rows)\n"
            .replace("name   n", "name      n")
    );
}

#[test]
fn repeated_columns_get_names_of_their_own() {
    let row = text("select 1 as a, 2 as a", &[], QueryFormat::Ndjson).unwrap();
    assert!(
        row == "{\"a\":1,\"a_2\":2}\n" || row == "{\"a\":1,\"a_1\":2}\n",
        "{row}"
    );
}

#[test]
fn parquet_comes_back_as_it_was() {
    let folder = data();
    let bytes = asked(
        folder.path(),
        "select i, 'x' || i as t from range(300000) r(i)",
        &[],
        QueryFormat::Parquet,
    )
    .unwrap();
    let path = folder.path().join("result.parquet");
    std::fs::write(&path, bytes).unwrap();
    let sql = format!("select count(*), sum(i), max(t) from '{}'", path.display());
    let row = Connection::open_in_memory()
        .unwrap()
        .query_row(&sql, [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)));
    let expected: (i64, i64, String) = (300_000, 44_999_850_000, "x99999".to_owned());
    assert_eq!(row.unwrap(), expected);
}

#[test]
fn what_parquet_does_not_have_is_said() {
    for (value, expect) in [
        ("union_value(k := 1)", "Parquet has no unions"),
        ("[{'a': union_value(k := 1)}]", "Parquet has no unions"),
        ("interval 1 day", "v: Parquet has no such intervals"),
    ] {
        let sql = format!("select {value} as v");
        let error = asked(data().path(), &sql, &[], QueryFormat::Parquet).unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    }
}

#[test]
fn query_of_the_catalogue_takes_the_generations_as_of() {
    let figures = text("overview_figures", &[], QueryFormat::Ndjson).unwrap();
    assert!(
        figures.starts_with("{\"messages\":3,\"pass_rate_percent\":66.7,\"failing\":1,"),
        "{figures}"
    );
    let older = text(
        "overview_figures",
        &["as_of=2026-01-30"],
        QueryFormat::Ndjson,
    )
    .unwrap();
    assert!(
        older.starts_with("{\"messages\":0,\"pass_rate_percent\":null,"),
        "{older}"
    );
}

#[test]
fn parameters_of_sql_have_the_type_of_their_form() {
    let row = text(
        "select $d - 1 as d, $n + 1 as n, $t || '' as t",
        &["d=2026-01-31", "n=4", "$t=x=y"],
        QueryFormat::Csv,
    );
    assert_eq!(row.unwrap(), "d,n,t\r\n2026-01-30,5,x=y\r\n");
}

#[test]
fn wrong_questions_say_what_is_wrong() {
    for (query, params, words) in [
        ("domain_figures", vec![], "it needs the parameter $domain"),
        (
            "domain_figures",
            vec!["domian=x"],
            "the query domain_figures has no parameter $domian; it takes $as_of DATE, $domains VARCHAR[]",
        ),
        (
            "overview_figures",
            vec!["as_of=soon"],
            "$as_of has to be a DATE",
        ),
        (
            "no_such_query",
            vec![],
            "there is no query called `no_such_query`",
        ),
        ("select 1; select 2", vec![], "more than one SQL statement"),
        (
            "delete from reports",
            vec![],
            "only one statement that reads",
        ),
        (
            "copy reports to 'x.csv'",
            vec![],
            "only one statement that reads",
        ),
        ("select nothing from reports", vec![], "nothing"),
        ("selec 1", vec![], "syntax error"),
        ("select $x", vec![], ""),
    ] {
        let error = text(query, &params, QueryFormat::Csv).unwrap_err();
        assert!(error.contains(words), "{query}: {error}");
        if query != "select $x" {
            assert!(error.starts_with("2: "), "{query}: {error}");
        }
    }
}

#[test]
fn files_are_out_of_reach() {
    for sql in [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "from glob('/*')",
        "from read_text('/etc/hosts')",
    ] {
        let error = text(sql, &[], QueryFormat::Csv).unwrap_err();
        assert!(!error.contains("root:"), "{sql}: {error}");
    }
}

#[test]
fn other_reading_statements_work() {
    for sql in [
        "describe reports",
        "show tables",
        "summarize daily",
        "explain select 1",
        "from daily",
        "values (1)",
    ] {
        for format in [QueryFormat::Table, QueryFormat::Csv, QueryFormat::Ndjson] {
            assert!(
                text(sql, &[], format).is_ok(),
                "{sql}: {:?}",
                text(sql, &[], format)
            );
        }
    }
}

#[test]
fn no_data_says_how_to_make_some() {
    let folder = tempfile::tempdir().unwrap();
    let error = asked(folder.path(), "select 1", &[], QueryFormat::Csv).unwrap_err();
    assert!(
        error.starts_with("3: there is no data yet in") && error.contains("sentinel ingest PATH"),
        "{error}"
    );
}

#[test]
fn list_names_every_query() {
    let args = QueryArgs {
        query: None,
        params: Vec::new(),
        list: true,
        format: None,
    };
    let mut out = Vec::new();
    let catalogue = Catalogue::load(None).unwrap();
    answer(
        &args,
        &catalogue,
        Path::new("/nonexistent"),
        None,
        QueryFormat::Csv,
        &mut out,
    )
    .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("\r\noverview_figures,panels,overview,$as_of DATE,"),
        "{text}"
    );
    assert!(text.contains("\r\nfailing_sources,examples,,,"), "{text}");
}

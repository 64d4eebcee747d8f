//! Every query of `panels`, `alerts` and `examples` on given rows with the expected result: `queries/cases/NAME/*.json`.
//!
//! A case names only the columns that matter; the others get a plain value of their type. A day written as
//! `2026-01-01..2026-01-12` stands for one row a day. Tables that are not given are empty, but for the sums over all time,
//! which are those of the records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use duckdb::Connection;
use serde_json::{Map, Value as Json, json};

use super::super::{Catalogue, Params, Table, Value, empty_database, run};
use crate::model::day::{Day, rfc3339};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    given: BTreeMap<String, Vec<Map<String, Json>>>,
    #[serde(default)]
    params: Map<String, Json>,
    expect: Expect,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    columns: Vec<String>,
    rows: Vec<Vec<Json>>,
}

/// What the loader keeps of each source, of the columns that rules read.
const SOURCES: &str = "insert into sources
    select source_ip, domain, min(day), max(day), sum(messages), 0, 0, 0,
        coalesce(sum(messages) filter (category = 'compliant'), 0), 0, 0, 0, 0,
        coalesce(sum(messages) filter (category = 'unknown'), 0), coalesce(sum(messages) filter (category = 'threat'), 0)
    from records where source_ip is not null group by all";

const DOMAIN_SENDERS: &str = "insert into domain_senders
    select domain, sender, min(day), max(day), sum(messages), 0, 0, 0,
        coalesce(sum(messages) filter (category = 'compliant'), 0), 0, 0,
        coalesce(sum(messages) filter (category = 'misconfigured'), 0),
        coalesce(sum(messages) filter (category = 'known_unapproved'), 0), 0, 0
    from records where sender is not null group by all";

/// Name, type, whether NULL is allowed.
type Column = (String, String, bool);

#[test]
fn every_query_gives_what_its_cases_expect() {
    let catalogue = Catalogue::load(None).unwrap();
    let template = empty_database(&catalogue).unwrap();
    let columns = columns(&template);
    let mut wrong = Vec::new();
    for (name, query) in &catalogue.queries {
        let cases = cases(name);
        if !cases.iter().any(|path| path.ends_with("empty.json")) || cases.len() < 2 {
            wrong.push(format!(
                "{name} needs queries/cases/{name}/empty.json and at least one real case"
            ));
        }
        for path in cases {
            let case: Case = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            template.execute_batch("begin").unwrap();
            fill(&template, &columns, &case.given);
            for (table, sum) in [("sources", SOURCES), ("domain_senders", DOMAIN_SENDERS)] {
                if !case.given.contains_key(table) {
                    template.execute_batch(sum).unwrap();
                }
            }
            let params: Params = case
                .params
                .iter()
                .map(|(k, v)| (k.clone(), param(v)))
                .collect();
            let got = run(&template, query, &params);
            template.execute_batch("rollback").unwrap();
            if let Some(difference) = difference(&case.expect, got) {
                wrong.push(format!("{}:\n{difference}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_case_is_an_orphan() {
    let catalogue = Catalogue::load(None).unwrap();
    let known: BTreeSet<&str> = catalogue.queries.keys().map(String::as_str).collect();
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(name.as_str()),
            "queries/cases/{name} belongs to no query"
        );
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/cases")
}

fn cases(name: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root().join(name)) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn columns(database: &Connection) -> BTreeMap<String, Vec<Column>> {
    let sql = "select table_name, column_name, data_type, is_nullable from duckdb_columns() order by column_index";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement
        .query_map([], |r| {
            Ok((r.get::<_, String>(0)?, (r.get(1)?, r.get(2)?, r.get(3)?)))
        })
        .unwrap();
    let mut columns: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in rows {
        let (table, column) = row.unwrap();
        columns.entry(table).or_default().push(column);
    }
    columns
}

fn fill(
    database: &Connection,
    columns: &BTreeMap<String, Vec<Column>>,
    given: &BTreeMap<String, Vec<Map<String, Json>>>,
) {
    for (table, rows) in given {
        let columns = columns
            .get(table)
            .unwrap_or_else(|| panic!("there is no table {table}"));
        let casts: Vec<String> = columns
            .iter()
            .map(|(name, kind, _)| cast(name, kind))
            .collect();
        let sql = format!(
            "insert into {table} select {} from (select $1::json as j)",
            casts.join(", ")
        );
        let mut statement = database.prepare(&sql).unwrap();
        for (index, row) in rows.iter().flat_map(by_day).enumerate() {
            let row = complete(table, columns, row, index);
            statement
                .execute([row.to_string()])
                .unwrap_or_else(|e| panic!("{table}: {e}\n{row}"));
        }
    }
}

fn cast(name: &str, kind: &str) -> String {
    let is_nested = kind.ends_with("[]") || kind.starts_with("STRUCT");
    let arrow = if is_nested || kind == "JSON" {
        "->"
    } else {
        "->>"
    };
    format!("(j {arrow} '{name}')::{kind}")
}

/// One row a day for a `day` of the form `FROM..TO`.
fn by_day(row: &Map<String, Json>) -> Vec<Map<String, Json>> {
    let range = row
        .get("day")
        .and_then(Json::as_str)
        .and_then(|text| text.split_once(".."));
    let Some((from, to)) = range else {
        return vec![row.clone()];
    };
    let (from, to): (Day, Day) = (from.parse().unwrap(), to.parse().unwrap());
    let days = from.iter_days().take_while(|day| *day <= to);
    days.map(|day| {
        let mut row = row.clone();
        row.insert("day".to_owned(), json!(day.to_string()));
        row
    })
    .collect()
}

/// The row with a plain value in each column that the case does not name.
fn complete(table: &str, columns: &[Column], mut row: Map<String, Json>, index: usize) -> Json {
    for name in row.keys() {
        assert!(
            columns.iter().any(|(column, ..)| column == name),
            "{table} has no column {name}"
        );
    }
    for (name, kind, is_nullable) in columns {
        if !row.contains_key(name) && !is_nullable {
            row.insert(name.clone(), plain(name, kind, index));
        }
    }
    Json::Object(row)
}

fn plain(name: &str, kind: &str, index: usize) -> Json {
    match kind {
        "VARCHAR" if name == "id" => json!(format!("{index:032x}")),
        "VARCHAR" if name == "domain" => json!("example.com"),
        "VARCHAR" if name == "category" => json!("compliant"),
        "VARCHAR" => json!(""),
        "DATE" => json!("2026-01-15"),
        "TIMESTAMP" => json!("2026-01-15 00:00:00"),
        "BOOLEAN" => json!(false),
        "JSON" => json!({}),
        kind if kind.ends_with("[]") => json!([]),
        _ if name.ends_with("_no") => json!(index + 1),
        _ => json!(0),
    }
}

fn param(value: &Json) -> Value {
    match value {
        Json::Number(number) => Value::Int(number.as_i64().unwrap()),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(list) => Value::List(list.iter().map(param).collect()),
        other => panic!("a parameter cannot be {other}"),
    }
}

fn difference(expect: &Expect, got: anyhow::Result<Table>) -> Option<String> {
    let table = match got {
        Ok(table) => table,
        Err(error) => return Some(format!("{error:#}")),
    };
    let rows: Vec<Vec<Json>> = table
        .rows
        .iter()
        .map(|row| row.iter().map(shown).collect())
        .collect();
    if table.columns == expect.columns && rows == expect.rows {
        return None;
    }
    let lines = |rows: &[Vec<Json>]| {
        rows.iter()
            .map(|row| format!("    {}\n", json!(row)))
            .collect::<String>()
    };
    Some(format!(
        "  expected {}\n{}  got {}\n{}",
        json!(expect.columns),
        lines(&expect.rows),
        json!(table.columns),
        lines(&rows)
    ))
}

fn shown(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Double(n) => json!(n),
        Value::Text(text) => json!(text),
        Value::Day(day) => json!(day.to_string()),
        Value::Timestamp(secs) => json!(rfc3339(*secs)),
        Value::List(list) => Json::Array(list.iter().map(shown).collect()),
        Value::Struct(fields) => Json::Object(
            fields
                .iter()
                .map(|(k, v)| (k.to_string(), shown(v)))
                .collect(),
        ),
    }
}

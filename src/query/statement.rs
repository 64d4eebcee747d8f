//! SQL text -> its syntax tree, by DuckDB's own parser; one statement that only reads, or a sentence why not.
//!
//! `Connection::prepare` runs every statement of a text but the last, so a text is counted before it is prepared.

use duckdb::Connection;
use serde_json::Value as Json;

/// What a single reading statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `select`, `with`, `from`, `values`, `table`, `describe`, `show`, `summarize`.
    Select,
    /// `explain` or `explain analyze` of such a statement.
    Explain,
}

/// Why a text is not one reading statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotOne {
    /// Byte offset of the place, 0 where unknown.
    pub(super) offset: usize,
    /// One sentence.
    pub(super) message: String,
}

impl NotOne {
    fn new(message: impl Into<String>) -> Self {
        Self {
            offset: 0,
            message: message.into(),
        }
    }
}

/// Says what `sql` is when it is exactly one statement that only reads.
pub fn one_statement(sql: &str) -> anyhow::Result<Kind> {
    let parser = Connection::open_in_memory()?;
    let (kind, body) = match without_explain(sql) {
        Some(body) => (Kind::Explain, body),
        None => (Kind::Select, sql),
    };
    tree(&parser, body).map_err(|problem| anyhow::anyhow!(problem.message))?;
    Ok(kind)
}

/// The syntax tree of the one SELECT-like statement in `sql`.
pub(super) fn tree(parser: &Connection, sql: &str) -> Result<Json, NotOne> {
    let text: String = parser
        .query_row("select json_serialize_sql($1::varchar)", [sql], |row| {
            row.get(0)
        })
        .map_err(|e| NotOne::new(e.to_string()))?;
    let mut answer: Json = serde_json::from_str(&text).map_err(|e| NotOne::new(e.to_string()))?;
    if answer["error"].as_bool() != Some(false) {
        return Err(refused(&answer));
    }
    match answer["statements"].as_array_mut() {
        Some(list) if list.len() == 1 => Ok(list.remove(0)["node"].take()),
        Some(list) if list.is_empty() => Err(NotOne::new("there is no SQL statement")),
        _ => Err(NotOne::new(
            "there is more than one SQL statement; exactly one is allowed",
        )),
    }
}

fn refused(answer: &Json) -> NotOne {
    if answer["error_type"] == "not implemented" {
        return NotOne::new(
            "only one statement that reads is allowed: SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN",
        );
    }
    let offset = answer["position"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    NotOne {
        offset,
        message: answer["error_message"]
            .as_str()
            .unwrap_or("not SQL")
            .to_owned(),
    }
}

/// What stands behind `explain`, `explain analyze` or `explain (…)`.
fn without_explain(sql: &str) -> Option<&str> {
    let body = after_word(without_comments(sql), "explain")?;
    let body = after_word(body, "analyze").unwrap_or(body).trim_start();
    match body.strip_prefix('(') {
        Some(rest)
            if after_word(rest.trim_start(), "format").is_some()
                || after_word(rest.trim_start(), "analyze").is_some() =>
        {
            rest.split_once(')').map(|(_, body)| body)
        }
        _ => Some(body),
    }
}

/// Without leading white space and comments.
fn without_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        rest = if let Some(line) = rest.strip_prefix("--") {
            line.split_once('\n')
                .map_or("", |(_, below)| below)
                .trim_start()
        } else if let Some(block) = rest.strip_prefix("/*") {
            block
                .split_once("*/")
                .map_or("", |(_, behind)| behind)
                .trim_start()
        } else {
            return rest;
        };
    }
}

fn after_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

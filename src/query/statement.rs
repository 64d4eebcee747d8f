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

const ONLY_READING: &str = "only one statement that reads is allowed: \
                            SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE, EXPLAIN";

/// Says what `sql` is when it is exactly one statement that only reads.
pub fn one_statement(sql: &str) -> anyhow::Result<Kind> {
    let parser = Connection::open_in_memory()?;
    let (kind, body) = match without_explain(sql) {
        Some(body) => (Kind::Explain, body),
        None => (Kind::Select, sql),
    };
    parsed(&parser, body).map_err(|problem| anyhow::anyhow!(problem.message))?;
    Ok(kind)
}

/// The syntax tree of the one SELECT-like statement in `sql`.
pub(super) fn tree(parser: &Connection, sql: &str) -> Result<Json, NotOne> {
    let text = parsed(parser, sql)?;
    let mut answer: Json = serde_json::from_str(&text)
        .map_err(|_| NotOne::new("the statement is nested too deeply"))?;
    Ok(answer["statements"][0]["node"].take())
}

/// The answer of `json_serialize_sql` about one SELECT-like statement. Its head is read in SQL: the tree of a long
/// expression is deeper than a JSON reader goes.
fn parsed(parser: &Connection, sql: &str) -> Result<String, NotOne> {
    const PARSE: &str = "select
            tree::varchar,
            coalesce(tree ->> 'error_type', ''),
            coalesce(tree ->> 'error_message', ''),
            coalesce(try_cast(tree ->> 'position' as bigint), 0),
            coalesce(json_array_length(tree, '$.statements'), 0)::bigint
        from (select json_serialize_sql($1::varchar) as tree)";
    let columns = |row: &duckdb::Row<'_>| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
            row.get(4)?,
        ))
    };
    let (tree, kind, message, position, count): (String, String, String, i64, i64) = parser
        .query_row(PARSE, [sql], columns)
        .map_err(|e| NotOne::new(e.to_string()))?;
    match (kind.as_str(), message.is_empty(), count) {
        ("not implemented", ..) => Err(NotOne::new(ONLY_READING)),
        ("", true, 1) => Ok(tree),
        ("", true, 0) => Err(NotOne::new("there is no SQL statement")),
        ("", true, _) => Err(NotOne::new(
            "there is more than one SQL statement; exactly one is allowed",
        )),
        _ => Err(NotOne {
            offset: usize::try_from(position).unwrap_or(0),
            message,
        }),
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

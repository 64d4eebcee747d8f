//! A statement around the text of a query, and whose fault it is where it fails.

use anyhow::anyhow;
use duckdb::Connection;

use super::run::{bind, named};
use super::{Params, Query};

/// Characters of what the database says of a query.
const MOST_CHARS: usize = 500;

/// How errors begin that say nothing of the query: the disk is full, or the database has given itself up.
const OF_DATABASE: [&str; 5] = [
    "Connection Error",
    "FATAL Error",
    "INTERNAL Error",
    "IO Error",
    "TransactionContext Error",
];

/// How the error begins that says that there is too little memory.
const OF_MEMORY: &str = "Out of Memory Error";

/// Why a statement around a query failed.
#[derive(Debug, thiserror::Error)]
pub enum AroundError {
    /// The query does not work on what the tables hold: file, line where it is known, and the database's words. They
    /// may quote what strangers wrote.
    #[error("{0}")]
    Query(String),
    /// The query needs more memory than there is. In words as well.
    #[error("{0}")]
    Memory(String),
    /// The database does not work.
    #[error(transparent)]
    Database(#[from] anyhow::Error),
}

/// Runs a statement around the text of a query, which is one SELECT, with the query's parameters, and gives the number
/// of rows that it changed. What `before` and `behind` add has to be without fault.
pub fn run_around(
    connection: &Connection,
    query: &Query,
    params: &Params,
    before: &str,
    behind: &str,
) -> Result<usize, AroundError> {
    let bound = bind(query, params)?;
    let text = query.text.trim_end().trim_end_matches(';');
    // Nothing of ours stands on a line of its own before the text: the database counts lines as the file has them.
    let statement = format!("{}{text}\n{behind}", before.replace('\n', " "));
    let failed = |error: duckdb::Error| failed(query, &error.to_string());
    let mut statement = connection.prepare(&statement).map_err(failed)?;
    statement.execute(named(&bound).as_slice()).map_err(failed)
}

fn failed(query: &Query, said: &str) -> AroundError {
    if OF_DATABASE.iter().any(|kind| said.starts_with(kind)) {
        return anyhow!("asking {}: {said}", query.name).into();
    }
    let place = said.split_once("\n\nLINE ").map_or("", |(_, place)| place);
    // Behind the first paragraph stand a piece of the text, or advice to those who run the database.
    let words = said.split("\n\n").next().unwrap_or_default();
    let line: Option<usize> = place
        .split_once(':')
        .and_then(|(number, _)| number.parse().ok())
        .filter(|line| *line <= query.text.lines().count());
    let line = line.map_or_else(String::new, |line| format!(":{line}"));
    let words: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST_CHARS)
        .collect();
    let words = format!("{}{line}: {}", query.path, words.trim());
    match said.starts_with(OF_MEMORY) {
        true => AroundError::Memory(words),
        false => AroundError::Query(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query {
            path: "config/queries/alerts/mine.sql".to_owned(),
            ..Query::ad_hoc(text, Vec::new())
        }
    }

    #[test]
    fn a_query_that_fails_is_told_by_file_and_line_in_one_line() {
        let database = Connection::open_in_memory().unwrap();
        database
            .execute_batch("create table t (a varchar)")
            .unwrap();
        let ask = |text: &str| {
            let before = "insert into t\nselect a from (";
            run_around(&database, &query(text), &Params::new(), before, ") answer")
        };
        assert_eq!(ask("-- first\nselect 'x' as a;\n").unwrap(), 1);
        for (text, expect) in [
            (
                "-- first\nselect\n    x::integer as a\nfrom (select 'many' as x)",
                "mine.sql:3: Conversion Error: Could not convert string 'many' to INT32",
            ),
            ("select\n    b as a\nfrom t", "mine.sql:2: Binder Error: "),
            (
                "select error('a\rb\n\nc') as a",
                "mine.sql: Invalid Input Error: a b",
            ),
        ] {
            let error = ask(text).unwrap_err();
            assert!(matches!(error, AroundError::Query(_)), "{error:?}");
            let words = error.to_string();
            assert!(
                words.starts_with("config/queries/alerts/") && words.contains(expect),
                "{words}"
            );
            assert!(!words.contains(char::is_control), "{words}");
        }
    }

    #[test]
    fn a_full_disk_is_not_the_fault_of_a_query() {
        for said in [
            "IO Error: Could not write file: No space left on device",
            "FATAL Error: Failed: database has been invalidated",
        ] {
            let error = failed(&query("select 1"), said);
            assert!(matches!(error, AroundError::Database(_)), "{error:?}");
        }
    }
}

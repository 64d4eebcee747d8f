//! What digests are made of: published with the pages, so that mails and pages tell the same numbers.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::{Emit, Rows, Site};
use crate::model::day::Day;
use crate::query::{Params, Value};

/// Where the days lie in a generation; nobody is served them.
pub const PATH: &str = "digest/days.json";

/// Messages of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestDay {
    /// Policy domain; `None`: all the small ones together.
    pub domain: Option<String>,
    /// UTC day.
    #[serde(with = "crate::model::day::iso")]
    pub day: Day,
    /// Messages.
    pub messages: i64,
    /// Of these, those that pass DMARC.
    pub passed: i64,
}

impl Site<'_> {
    /// Writes [`PATH`].
    pub fn digest_days(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let query = self.catalogue.queries.get("digest_days");
        let query = query.context("there is no query digest_days")?;
        let params = Params::from([("as_of".to_owned(), Value::Day(self.as_of))]);
        let table = rows(query, &params)?;
        let days: anyhow::Result<Vec<DigestDay>> = table.rows.iter().map(|row| day(row)).collect();
        let days = days?;
        emit(PATH, &serde_json::to_vec(&days)?)
    }
}

fn day(row: &[Value]) -> anyhow::Result<DigestDay> {
    let [
        domain,
        Value::Day(day),
        Value::Int(messages),
        Value::Int(passed),
    ] = row
    else {
        bail!("a row of digest_days has another form: {row:?}");
    };
    Ok(DigestDay {
        domain: match domain {
            Value::Text(name) => Some(name.clone()),
            _ => None,
        },
        day: *day,
        messages: *messages,
        passed: *passed,
    })
}

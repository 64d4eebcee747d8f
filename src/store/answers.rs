//! What a rule answers -> a temporary table, and what is wrong with it. A rule is a file of the user, and what it is
//! asked about was written by strangers: neither is trusted to give rows that are of use, or few of them, or any.

use std::time::Duration;

use anyhow::{Context, Result};
use duckdb::Connection;

use crate::model::alert::Severity;
use crate::model::day::Day;
use crate::model::rule_fault::Fault;
use crate::query::{AroundError, Params, Query, run_around, within};

/// Columns of a rule's answer that are columns of `alert_days`; the others are facts.
const FIXED: &str = r#"{"domain": null, "subject": null, "day": null, "severity": null, "messages": null, "ended_day": null}"#;

/// Characters of a subject.
const SUBJECT_CHARS: usize = 1_024;

/// Bytes of the facts of one row.
const FACTS_BYTES: usize = 16 << 10;

/// Numbers that JSON does not have become null. The raw control character stands behind every text first, and in the
/// place of each such number: no text of JSON holds one.
const MENDED: &str = r#"replace(replace(regexp_replace(facts, '("(?:[^"\\]|\\.)*")|-?(?:NaN|Infinity)', '\1' || chr(1), 'g'), '"' || chr(1), '"'), chr(1), 'null')"#;

/// The temporary table.
const FOUND: &str = "create or replace temp table found (
    domain varchar, subject varchar, day date, severity varchar, messages bigint, ended_day date, facts varchar,
    left_out varchar, has_long_subject boolean, has_odd_severity boolean, has_odd_messages boolean,
    has_odd_ended_day boolean, has_wide_facts boolean
)";

/// Faults of rows, each with what counts its rows.
const OF_ROWS: [(Fault, &str); 8] = [
    (Fault::NoDay, "left_out = 'no_day'"),
    (Fault::NoSubject, "left_out = 'no_subject'"),
    (Fault::OtherDomain, "left_out = 'other_domain'"),
    (Fault::LongSubject, "left_out is null and has_long_subject"),
    (Fault::OddSeverity, "left_out is null and has_odd_severity"),
    (Fault::OddMessages, "left_out is null and has_odd_messages"),
    (Fault::OddEndedDay, "left_out is null and has_odd_ended_day"),
    (Fault::WideFacts, "left_out is null and has_wide_facts"),
];

/// What a rule is asked, and what its answer takes the place of.
pub struct Asked<'a> {
    /// The rule.
    pub query: &'a Query,
    /// All its parameters.
    pub params: &'a Params,
    /// Domains that the answer is about; `None`: all, and what is about none.
    pub domains: Option<&'a [String]>,
    /// First day.
    pub since: Day,
    /// The day behind the last one.
    pub until: Day,
    /// How grave it is where the answer does not say.
    pub severity: Severity,
    /// How grave it is, whatever the answer says.
    pub is_fixed: bool,
}

/// What an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerBounds {
    /// Its time.
    pub longest: Duration,
    /// Its rows.
    pub rows: u64,
}

/// What came of asking a rule, or what has come of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The temporary table `found` holds its rows. Some have faults: so many rows of each kind.
    Rows(Vec<(Fault, u64)>),
    /// It cannot be asked: why, and in words, which may quote what strangers wrote.
    Failure(Fault, String),
}

/// Makes room for an answer, in the place of the one before. Outside of a transaction: what is committed can be moved
/// to the disk.
pub fn expect(connection: &Connection) -> Result<()> {
    connection
        .execute_batch(FOUND)
        .context("making room for the answer of a rule")
}

/// Asks a rule; what it answers is added to what it answered to other questions.
pub fn ask(connection: &Connection, asked: &Asked, bounds: AnswerBounds) -> Result<Answer> {
    let (before, behind) = (before(asked), behind(asked, bounds.rows));
    let (ran, was_interrupted) = within(connection, bounds.longest, || {
        run_around(connection, asked.query, asked.params, &before, &behind)
    })?;
    let path = &asked.query.path;
    Ok(match ran {
        Ok(rows) if rows as u64 > bounds.rows => Answer::Failure(
            Fault::TooManyRows,
            format!("{path}: it gives more than {} rows", bounds.rows),
        ),
        Ok(_) => Answer::Rows(faults(connection)?),
        Err(AroundError::Database(error)) => return Err(error),
        Err(AroundError::Memory(words)) => Answer::Failure(Fault::TooMuchMemory, words),
        Err(AroundError::Query(_)) if was_interrupted => Answer::Failure(
            Fault::TooSlow,
            format!(
                "{path}: it had no answer after {} seconds",
                bounds.longest.as_secs()
            ),
        ),
        Err(AroundError::Query(words)) => Answer::Failure(Fault::Failed, words),
    })
}

/// What stands before the text of a rule. Nothing in it fails, whatever the rule gives.
fn before(asked: &Asked) -> String {
    let severities = Severity::ALL
        .map(|severity| format!("'{severity}'"))
        .join(", ");
    let severity = asked.severity;
    let severity_said = if asked.is_fixed {
        "null::varchar"
    } else {
        "said ->> 'severity'"
    };
    // The answer is about what it was asked about, whatever else a rule gives.
    let is_other = if asked.domains.is_some() {
        "domain is null or domain not in (select unnest($domains::varchar[]))"
    } else {
        "false"
    };
    let day = |column: &str| {
        format!(
            "case when isfinite(try_cast({column} as date)) then try_cast({column} as date) end"
        )
    };
    let (day_of, ended_day) = (day("day"), day("ended_said"));
    format!(
        "insert into found
        select
            domain,
            left(subject, {SUBJECT_CHARS}),
            day,
            case when severity_said in ({severities}) then severity_said else '{severity}' end,
            least(greatest(coalesce(messages, 0), -9223372036854775807), 9223372036854775807)::bigint,
            ended_day,
            case when strlen(facts) > {FACTS_BYTES} then '{{}}'
                when contains(facts, 'NaN') or contains(facts, 'Infinity') then {MENDED} else facts end,
            case when day is null then 'no_day' when subject is null then 'no_subject'
                when {is_other} then 'other_domain' end,
            length(subject) > {SUBJECT_CHARS},
            severity_said is not null and severity_said not in ({severities}),
            messages_said is not null and messages is null,
            ended_said is not null and ended_day is null,
            strlen(facts) > {FACTS_BYTES}
        from (
            select *, try_cast(messages_said as hugeint) as messages, {ended_day} as ended_day
            from (
                select domain, subject, day, {severity_said} as severity_said, said ->> 'messages' as messages_said,
                    said ->> 'ended_day' as ended_said, json_merge_patch(said, '{FIXED}')::varchar as facts
                from (
                    select domain::varchar as domain, subject::varchar as subject, {day_of} as day,
                        to_json(answer) as said
                    from ("
    )
}

/// What stands behind it.
fn behind(asked: &Asked, most_rows: u64) -> String {
    let (since, until) = (asked.since.to_epoch_days(), asked.until.to_epoch_days());
    format!(
        ") answer
                ) told
                where day is null or (day - date '1970-01-01' >= {since} and day - date '1970-01-01' < {until})
            ) parts
        ) read
        limit {}",
        most_rows + 1
    )
}

fn faults(connection: &Connection) -> Result<Vec<(Fault, u64)>> {
    let counts = OF_ROWS.map(|(_, which)| format!("count(*) filter ({which})"));
    let sql = format!("select {} from found", counts.join(", "));
    let counts = connection.query_row(&sql, [], |row| {
        (0..OF_ROWS.len())
            .map(|at| row.get::<_, i64>(at))
            .collect::<duckdb::Result<Vec<i64>>>()
    });
    let counts = counts.context("looking at the answer of a rule")?;
    let faults = OF_ROWS.iter().zip(counts);
    Ok(faults
        .filter(|(_, rows)| *rows > 0)
        .map(|((fault, _), rows)| (*fault, rows.unsigned_abs()))
        .collect())
}

/// Every domain that there is a report about.
pub fn domains(connection: &Connection) -> Result<Vec<String>> {
    let sql = "select distinct domain from reports order by domain";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect::<duckdb::Result<_>>()
        .context("looking for domains")
}

/// How many records there are.
pub fn records(connection: &Connection) -> Result<u64> {
    let count: i64 = connection
        .query_row("select count(*) from records", [], |row| row.get(0))
        .context("counting records")?;
    Ok(count.unsigned_abs())
}

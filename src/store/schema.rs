//! Makes the public tables with their comments, from the schema files.
//!
//! The first line of a file says what a row is; the words behind `--` on the line of a column say what it means. Both
//! become comments in the database.

use anyhow::{Context, Result};
use duckdb::Connection;

/// Schema files in the order of creation.
pub(super) const SCHEMA: [(&str, &str); 24] = [
    ("about", include_str!("../../queries/schema/about.sql")),
    (
        "addresses",
        include_str!("../../queries/schema/addresses.sql"),
    ),
    (
        "alert_actions",
        include_str!("../../queries/schema/alert_actions.sql"),
    ),
    (
        "alert_days",
        include_str!("../../queries/schema/alert_days.sql"),
    ),
    ("alerts", include_str!("../../queries/schema/alerts.sql")),
    ("daily", include_str!("../../queries/schema/daily.sql")),
    (
        "documents",
        include_str!("../../queries/schema/documents.sql"),
    ),
    (
        "domain_senders",
        include_str!("../../queries/schema/domain_senders.sql"),
    ),
    (
        "failure_reports",
        include_str!("../../queries/schema/failure_reports.sql"),
    ),
    (
        "first_seen",
        include_str!("../../queries/schema/first_seen.sql"),
    ),
    ("items", include_str!("../../queries/schema/items.sql")),
    (
        "mailbox_outages",
        include_str!("../../queries/schema/mailbox_outages.sql"),
    ),
    ("records", include_str!("../../queries/schema/records.sql")),
    ("reports", include_str!("../../queries/schema/reports.sql")),
    (
        "rule_faults",
        include_str!("../../queries/schema/rule_faults.sql"),
    ),
    (
        "rule_outages",
        include_str!("../../queries/schema/rule_outages.sql"),
    ),
    ("runs", include_str!("../../queries/schema/runs.sql")),
    ("senders", include_str!("../../queries/schema/senders.sql")),
    ("sources", include_str!("../../queries/schema/sources.sql")),
    (
        "tls_failures",
        include_str!("../../queries/schema/tls_failures.sql"),
    ),
    (
        "tls_policies",
        include_str!("../../queries/schema/tls_policies.sql"),
    ),
    (
        "tls_reports",
        include_str!("../../queries/schema/tls_reports.sql"),
    ),
    (
        "auth_results",
        include_str!("../../queries/schema/auth_results.sql"),
    ),
    (
        "source_days",
        include_str!("../../queries/schema/source_days.sql"),
    ),
];

/// Makes all tables and comments.
pub(super) fn create(connection: &Connection) -> Result<()> {
    for (name, text) in SCHEMA {
        connection
            .execute_batch(text)
            .with_context(|| format!("creating {name}"))?;
        for statement in comments(name, text) {
            connection
                .execute_batch(&statement)
                .with_context(|| format!("commenting on {name}"))?;
        }
    }
    Ok(())
}

/// `comment on` statements of a schema file.
fn comments(name: &str, text: &str) -> Vec<String> {
    let kind = if text.contains("\ncreate view ") {
        "view"
    } else {
        "table"
    };
    let about = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_once(": ")
        .map_or("", |(_, about)| about);
    let mut statements = vec![format!(
        "comment on {kind} {name} is '{}'",
        about.replace('\'', "''")
    )];
    for (column, meaning) in columns(text) {
        statements.push(format!(
            "comment on column {name}.\"{column}\" is '{}'",
            meaning.replace('\'', "''")
        ));
    }
    statements
}

/// Columns with a meaning behind `--`, in order.
pub(super) fn columns(text: &str) -> Vec<(&str, &str)> {
    let body = text
        .lines()
        .filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    body.filter_map(|line| line.trim().split_once(" -- "))
        .filter_map(|(column, meaning)| {
            let name = column.split([' ', ',']).next()?.trim_matches('"');
            Some((name, meaning))
        })
        .collect()
}

//! Reports -> rows, in one transaction a batch. The only opener of the working database.
//!
//! The working database holds exactly the public tables (`queries/schema`); what a batch needs in between lives in
//! temporary tables. Records are classified by SQL (`queries/models`). The file is derived: when it was made by other
//! code or for another configuration it is deleted and made anew from the archive.

/// A connection to the working database, for reading.
pub use duckdb::Connection;
/// Rows on their way into a table.
pub use duckdb::arrow::record_batch::RecordBatch;

pub mod addresses;
pub mod alert_days;
pub mod answers;
pub mod batch;
mod columns;
pub mod compare;
pub mod decide;
mod evidence;
pub mod findings;
pub(crate) mod holders;
mod intake_rows;
mod keys;
pub mod lake;
pub mod mail_endings;
pub mod models;
mod other_rows;
mod reclassify;
pub mod record_rows;
mod report_rows;
pub(crate) mod retention;
mod room;
pub mod rule_faults;
mod runs;
mod schema;
mod seen;
pub mod senders;
pub mod settings;
pub mod stage;
pub mod working;

#[cfg(test)]
mod tests;

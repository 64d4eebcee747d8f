//! The steps of a run, each comparing durable state with durable state: collect, load, publish; rebuild and verify.

mod ahead;
mod alert_pages;
pub mod backlog;
pub mod collect;
pub mod disk;
pub mod draw;
pub mod dry_run;
mod fold_alerts;
pub mod folders;
mod forerun;
pub mod host_names;
mod item_rows;
pub mod judge;
mod known;
pub mod load;
pub mod lock;
pub mod mailboxes;
pub mod maintain;
pub mod outages;
pub mod ownership;
mod pipeline;
pub mod positions;
pub mod publish;
mod question;
pub mod read;
pub mod rebuild;
pub mod redraw;
mod repeated;
mod report_pages;
pub mod retention;
mod rule_outages;
pub mod run;
pub mod runner;
pub mod sheet;
pub mod stopwatch;
mod threads;
mod uid_set;
mod units;
pub mod verify;
pub mod visit;

#[cfg(test)]
mod tests;

//! `sentinel ingest`: files, folders, mailboxes and standard input, up to a new generation.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use super::context::Global;
use super::work::{Reporter, counts_line, exit_code, locked};
use crate::config::Config;
use crate::job::publish::Draw;
use crate::job::run::ingest;
use crate::model::outcome::Outcome;

/// Arguments of `sentinel ingest`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel ingest ~/dmarc-reports      a folder with all below it
  sentinel ingest mail.eml reports.zip
  cat mail.eml | sentinel ingest -")]
pub struct IngestArgs {
    /// File, folder (recursive), Maildir, mbox, archive, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<OsString>,
}

/// Reads the paths, archives, loads and publishes. The last line on standard output counts the documents.
pub fn run(args: &IngestArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let mut reporter = Reporter::new(global.quiet);
    let done = locked("ingest", global, config, draw, |run| {
        ingest(run, &args.paths, &mut |progress| reporter.note(progress))
    });
    reporter.end();
    let done = done?;
    if let (Some(generation), false) = (&done.generation, global.quiet) {
        eprintln!("published generation {}", generation.number);
    }
    println!("{}", counts_line(&done.loaded.outcomes));
    match done.unread {
        Some(error) => Err(error),
        None => Ok(exit_code(done.loaded.count(Outcome::Refused))),
    }
}

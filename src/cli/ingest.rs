//! `sentinel ingest`: files, folders, mailboxes and standard input, up to a new generation.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use super::context::{Global, UsageError};
use super::work::{Reporter, exit_code_of, locked};
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
    /// Say how long each step took, as one line of JSON on standard error
    #[arg(long)]
    pub timings: bool,
}

/// Reads the paths, archives, loads and publishes. The last line on standard output counts the documents.
pub fn run(args: &IngestArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let mut reporter = Reporter::new(global.quiet);
    let done = locked("ingest", global, config, draw, |run, noting| {
        let done = ingest(run, &args.paths, &mut |progress| {
            noting.note(&progress);
            reporter.note(progress);
        })?;
        Ok((done, run.watch.figures()))
    });
    reporter.end();
    let (done, figures) = done?;
    if let (Some(generation), false) = (&done.generation, global.quiet) {
        eprintln!("published generation {}", generation.number);
    }
    let expired = done.loaded.count(Outcome::Expired);
    if expired > 0 && !global.quiet {
        eprintln!("{expired} older than the retention, not counted");
    }
    if args.timings {
        eprintln!("{}", serde_json::json!(figures));
    }
    println!("{}", done.loaded);
    match done.unread {
        Some(error) if is_absent(&error) => Err(UsageError(format!("{error:#}")).into()),
        Some(error) => Err(error),
        None => exit_code_of(&done, config),
    }
}

/// A path that is not there is a mistake in the command line; one that cannot be read is not.
fn is_absent(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::NotFound)
}

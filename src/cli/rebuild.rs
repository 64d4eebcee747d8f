//! `sentinel rebuild`: everything derived, made anew from the archive and the ledger.

use std::process::ExitCode;

use anyhow::Result;

use super::context::Global;
use super::work::{Reporter, locked};
use crate::config::Config;
use crate::job::publish::Draw;
use crate::job::rebuild::{Changes, rebuild};

/// Reports named by `--diff` in each direction.
const SHOWN_REPORTS: usize = 20;

/// Arguments of `sentinel rebuild`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel rebuild         after data/work or data/public was lost
  sentinel rebuild --diff  and say what changed")]
pub struct RebuildArgs {
    /// Say what changed against what was published before
    #[arg(long)]
    pub diff: bool,
}

/// Rebuilds and publishes; counts go to standard output.
pub fn run(args: &RebuildArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let mut reporter = Reporter::new(true);
    let rebuilt = locked("rebuild", global, config, draw, |run, noting| {
        rebuild(run, &mut |progress| {
            noting.note(&progress);
            reporter.note(progress);
        })
    });
    reporter.end();
    let rebuilt = rebuilt?;
    if args.diff {
        match &rebuilt.changes {
            Some(changes) => print_changes(changes),
            None => println!("nothing to compare with"),
        }
    }
    println!("{}", rebuilt.loaded);
    Ok(ExitCode::SUCCESS)
}

fn print_changes(changes: &Changes) {
    for (what, counts) in [("documents", &changes.outcomes), ("table", &changes.tables)] {
        for (name, [before, after]) in counts {
            let mark = if before == after { "" } else { "  changed" };
            println!("{what} {name}: {before} -> {after}{mark}");
        }
    }
    for (word, ids) in [
        ("vanished", &changes.vanished),
        ("appeared", &changes.appeared),
    ] {
        println!("reports that {word}: {}", ids.len());
        for id in ids.iter().take(SHOWN_REPORTS) {
            println!("  {id}");
        }
    }
}

//! `sentinel backlog`: old mail of one mailbox, in pieces, beside a running daemon.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};

use super::context::Global;
use super::run::{all_failures, beat, chosen, failures, tell_dry_run};
use super::work::{Reporter, as_usage, exit_code, locked, runner, waiting};
use crate::clock;
use crate::config::Config;
use crate::job::backlog::{Backlog, Pace};
use crate::job::dry_run::{LONGEST, dry_run};
use crate::job::folders::Folders;
use crate::job::load::Loaded;
use crate::job::mailboxes::Turn;
use crate::job::publish::Draw;
use crate::job::run::Ticket;
use crate::job::sheet::new_id;
use crate::job::visit::Selection;
use crate::model::day::Day;
use crate::model::outcome::Outcome;
use crate::source::imap::Tokens;

/// Arguments of `sentinel backlog`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel backlog --inbox reports                            every message that is not in the archive yet
  sentinel backlog --inbox reports --folder Archive/2023      of another folder
  sentinel backlog --inbox reports --since 2024-01-01 --before 2024-07-01 --dry-run
  sentinel backlog --inbox reports --reprocess                try refused messages again, after a limit was raised

It may be interrupted and begun again: what is in the archive is not fetched twice. A running `sentinel serve` goes on
with new mail in between.")]
pub struct BacklogArgs {
    /// Name of the inbox
    #[arg(long, value_name = "NAME")]
    pub inbox: String,
    /// This folder instead of the configured ones
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<String>,
    /// Messages that arrived on this day or later, as the server counts days
    #[arg(long, value_name = "DATE")]
    pub since: Option<Day>,
    /// Messages that arrived before this day
    #[arg(long, value_name = "DATE")]
    pub before: Option<Day>,
    /// So many messages at most, the oldest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Say what each message would become; store nothing, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Also messages that the archive knows without their bytes: over a limit, no report in them, not given away
    #[arg(long)]
    pub reprocess: bool,
    /// Mark them as seen afterwards, whatever the configuration says
    #[arg(long)]
    pub mark_seen: bool,
}

/// Fetches piece by piece. The last line on standard output counts the documents.
pub fn run(args: &BacklogArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let inbox = chosen(config, std::slice::from_ref(&args.inbox))?;
    let backlog = Backlog {
        inbox: inbox.into_iter().next().context("there is no such inbox")?,
        selection: Selection {
            folder: args.folder.clone(),
            is_all: true,
            since: args.since,
            before: args.before,
            limit: args.limit,
            is_again: args.reprocess,
            is_marking: args.mark_seen,
        },
        is_dry_run: args.dry_run,
    };
    let tokens = Tokens::kept_in(Folders::new(&config.app.data_dir).tokens());
    if args.dry_run {
        let runner = runner(global, config, draw)?;
        runner.check_disk()?;
        let mut visits = [backlog.look(&runner, 0, &tokens)?];
        let became = locked("dry run", global, config, draw, |run, _| {
            let turn = Turn {
                stop: &AtomicBool::new(false),
                longest: LONGEST,
                min_free_bytes: config.app.min_free_disk_bytes,
            };
            dry_run(run, &mut visits, &tokens, turn)
        });
        visits.into_iter().for_each(crate::job::visit::Visit::close);
        return tell_dry_run(became?, Vec::new());
    }
    let mut reporter = Reporter::new(global.quiet);
    let done = pieces(args, &backlog, global, config, draw, &mut reporter);
    reporter.end();
    let (loaded, fetched) = done?;
    if !global.quiet {
        eprintln!("{}: {fetched} messages fetched", args.inbox);
    }
    println!("{loaded}");
    beat(config);
    Ok(exit_code(loaded.count(Outcome::Refused)))
}

/// What all pieces together did, and how many messages they fetched.
fn pieces(
    args: &BacklogArgs,
    backlog: &Backlog,
    global: &Global,
    config: &Config,
    draw: Draw,
    reporter: &mut Reporter,
) -> Result<(Loaded, u64)> {
    let runner = runner(global, config, draw)?;
    let ticket = Ticket {
        id: new_id(clock::now()),
        parameters: parameters(args),
    };
    let tokens = Tokens::kept_in(Folders::new(&config.app.data_dir).tokens());
    let (mut loaded, mut fetched) = (Loaded::default(), 0);
    loop {
        let pace = Pace {
            ticket: &ticket,
            fetched,
            stop: &AtomicBool::new(false),
        };
        let mut wanted = None;
        let mut note = |messages: u64, step: crate::job::run::Progress| {
            if wanted.replace(messages).is_none() {
                reporter.expect(messages, fetched);
            }
            reporter.note(step);
        };
        let piece = backlog.piece(&runner, &pace, &tokens, &mut waiting(), &mut note);
        let piece = piece.map_err(as_usage)?;
        loaded.add(&piece.fetch.done.loaded);
        fetched += piece
            .fetch
            .visited
            .iter()
            .map(|one| one.fetched)
            .sum::<u64>();
        if let Some(unread) = piece.fetch.done.unread {
            return Err(unread);
        }
        let failed = failures(piece.fetch.visited);
        if !failed.is_empty() {
            return Err(all_failures(failed)
                .context(format!("after {fetched} messages; begin again to go on")));
        }
        if !piece.has_more {
            return Ok((loaded, fetched));
        }
    }
}

/// As the job shows them.
fn parameters(args: &BacklogArgs) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::from([("inbox".to_owned(), args.inbox.clone())]);
    let mut add = |key: &str, value: Option<String>| {
        parameters.extend(value.map(|value| (key.to_owned(), value)));
    };
    add("folder", args.folder.clone());
    add("since", args.since.map(|day| day.to_string()));
    add("before", args.before.map(|day| day.to_string()));
    add("limit", args.limit.map(|limit| limit.to_string()));
    for (key, is_set) in [("reprocess", args.reprocess), ("mark_seen", args.mark_seen)] {
        add(key, is_set.then(|| "true".to_owned()));
    }
    parameters
}

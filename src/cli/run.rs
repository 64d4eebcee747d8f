//! `sentinel run`: one pass over the mailboxes, up to a new generation.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, anyhow};

use super::context::{Global, UsageError};
use super::work::{Reporter, counts_line, exit_code, locked};
use crate::archive::Archive;
use crate::config::{Config, nearest};
use crate::job::folders::Folders;
use crate::job::mailboxes::{Fetch, Visited, fetch};
use crate::job::positions::Positions;
use crate::job::publish::Draw;
use crate::job::visit::{Known, Selection, Visit};
use crate::model::inbox::Inbox;
use crate::model::outcome::Outcome;
use crate::source::imap::Tokens;

/// Arguments of `sentinel run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel run                         new messages of every inbox
  sentinel run --inbox dmarc --all     every message of one inbox that is not in the archive yet
  */15 * * * * sentinel run -q         from cron, where `sentinel serve` does not run")]
pub struct RunArgs {
    /// This inbox alone; may be given again
    #[arg(long = "inbox", value_name = "NAME")]
    pub inboxes: Vec<String>,
    /// Also messages that somebody has read, or that are older than the newest one in the archive
    #[arg(long)]
    pub all: bool,
    /// Say how long each step took, as one line of JSON on standard error
    #[arg(long)]
    pub timings: bool,
}

/// Fetches, archives, loads and publishes. The last line on standard output counts the documents.
pub fn run(args: &RunArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let inboxes = chosen(config, &args.inboxes)?;
    let selection = Selection {
        is_all: args.all,
        ..Selection::default()
    };
    let mut tokens = Tokens::default();
    let (mut visits, mut failed) = look_into(config, &inboxes, &selection, &mut tokens)?;
    let mut reporter = Reporter::new(global.quiet);
    let stop = AtomicBool::new(false);
    let fetched = locked("run", global, config, draw, |run| {
        let mut note = |progress: crate::job::run::Progress| reporter.note(progress);
        let fetched = fetch(run, &mut visits, &mut tokens, &stop, &mut note)?;
        Ok((fetched, run.watch.figures()))
    });
    reporter.end();
    let (Fetch { done, visited }, figures) = fetched?;
    visits.into_iter().for_each(Visit::close);
    if !global.quiet {
        visited.iter().for_each(tell);
        if let Some(generation) = &done.generation {
            eprintln!("published generation {}", generation.number);
        }
    }
    if args.timings {
        eprintln!("{}", serde_json::json!(figures));
    }
    println!("{}", counts_line(&done.loaded.outcomes));
    failed.extend(
        visited
            .into_iter()
            .filter_map(|one| Some((one.inbox, one.failed?.into()))),
    );
    if let Some(unread) = done.unread {
        return Err(unread);
    }
    match failed.len() {
        0 => Ok(exit_code(done.loaded.count(Outcome::Refused))),
        _ => Err(all_failures(failed)),
    }
}

/// The inboxes named, or all.
fn chosen(config: &Config, names: &[String]) -> Result<Vec<Inbox>> {
    if config.inboxes.is_empty() {
        return Err(UsageError(
            "no inboxes are configured: add the section `inboxes` to the configuration, or set DMARC_IMAP_HOST, \
             DMARC_IMAP_USER and DMARC_IMAP_PASS"
                .to_owned(),
        )
        .into());
    }
    if names.is_empty() {
        return Ok(config.inboxes.clone());
    }
    let find = |name: &String| {
        let found = config.inboxes.iter().find(|inbox| inbox.name == *name);
        found.cloned().ok_or_else(|| {
            let known = || config.inboxes.iter().map(|inbox| inbox.name.as_str());
            let hint = match nearest(name, known()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("configured are {}", known().collect::<Vec<_>>().join(", ")),
            };
            UsageError(format!("there is no inbox \"{name}\": {hint}")).into()
        })
    };
    names.iter().map(find).collect()
}

/// Inboxes that could not be looked into, and why.
type Failures = Vec<(String, anyhow::Error)>;

/// Looks into the inboxes, one after the other.
fn look_into(
    config: &Config,
    inboxes: &[Inbox],
    selection: &Selection,
    tokens: &mut Tokens,
) -> Result<(Vec<Visit>, Failures)> {
    let folders = Folders::new(&config.app.data_dir);
    let archive = Archive::open(&folders.archive()).context("opening the archive")?;
    let mut positions = Positions::default();
    positions
        .update(&archive)
        .context("reading the positions of the mailboxes")?;
    let known = Known {
        archive: &archive,
        positions: &positions,
        limits: &config.limits,
    };
    let (mut visits, mut failed) = (Vec::new(), Vec::new());
    for inbox in inboxes {
        match Visit::begin(inbox, selection, &known, tokens) {
            Ok(visit) => visits.push(visit),
            Err(error) => failed.push((inbox.name.clone(), error)),
        }
    }
    Ok((visits, failed))
}

fn tell(visited: &Visited) {
    let settled = match visited.settled {
        0 => String::new(),
        count => format!(", {count} treated as configured"),
    };
    eprintln!(
        "{}: {} of {} new messages fetched{settled}",
        visited.inbox, visited.fetched, visited.wanted
    );
}

fn all_failures(failed: Failures) -> anyhow::Error {
    let lines: Vec<String> = failed
        .iter()
        .map(|(inbox, error)| format!("inbox \"{inbox}\": {error:#}"))
        .collect();
    anyhow!("{}", lines.join("\n"))
}

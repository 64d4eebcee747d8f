//! `sentinel run`: one pass over the mailboxes, up to a new generation.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use super::context::{Global, UsageError};
use super::names::Namer;
use super::teller::Teller;
use super::work::{Reporter, exit_code, exit_code_of, locked, runner};
use crate::archive::Archive;
use crate::clock;
use crate::config::{Config, nearest};
use crate::daemon::{self, Told};
use crate::job::dry_run::{LONGEST, dry_run};
use crate::job::folders::Folders;
use crate::job::mailboxes::{Fetch, Turn, Visited, fetch};
use crate::job::maintain::maintain;
use crate::job::outages::{Failure, Fared, outages};
use crate::job::positions::Positions;
use crate::job::publish::Draw;
use crate::job::redraw::refresh;
use crate::job::run::Done;
use crate::job::visit::{self, Known, Selection, Visit};
use crate::ledger::{Ledger, View};
use crate::model::inbox::Inbox;
use crate::model::outcome::Outcome;
use crate::source::imap::{ImapError, Tokens};
use crate::store::mail_endings::WouldBe;

/// How long names of hosts are looked up.
const LONGEST_PASS: Duration = Duration::from_secs(60);

/// Arguments of `sentinel run`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel run                         new messages of every inbox
  sentinel run --dry-run               say what new messages would become
  sentinel run --inbox dmarc --all     every message of one inbox that is not in the archive yet
  */15 * * * * sentinel run -q         from cron, where `sentinel serve` does not run")]
pub struct RunArgs {
    /// This inbox alone; may be given again
    #[arg(long = "inbox", value_name = "NAME")]
    pub inboxes: Vec<String>,
    /// Also messages that somebody has read, or that are older than the newest one in the archive
    #[arg(long)]
    pub all: bool,
    /// Say what each message would become; store nothing, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Say how long each step took, as one line of JSON on standard error
    #[arg(long)]
    pub timings: bool,
}

/// Fetches, archives, loads and publishes. The last line on standard output counts the documents.
pub fn run(args: &RunArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let inboxes = chosen(config, &args.inboxes)?;
    runner(global, config, draw)?.check_disk()?;
    let selection = Selection {
        is_all: args.all,
        ..Selection::default()
    };
    let tokens = Tokens::kept_in(Folders::new(&config.app.data_dir).tokens());
    let (mut visits, mut failed) = look_into(config, &inboxes, &selection, &tokens)?;
    let turn = Turn {
        stop: &AtomicBool::new(false),
        longest: if args.dry_run { LONGEST } else { Duration::MAX },
        min_free_bytes: config.app.min_free_disk_bytes,
    };
    if args.dry_run {
        let became = locked("dry run", global, config, draw, |run, _| {
            dry_run(run, &mut visits, &tokens, turn)
        });
        visits.into_iter().for_each(Visit::close);
        return tell_dry_run(became?, failed);
    }
    let mut reporter = Reporter::new(global.quiet);
    let fetched = locked("run", global, config, draw, |run, noting| {
        let wanted = visits.iter().map(Visit::wanted).sum();
        noting.wanted(wanted);
        reporter.expect(wanted, 0);
        let fetched = fetch(run, &mut visits, &tokens, turn, &mut |progress| {
            noting.note(&progress);
            reporter.note(progress);
        })?;
        // Nobody else does it where passes are all that there is; mostly it is a look at the names of segments.
        if let Err(error) = maintain(run, &mut |_| {}) {
            tracing::warn!("looking after the archive: {error:#}");
        }
        Ok((fetched, run.watch.figures()))
    });
    reporter.end();
    visits.into_iter().for_each(Visit::close);
    let (Fetch { done, visited }, figures) = fetched?;
    if !global.quiet {
        visited.iter().for_each(tell);
        if let Some(generation) = &done.generation {
            eprintln!("published generation {}", generation.number);
        }
    }
    if args.timings {
        eprintln!("{}", serde_json::json!(figures));
    }
    println!("{}", done.loaded);
    let read = |one: &&Visited| one.failed.is_none();
    let read = visited.iter().filter(read).map(|one| one.inbox.clone());
    let read = read.collect();
    failed.extend(failures(visited));
    note_outages(config, read, &failed);
    tell_people(config);
    look_up_names(global, config, draw);
    verdict(config, done, failed)
}

/// Looks up names of hosts and publishes what is new, after all else: what fails is tried again by the next run.
fn look_up_names(global: &Global, config: &Config, draw: Draw) {
    let stop = AtomicBool::new(false);
    let looked_up = Namer::new(config).and_then(|namer| {
        let Some(namer) = namer else { return Ok(()) };
        if namer.pass(LONGEST_PASS, &stop)?.has_changed {
            let published = locked("publish", global, config, draw, |run, _| refresh(run))?;
            if let Some(generation) = published.filter(|_| !global.quiet) {
                let number = generation.number;
                eprintln!("published generation {number} with names of hosts");
            }
        }
        Ok(())
    });
    if let Err(error) = looked_up {
        tracing::error!("names of hosts: {error:#}");
    }
}

/// What the command ends with.
fn verdict(config: &Config, done: Done, failed: Failures) -> Result<ExitCode> {
    if let Some(unread) = done.unread {
        return Err(unread);
    }
    if failed.is_empty() {
        beat(config);
        return exit_code_of(&done, config);
    }
    Err(all_failures(failed))
}

/// Notes mailboxes that cannot be read: where it lasts, that is an alert.
fn note_outages(config: &Config, read: Vec<String>, failed: &Failures) {
    let now = clock::now().timestamp();
    let failure = |error: &anyhow::Error| Failure {
        since_utc_secs: now,
        error: format!("{error:#}"),
        needs_a_person: (error.downcast_ref::<ImapError>()).is_some_and(ImapError::needs_a_person),
    };
    let read = read.into_iter().map(|inbox| Fared {
        inbox,
        failure: None,
    });
    let fared: Vec<Fared> = read
        .chain(failed.iter().map(|(inbox, error)| Fared {
            inbox: inbox.clone(),
            failure: Some(failure(error)),
        }))
        .collect();
    let noted = Ledger::open(&Folders::new(&config.app.data_dir).ledger()).and_then(|ledger| {
        let (entries, _) = ledger.read(None)?;
        ledger.append(now, &outages(&View::fold(&entries), &fared, now))
    });
    if let Err(error) = noted {
        tracing::warn!(%error, "noting mailboxes that cannot be read");
    }
}

/// Tells people what is due; what fails is told of, and tried again by the next run.
fn tell_people(config: &Config) {
    let told = Teller::new(config).and_then(|teller| match teller {
        Some(mut teller) => teller.tell(),
        None => Ok(Told::default()),
    });
    match told {
        Ok(told) if told.is_busy => tracing::info!("another program tells people at the moment"),
        Ok(told) => {
            for channel in told.channels {
                if let Some((_, error)) = channel.last_error {
                    tracing::warn!("channel \"{}\": {error}", channel.name);
                }
            }
        }
        Err(error) => tracing::error!("people cannot be told: {error:#}"),
    }
}

/// Tells a watchdog that all is well; where that fails, it is not.
pub(super) fn beat(config: &Config) {
    if let Some(url) = &config.notify.heartbeat_url
        && let Err(error) = daemon::call(url.expose())
    {
        tracing::warn!("the heartbeat address cannot be called: {error}");
    }
}

/// A line a document, and their counts last.
pub(super) fn tell_dry_run(
    (fetch, became): (Fetch, Vec<WouldBe>),
    mut failed: Failures,
) -> Result<ExitCode> {
    for document in &became {
        let code = document
            .code
            .as_deref()
            .map_or(String::new(), |code| format!(" {code}"));
        let line = format!(
            "{} {} {}{code}: {} ({})",
            document.folder, document.uid, document.outcome, document.detail, document.subject
        );
        println!("{}", line.replace(char::is_control, " "));
    }
    for cut in fetch.visited.iter().filter(|visited| visited.has_more) {
        let minutes = LONGEST.as_secs() / 60;
        eprintln!(
            "{}: {} of {} messages; a dry run ends after {minutes} minutes",
            cut.inbox, cut.fetched, cut.wanted
        );
    }
    println!("{}", fetch.done.loaded);
    failed.extend(failures(fetch.visited));
    match failed.len() {
        0 => Ok(exit_code(fetch.done.loaded.count(Outcome::Refused))),
        _ => Err(all_failures(failed)),
    }
}

/// What kept mailboxes from being read to their end.
pub(super) fn failures(visited: Vec<Visited>) -> Failures {
    let failed = visited.into_iter();
    failed
        .filter_map(|one| Some((one.inbox, one.failed?.into())))
        .collect()
}

/// The inboxes named, or all.
pub(super) fn chosen(config: &Config, names: &[String]) -> Result<Vec<Inbox>> {
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
pub(super) type Failures = Vec<(String, anyhow::Error)>;

/// Looks into the inboxes.
fn look_into(
    config: &Config,
    inboxes: &[Inbox],
    selection: &Selection,
    tokens: &Tokens,
) -> Result<(Vec<Visit>, Failures)> {
    let folders = Folders::new(&config.app.data_dir);
    let archive = Archive::open(&folders.archive()).context("opening the archive")?;
    let positions = Positions::read(&archive).context("reading the positions of the mailboxes")?;
    let known = Known {
        archive: &archive,
        positions: &positions,
        limits: &config.limits,
    };
    let (mut visits, mut failed) = (Vec::new(), Vec::new());
    let looked = visit::look_into(inboxes, selection, &known, tokens)?;
    for (inbox, looked) in inboxes.iter().zip(looked) {
        match looked {
            Ok(visit) => visits.push(visit),
            Err(error) => failed.push((inbox.name.clone(), error)),
        }
    }
    Ok((visits, failed))
}

pub(super) fn tell(visited: &Visited) {
    let settled = match visited.settled {
        0 => String::new(),
        count => format!(", {count} treated as configured"),
    };
    eprintln!(
        "{}: {} of {} new messages fetched{settled}",
        visited.inbox, visited.fetched, visited.wanted
    );
}

pub(super) fn all_failures(failed: Failures) -> anyhow::Error {
    let lines: Vec<String> = failed
        .iter()
        .map(|(inbox, error)| format!("inbox \"{inbox}\": {error:#}"))
        .collect();
    anyhow!("{}", lines.join("\n"))
}

//! One file per command; prints here and nowhere else.
//!
//! Exit codes: 0 done, 1 done but something was refused or a rule cannot be asked (`summary`: there are problems), 2 usage
//! or configuration, 3 failed, 4 busy.

mod alert_beyond;
mod alert_desk;
mod context;
mod desk;
mod digest;
mod drawn;
mod glance;
mod teller;

pub mod alerts;
pub mod backlog;
pub mod check;
pub mod demo;
pub mod ingest;
pub mod intake;
pub mod names;
mod notify;
pub mod parse;
pub mod rebuild;
pub mod render;
pub mod run;
pub mod serve;
pub mod summary;
pub mod verify;
mod work;

pub mod query;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::clock;
use crate::config::Config;
use crate::job::draw::Pages;
use crate::job::lock::LockError;
use crate::job::publish::{Draw, Drawing};
use crate::render::Skin;

pub use context::{Global, LogFormat, UsageError};

const EXAMPLES: &str = "Examples:
  sentinel demo --serve                look at invented data first
  sentinel ingest ~/reports            take in report files, folders, mbox, Maildir, archives
  sentinel check                       after a change of the configuration: does it all work?
  sentinel serve                       show the dashboard on http://127.0.0.1:8000, fetch mail by itself
  sentinel run                         one pass over the mailboxes
  sentinel summary --days 7            see who sent, and what needs a person
  sentinel query 'from daily limit 5'  ask the published database
  sentinel alerts                      see what wants your attention, and say what was done
  sentinel notify test                 are people told? sends a sample to each channel
  sentinel intake                      see what was refused, and why
  sentinel parse mail.eml              print what a mail or file holds, storing nothing

Exit codes: 0 done, 1 done but something was refused or a rule cannot be asked (summary: there are problems), 2 usage or
configuration, 3 failed, 4 busy";

#[derive(Debug, Parser)]
#[command(
    name = "sentinel",
    version,
    about = "DMARC reports in; a dashboard, a DuckDB file and JSON out.",
    after_help = EXAMPLES,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what reports say; nothing is stored
    Parse(parse::ParseArgs),
    /// Fetch new mail from every inbox and publish what it holds
    Run(run::RunArgs),
    /// Fetch old mail of one inbox
    Backlog(backlog::BacklogArgs),
    /// Take in reports and publish them
    Ingest(ingest::IngestArgs),
    /// Make everything derived anew from the archive
    Rebuild(rebuild::RebuildArgs),
    /// Compare what is published with a rebuild
    Verify(verify::VerifyArgs),
    /// Draw all pages again and publish them
    Render(render::RenderArgs),
    /// Say in words how the last days went; the exit code tells whether there are problems
    Summary(summary::SummaryArgs),
    /// Ask the published database with SQL or a query by name
    Query(query::QueryArgs),
    /// List alerts, and say what was done about them
    Alerts(alerts::AlertsArgs),
    /// List how documents ended: refused, in conflict, …
    Intake(intake::IntakeArgs),
    /// Say whether configuration, queries, folders, mailboxes and channels are in order, and how things stand
    Check(check::CheckArgs),
    /// Try the channels that people are told through
    Notify(notify::NotifyArgs),
    /// Invent reports, take them in and show them
    Demo(demo::DemoArgs),
    /// Serve the dashboard and the JSON
    Serve(serve::ServeArgs),
}

/// Runs the command line and returns the exit code.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are no failure; where nobody reads, nothing can be told.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    arguments.global.start_logging();
    dispatch(&arguments.global, arguments.command).unwrap_or_else(|error| failed(&error))
}

fn dispatch(global: &Global, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Parse(args) => parse::run(&args, &global.config()?.limits),
        Command::Ingest(args) => with_pages(global, None, |config, draw| {
            ingest::run(&args, global, config, draw)
        }),
        Command::Run(args) => with_pages(global, None, |config, draw| {
            run::run(&args, global, config, draw)
        }),
        Command::Backlog(args) => with_pages(global, None, |config, draw| {
            backlog::run(&args, global, config, draw)
        }),
        Command::Rebuild(args) => with_pages(global, None, |config, draw| {
            rebuild::run(&args, global, config, draw)
        }),
        Command::Verify(args) => {
            let report_pages = verify::published_report_pages(&global.config()?);
            with_pages(global, report_pages, |config, draw| {
                verify::run(&args, global, config, draw)
            })
        }
        Command::Render(args) => with_pages(global, args.report_pages, |config, draw| {
            render::run(&args, global, config, draw)
        }),
        Command::Summary(args) => summary::run(&args, global, &global.config()?),
        Command::Query(args) => query::run(&args, global, &global.config()?),
        Command::Alerts(args) => alerts::run(&args, &global.config()?, global),
        Command::Intake(args) => intake::run(&args, global, &global.config()?),
        Command::Check(args) => check::run(&args, global),
        Command::Notify(args) => notify::run(&args, &global.config()?),
        Command::Serve(args) => serve_dashboard(&args, &global.config()?),
        Command::Demo(args) => show_demo(&args, global),
    }
}

/// Runs `work` with the configuration and what draws pages; `report_pages` stands above `site.report_pages`.
fn with_pages(
    global: &Global,
    report_pages: Option<u64>,
    work: impl FnOnce(&Config, Draw) -> anyhow::Result<ExitCode>,
) -> anyhow::Result<ExitCode> {
    let config = global.config()?;
    let pages = pages(&config, report_pages)?;
    let draw = |drawing: Drawing| pages.draw(drawing);
    let draw = Draw {
        rules: &pages.rules,
        pages: &draw,
    };
    work(&config, draw)
}

/// The demo is an ordinary data folder: what a user does with real reports is done here with invented ones.
fn show_demo(args: &demo::DemoArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let folder = global
        .data_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from("demo-data"));
    demo::check_address(args)?;
    let prepared = demo::prepare(args, &folder, clock::today())?;
    let global = Global {
        config: Some(prepared.config.clone()),
        data_dir: Some(folder),
        as_of: Some(prepared.as_of),
        ..global.clone()
    };
    // The invented mailbox holds a broken attachment on purpose, so refusals are no failure here.
    with_pages(&global, None, |config, draw| {
        demo::take_in(args, &prepared, &global, config, draw)
    })?;
    print!("{}", demo::words(&prepared, args.serve));
    if !args.serve {
        return Ok(ExitCode::SUCCESS);
    }
    serve_dashboard(
        &serve::ServeArgs {
            listen: Some(args.listen),
        },
        &global.config()?,
    )
}

fn serve_dashboard(args: &serve::ServeArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let pages = pages(config, None)?;
    serve::run(
        args,
        config,
        drawn::drawn(
            Skin::new(&config.server.base_path)?.titled(&config.site.title),
            context::catalogue(config)?,
        )?,
        crate::daemon::Pages {
            rules: pages.rules.clone(),
            draw: Box::new(move |drawing| pages.draw(drawing)),
        },
    )
}

/// What draws pages; `report_pages` stands above `site.report_pages`.
fn pages(config: &Config, report_pages: Option<u64>) -> anyhow::Result<Pages> {
    let catalogue = context::catalogue(config)?;
    Ok(Pages {
        rules: context::rules(config, &catalogue)?,
        catalogue,
        skin: Skin::new(&config.server.base_path)?.titled(&config.site.title),
        report_pages: report_pages.unwrap_or(config.site.report_pages),
    })
}

/// Prints why a command failed, once and with its causes, and gives the exit code.
fn failed(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("sentinel: {error:#}");
    ExitCode::from(if error.downcast_ref::<UsageError>().is_some() {
        2
    } else if matches!(
        error.downcast_ref::<LockError>(),
        Some(LockError::Busy { .. })
    ) {
        4
    } else {
        3
    })
}

/// `sentinel query … | head` ends the reader first; that is how pipes work, not a failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::lock::RunLock;

    #[test]
    fn causes_of_failure_have_exit_codes_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.lock");
        let lock = || RunLock::acquire(&path, "sentinel ingest", &mut |_| false);
        let _held = lock().unwrap();
        let busy = anyhow::Error::from(lock().unwrap_err()).context("beginning");
        let usage = anyhow::Error::from(UsageError("no such day".into())).context("beginning");
        let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        for (error, expect) in [
            (busy, 4),
            (usage, 2),
            (anyhow::anyhow!("the disk is full"), 3),
            (anyhow::Error::from(broken).context("printing"), 0),
        ] {
            let what = error.to_string();
            let code = format!("{:?}", failed(&error));
            assert_eq!(code, format!("{:?}", ExitCode::from(expect)), "{what}");
        }
    }
}

//! `sentinel alerts`: what wants somebody's attention, and saying what was done about it.

use std::io::{self, BufWriter, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{Subcommand, ValueEnum};

use super::alert_beyond::Beyond;
use super::alert_desk::Alerts;
use super::context::{Global, UsageError, catalogue};
use super::glance::Glance;
use crate::config::Config;
use crate::job::folders::Folders;
use crate::model::alert::{Action, Status};
use crate::render::alerts::{AlertFile, AlertList, AlertQuestion, Listed};
use crate::render::{Skin, is_unseen};
use crate::serve::Undone;

/// Alerts of a list, unless more are asked for.
const LISTED: u32 = 1_000;

/// Arguments of `sentinel alerts`.
#[derive(Debug, Clone, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  sentinel alerts                                  what is open
  sentinel alerts list --status all --format json  everything, for another program
  sentinel alerts show fbc8ef5f                    one alert: facts, what to do, what was done
  sentinel alerts ack fbc8ef5f --note 'asked the provider'
  sentinel alerts resolve fbc8ef5f
  sentinel alerts reopen fbc8ef5f

An alert is named by its id or the beginning of it, as far as that names one alone. Actions are durable at once, also
beside a server or a run; pages that runs publish show them from the next publication on, the server shows them at once."
)]
pub struct AlertsArgs {
    #[command(subcommand)]
    command: Option<AlertsCommand>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Clone, Subcommand)]
enum AlertsCommand {
    /// List alerts; the same as without a command
    List(ListArgs),
    /// Show one alert
    Show {
        /// Its id, or the beginning of it
        id: String,
    },
    /// You know of it: it stays quiet until it gets graver
    Ack(ActArgs),
    /// It is done with: it opens again when there is newer evidence
    Resolve(ActArgs),
    /// It wants attention again
    Reopen(ActArgs),
}

/// What is listed.
#[derive(Debug, Clone, clap::Args)]
pub struct ListArgs {
    /// How they stand
    #[arg(long, value_enum, default_value_t = Standing::Open)]
    status: Standing,
    /// Those about this domain alone
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// So many of them, those that want somebody first
    #[arg(long, value_name = "N", default_value_t = LISTED, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Behind so many
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u32,
    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, clap::Args)]
struct ActArgs {
    /// Ids, or the beginnings of them
    #[arg(required = true)]
    ids: Vec<String>,
    /// What there is to say about it
    #[arg(long)]
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Standing {
    Open,
    Acknowledged,
    Resolved,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Lists, shows and acts.
pub fn run(args: &AlertsArgs, config: &Config, global: &Global) -> Result<ExitCode> {
    let folders = Folders::new(&config.app.data_dir);
    let desk = Alerts {
        public: folders.public(),
        ledger: folders.ledger(),
        glance: Arc::new(Glance::new(folders.ledger())),
        resolve_after_days: config.alerts.resolve_after_days,
        skin: Arc::new(Skin::new("")?),
        catalogue: Arc::new(catalogue(config)?),
        daemon: None,
        beyond: Beyond::default(),
    };
    let command = args.command.clone();
    match command.unwrap_or_else(|| AlertsCommand::List(args.list.clone())) {
        AlertsCommand::List(args) => list(&desk, &args),
        AlertsCommand::Show { id } => show(&desk, &id),
        AlertsCommand::Ack(args) => act(&desk, Action::Ack, &args, global),
        AlertsCommand::Resolve(args) => act(&desk, Action::Resolve, &args, global),
        AlertsCommand::Reopen(args) => act(&desk, Action::Reopen, &args, global),
    }
}

fn list(desk: &Alerts, args: &ListArgs) -> Result<ExitCode> {
    let question = AlertQuestion {
        status: match args.status {
            Standing::Open => Some(Status::Open),
            Standing::Acknowledged => Some(Status::Acknowledged),
            Standing::Resolved => Some(Status::Resolved),
            Standing::All => None,
        },
        domain: args.domain.as_deref().map(crate::model::domain::normalise),
        limit: args.limit as usize,
        offset: args.offset as usize,
    };
    let list = desk.list(&question)?.context("nothing is published yet")?;
    if args.format == Format::Json {
        io::stdout().lock().write_all(&list.to_bytes()?)?;
    } else {
        write_list(&list, &question)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write_list(list: &AlertList, question: &AlertQuestion) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for alert in &list.alerts {
        writeln!(out, "{}", line(alert))?;
    }
    if list.matching == 0 {
        let status = question.status;
        let status = status.map_or(String::new(), |status| format!(" are {status}"));
        writeln!(out, "no alerts{status}")?;
    }
    let shown = question.offset.saturating_add(list.alerts.len());
    let rest = list.matching.saturating_sub(shown as u64);
    if rest > 0 {
        writeln!(out, "and {rest} more: --offset {shown} lists them")?;
    }
    out.flush().map_err(Into::into)
}

/// `fbc8ef5f critical open 2026-11-07 2026-11-12 203.0.113.66 sent …`
fn line(alert: &Listed) -> String {
    let title = plain(&alert.title);
    let id = alert.id.get(..8).unwrap_or(&alert.id);
    format!(
        "{id}  {:8}  {:12}  {}  {}  {title}",
        alert.severity.as_str(),
        alert.status.as_str(),
        alert.first_day,
        alert.last_day
    )
}

fn show(desk: &Alerts, id: &str) -> Result<ExitCode> {
    let file = desk
        .file(&full_id(desk, id)?)?
        .context("there is no such alert")?;
    io::stdout().lock().write_all(words(&file).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn words(file: &AlertFile) -> String {
    let alert = &file.alert;
    let mut text = format!("{}\n\n", plain(&alert.title));
    let mut fact = |name: &str, value: &str| {
        text.push_str(&format!(
            "{:20}  {}\n",
            name.replace('_', " "),
            plain(value)
        ));
    };
    fact("id", &alert.id);
    fact("rule", &alert.rule);
    fact("severity", alert.severity.as_str());
    fact("status", alert.status.as_str());
    if let Some(reason) = file.reason {
        fact("reason", reason.as_str());
    }
    if let Some(domain) = &alert.domain {
        fact("domain", domain);
    }
    fact("subject", &alert.subject);
    fact("first day", &alert.first_day.to_string());
    fact("last day", &alert.last_day.to_string());
    fact("messages", &alert.messages.to_string());
    for (name, value) in &alert.facts {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        fact(name, &value);
    }
    if !alert.advice.is_empty() {
        text.push_str("\nWhat to do next:\n");
        for sentence in &alert.advice {
            text.push_str(&format!("- {}\n", plain(sentence)));
        }
    }
    for done in &file.actions {
        let at = crate::model::day::rfc3339(done.at_utc_secs);
        let note = done
            .note
            .as_deref()
            .map_or(String::new(), |note| format!(": {}", plain(note)));
        text.push_str(&format!("\n{at} {}{note}", done.action.as_str()));
    }
    if !file.actions.is_empty() {
        text.push('\n');
    }
    text
}

/// All or none: names that mean nothing are told before anything is done.
fn act(desk: &Alerts, action: Action, args: &ActArgs, global: &Global) -> Result<ExitCode> {
    let ids: Vec<String> = args
        .ids
        .iter()
        .map(|id| full_id(desk, id))
        .collect::<Result<_>>()?;
    for id in ids {
        let file = desk
            .act(&id, action, args.note.as_deref())
            .map_err(|why| match why {
                Undone::Failed(error) => error,
                other => UsageError(format!("{id}: {other}")).into(),
            })?;
        if !global.quiet {
            writeln!(io::stdout().lock(), "{}", line(&Listed::from(&file)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn full_id(desk: &Alerts, text: &str) -> Result<String> {
    if crate::alert::is_id(text) {
        return Ok(text.to_owned());
    }
    match desk.beginning(text)? {
        Some((id, 1)) if !text.is_empty() => Ok(id),
        Some((_, many)) => Err(UsageError(format!(
            "`{}` is the beginning of {many} ids: give more of it",
            plain(text)
        ))
        .into()),
        None => Err(UsageError(format!(
            "there is no alert whose id begins with `{}`: `sentinel alerts list --status all` shows all",
            plain(text)
        ))
        .into()),
    }
}

/// A stranger's text on a terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if is_unseen(c) { ' ' } else { c })
        .collect()
}

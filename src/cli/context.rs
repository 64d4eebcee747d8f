//! Options of every command, and what follows from them: configuration, log, day.

use std::fmt;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::alert::{RuleProblem, Rules};
use crate::clock;
use crate::config::{Config, LogLevel, nearest, process_environment};
use crate::model::day::Day;
use crate::query::Catalogue;

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Global {
    /// Configuration file [default: config/config.yml where that exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of archive, ledger, working database and published data [default: app.data_dir, else ./data]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// UTC day for which things are judged; it only ever advances [default: today]
    #[arg(long, global = true, value_name = "DATE")]
    pub as_of: Option<Day>,
    /// Form of log lines on standard error
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Say nothing but errors and results
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A mistake in the command line or the configuration: exit code 2.
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

impl Global {
    /// The configuration, `--data-dir` over what the file says.
    pub fn config(&self) -> anyhow::Result<Config> {
        let mut config =
            Config::load(self.config.as_deref(), &process_environment).map_err(|problems| {
                let lines: Vec<String> = problems
                    .iter()
                    .map(|problem| format!("  {problem}"))
                    .collect();
                UsageError(format!(
                    "the configuration has {} problem(s):\n{}",
                    lines.len(),
                    lines.join("\n")
                ))
            })?;
        if let Some(data_dir) = &self.data_dir {
            config.app.data_dir.clone_from(data_dir);
        }
        Ok(config)
    }

    /// The day to judge for: the one given, else today.
    pub fn as_of(&self) -> Day {
        self.as_of.unwrap_or_else(clock::today)
    }

    /// Sends log lines to standard error, so that standard output holds results alone.
    pub(super) fn start_logging(&self) {
        // Problems of the configuration are told by the command itself.
        let configured = Config::load(self.config.as_deref(), &process_environment)
            .map_or(LogLevel::Warn, |config| config.app.log_level);
        let level = match (self.quiet, self.verbose) {
            (true, _) => LogLevel::Error,
            (false, 0) => configured,
            (false, 1) => configured.max(LogLevel::Info),
            (false, 2) => configured.max(LogLevel::Debug),
            (false, _) => LogLevel::Trace,
        };
        let lines = tracing_subscriber::fmt()
            .with_max_level(tracing_level(level))
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false);
        let started = match self.log_format {
            LogFormat::Text => lines.try_init(),
            LogFormat::Json => lines.json().try_init(),
        };
        if started.is_err() {
            tracing::debug!("logging was already started");
        }
    }
}

/// The query files, the user's over the embedded ones.
pub(super) fn catalogue(config: &Config) -> anyhow::Result<Catalogue> {
    Catalogue::load(Some(&config.queries_folder)).map_err(|problems| {
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| format!("  {}:{}: {}", problem.path, problem.line, problem.message))
            .collect();
        UsageError(format!(
            "the query files have {} problem(s):\n{}",
            lines.len(),
            lines.join("\n")
        ))
        .into()
    })
}

/// The rules of the catalogue as they are configured.
pub(super) fn rules(config: &Config, catalogue: &Catalogue) -> anyhow::Result<Rules> {
    configured_rules(config, catalogue).map_err(|lines| {
        UsageError(format!(
            "the configuration has {} problem(s):\n  {}",
            lines.len(),
            lines.join("\n  ")
        ))
        .into()
    })
}

/// The same, or what is wrong, a line each.
pub(super) fn configured_rules(
    config: &Config,
    catalogue: &Catalogue,
) -> Result<Rules, Vec<String>> {
    let alerts = &config.alerts;
    Rules::new(catalogue, &alerts.rules, alerts.resolve_after_days)
        .map(|rules| Rules {
            time_limit_secs: alerts.rule_time_limit_secs,
            ..rules
        })
        .map_err(|problems| problems.iter().map(rule_problem).collect())
}

fn rule_problem(problem: &RuleProblem) -> String {
    let RuleProblem {
        line,
        path,
        message,
        known,
    } = problem;
    let name = path.rsplit('.').next().unwrap_or_default();
    let meant = match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!("; there are {}", known.join(", ")),
    };
    format!("line {line}: alerts.rules.{path}: {message}{meant}")
}

fn tracing_level(level: LogLevel) -> tracing::Level {
    match level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
        LogLevel::Trace => tracing::Level::TRACE,
    }
}

//! `sentinel intake`: how documents ended, newest first, from the published database.

use std::process::ExitCode;

use clap::ValueEnum;

use super::context::Global;
use super::query::{QueryArgs, QueryFormat, run as ask};
use crate::config::Config;
use crate::model::outcome::Outcome;

/// What is listed when nothing else is asked for: what did not go in as it should have.
const PROBLEMS: [Outcome; 4] = [
    Outcome::Refused,
    Outcome::Conflict,
    Outcome::Foreign,
    Outcome::NotAReport,
];

/// Arguments of `sentinel intake`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel intake                              what was refused, in conflict, foreign or no report
  sentinel intake list --outcome duplicate     one outcome; may be repeated
  sentinel intake --outcome all --format json  everything")]
pub struct IntakeArgs {
    /// What to do
    #[arg(value_enum, default_value_t = Action::List)]
    pub action: Action,
    /// Only documents that ended so; `all` for every outcome [default: refused, conflict, foreign, not-a-report]
    #[arg(long, value_name = "OUTCOME", value_parser = outcome)]
    pub outcome: Vec<String>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// How to print; by default a table on a terminal and CSV into a pipe
    #[arg(long, value_enum)]
    pub format: Option<QueryFormat>,
}

/// What `sentinel intake` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Prints how documents ended, newest first
    List,
}

/// Prints the list; the exit code is that of `sentinel query`.
pub fn run(args: &IntakeArgs, global: &Global, config: &Config) -> anyhow::Result<ExitCode> {
    ask(&question(args), global, config)
}

fn question(args: &IntakeArgs) -> QueryArgs {
    let wanted: Vec<&str> = if args.outcome.iter().any(|word| word == "all") {
        Outcome::ALL
            .iter()
            .map(|outcome| outcome.as_str())
            .collect()
    } else if args.outcome.is_empty() {
        PROBLEMS.iter().map(|outcome| outcome.as_str()).collect()
    } else {
        args.outcome.iter().map(String::as_str).collect()
    };
    QueryArgs {
        query: Some("intake_list".to_owned()),
        params: vec![
            ("outcomes".to_owned(), wanted.join(",")),
            ("limit".to_owned(), args.limit.to_string()),
        ],
        list: false,
        format: args.format,
    }
}

fn outcome(text: &str) -> Result<String, String> {
    let known: Vec<&str> = Outcome::ALL
        .iter()
        .map(|outcome| outcome.as_str())
        .collect();
    if text == "all" || known.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("has to be all or one of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(words: &[&str]) -> String {
        let args = IntakeArgs {
            action: Action::List,
            outcome: words.iter().map(ToString::to_string).collect(),
            limit: 7,
            format: None,
        };
        let question = question(&args);
        assert_eq!(question.params[1], ("limit".to_owned(), "7".to_owned()));
        question.params[0].1.clone()
    }

    #[test]
    fn problems_are_listed_unless_something_else_is_asked_for() {
        assert_eq!(outcomes(&[]), "refused,conflict,foreign,not-a-report");
        assert_eq!(outcomes(&["duplicate", "expired"]), "duplicate,expired");
        assert_eq!(outcomes(&["refused", "all"]).split(',').count(), 8);
    }

    #[test]
    fn unknown_outcomes_are_told_the_known_ones() {
        assert!(outcome("no-traffic").is_ok());
        assert!(outcome("rejected").unwrap_err().contains("refused"));
    }
}

//! One file per command; prints here and nowhere else.

pub mod demo;
pub mod parse;
pub mod serve;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::model::limits::Limits;

#[derive(Parser)]
#[command(name = "sentinel", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read reports and print them; nothing is stored
    Parse(parse::ParseArgs),
}

/// Runs the command line and returns the exit code of DESIGN: 0 done, 1 done with refusals, 2 usage or
/// configuration, 3 failed, 4 busy.
pub fn run(args: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let Command::Parse(args) = cli.command;
    parse::run(&args, &Limits::default()).unwrap_or_else(|error| {
        eprintln!("sentinel: {error:#}");
        ExitCode::from(3)
    })
}

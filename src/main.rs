//! Parses arguments, calls [`sentinel::cli::run`], turns its verdict into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    sentinel::cli::run(std::env::args_os())
}

//! One file per command; prints here and nowhere else.

pub mod query;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command line and returns the exit code of DESIGN: 0 done, 1 done with refusals, 2 usage or
/// configuration, 3 failed, 4 busy.
pub fn run(_args: impl Iterator<Item = OsString>) -> ExitCode {
    ExitCode::from(3)
}

//! `sentinel verify`: whether what is published is what the archive and the ledger give.

use std::process::ExitCode;

use anyhow::Result;

use super::context::Global;
use super::work::locked;
use crate::config::Config;
use crate::job::folders::Folders;
use crate::job::publish::Draw;
use crate::job::verify::verify;
use crate::publish::Publisher;

/// Arguments of `sentinel verify`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel verify  exit code 3 and a list where something differs")]
pub struct VerifyArgs {}

/// Rebuilds in a folder of its own and compares; exit code 3 and a list where something differs.
pub fn run(_args: &VerifyArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let verified = locked("verify", global, config, draw, |run, _| {
        verify(run, &mut |_| {})
    })?;
    if verified.differences.is_empty() {
        let (generation, items, files) = (verified.generation, verified.items, verified.files);
        println!(
            "generation {generation} is what its {items} items give: {files} files and every table are the same"
        );
        return Ok(ExitCode::SUCCESS);
    }
    for difference in &verified.differences {
        println!("{difference}");
    }
    println!(
        "generation {} differs from a rebuild in {} places",
        verified.generation,
        verified.differences.len()
    );
    Ok(ExitCode::from(3))
}

/// How many reports have a page in what is published: `render --report-pages` may have asked for another number than
/// the configuration, and that is no difference. `None` where nothing readable is published; the comparison says so.
pub fn published_report_pages(config: &Config) -> Option<u64> {
    let public = Folders::new(&config.app.data_dir).public();
    let live = Publisher::open(&public).current().ok()??;
    let pages = live.manifest.files.keys();
    let count = pages
        .filter(|path| path.starts_with("site/reports/") && path.ends_with(".html"))
        .count();
    u64::try_from(count).ok()
}

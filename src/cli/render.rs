//! `sentinel render`: the pages anew, with the present templates, queries and configuration.

use std::process::ExitCode;

use anyhow::Result;

use super::context::Global;
use super::work::{Reporter, locked};
use crate::config::Config;
use crate::job::publish::{Draw, Extent};
use crate::job::redraw::redraw;

/// Arguments of `sentinel render`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel render                     after a change of a panel: do not wait for the next report
  sentinel render --report-pages all  a page for every report, as for a copy without a server")]
pub struct RenderArgs {
    /// Newest reports that get a page of their own, until the next run [default: site.report_pages]
    #[arg(long, value_name = "N|all", value_parser = report_pages)]
    pub report_pages: Option<u64>,
}

/// Draws everything and publishes it; no input is read.
pub fn run(_args: &RenderArgs, global: &Global, config: &Config, draw: Draw) -> Result<ExitCode> {
    let mut reporter = Reporter::new(global.quiet);
    let done = locked("render", global, config, draw, |run, _| {
        redraw(run, Extent::Everything, &mut |progress| {
            reporter.note(progress);
        })
    });
    reporter.end();
    if let Some(generation) = &done?.generation {
        let pages = generation.manifest.files.keys();
        let reports = pages.filter(|path| path.starts_with("site/reports/"));
        println!(
            "published generation {} with {} report pages",
            generation.number,
            reports.count()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn report_pages(text: &str) -> Result<u64, String> {
    if text == "all" {
        return Ok(u64::MAX);
    }
    text.parse()
        .map_err(|_| "has to be a number or `all`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_pages_are_a_number_or_all() {
        for (text, expect) in [("0", Some(0)), ("25", Some(25)), ("all", Some(u64::MAX))] {
            assert_eq!(report_pages(text).ok(), expect, "{text}");
        }
        for text in ["", "-1", "ALL", "1.5", "every"] {
            assert!(report_pages(text).is_err(), "{text}");
        }
    }
}

//! `sentinel demo`: an invented mailbox in a folder of its own, ready to be ingested and served.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::demo::{self, DemoPlan};
use crate::model::day::Day;

/// Name of the file that tells a demo's folder from anybody's data.
const MARKER: &str = ".sentinel-demo";

/// What a demo puts into its folder; nothing else in it is ever removed.
const CONTENTS: [&str; 6] = ["archive", "config.yml", "input", "ledger", "public", "work"];

/// Arguments of `sentinel demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// Aggregate reports to invent
    #[arg(long, default_value_t = 1_800, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub reports: u64,
    /// Days they are about
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub days: u32,
    /// Last of these days [default: yesterday]
    #[arg(long, value_name = "DATE")]
    pub end: Option<Day>,
    /// Another seed, another history
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Serve the dashboard afterwards, without a password, on a loopback address
    #[arg(long)]
    pub serve: bool,
    /// Address to serve on
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub listen: std::net::SocketAddr,
}

/// A demo's folder with its input in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// Mails and files to ingest.
    pub input: PathBuf,
    /// Configuration that knows the invented domains, and that data lies in the folder.
    pub config: PathBuf,
    /// The day for which things are judged: the one after the last day of the reports.
    pub as_of: Day,
    /// Whether the input was there already, from an earlier demo of the same plan.
    pub is_known: bool,
}

/// Writes the input and the configuration into `folder`, unless they are there already. Refuses a folder that is not
/// a demo's.
pub fn prepare(args: &DemoArgs, folder: &Path, today: Day) -> anyhow::Result<Prepared> {
    let yesterday = today.pred_opt().unwrap_or(today);
    let end = args.end.unwrap_or(yesterday);
    let plan = DemoPlan {
        reports: args.reports,
        days: args.days,
        end,
        seed: args.seed,
    };
    let prepared = Prepared {
        input: folder.join("input"),
        config: folder.join("config.yml"),
        as_of: end.succ_opt().unwrap_or(end),
        is_known: false,
    };
    let stamp = format!(
        "reports={} days={} end={end} seed={}\n",
        plan.reports, plan.days, plan.seed
    );
    let marker = folder.join(MARKER);
    match fs::read_to_string(&marker) {
        // One that was invented and not published was cut short: it begins anew, not with half of its reports.
        Ok(text) if text == stamp && is_published(folder) => {
            return Ok(Prepared {
                is_known: true,
                ..prepared
            });
        }
        Ok(_) => clear(folder)?,
        Err(_) if is_empty(folder)? => {}
        Err(_) => bail!(
            "{} holds something that is not a demo: nothing was touched",
            folder.display()
        ),
    }
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    // Until the input is complete the marker names no plan, so that a demo cut short begins anew.
    fs::write(&marker, "").with_context(|| format!("writing {}", marker.display()))?;
    write_input(&plan, &prepared.input)?;
    fs::write(
        &prepared.config,
        demo::config_text(&folder.to_string_lossy()),
    )
    .context("writing the demo's configuration")?;
    fs::write(&marker, stamp).with_context(|| format!("writing {}", marker.display()))?;
    Ok(prepared)
}

fn is_published(folder: &Path) -> bool {
    folder.join("public/current/manifest.json").is_file()
}

fn is_empty(folder: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("reading {}", folder.display())),
    }
}

fn clear(folder: &Path) -> anyhow::Result<()> {
    for name in CONTENTS {
        let path = folder.join(name);
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_input(plan: &DemoPlan, input: &Path) -> anyhow::Result<()> {
    for file in demo::generate(plan) {
        let file = file.context("inventing reports")?;
        let folder = input.join(file.day.to_string());
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let path = folder.join(&file.name);
        fs::File::create_new(&path)
            .and_then(|mut written| written.write_all(&file.bytes))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(seed: u64) -> DemoArgs {
        let listen = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        DemoArgs {
            reports: 20,
            days: 5,
            end: None,
            seed,
            serve: false,
            listen,
        }
    }

    fn today() -> Day {
        Day::from_ymd_opt(2026, 3, 10).unwrap()
    }

    #[test]
    fn demo_ends_yesterday_and_is_judged_today() {
        let folder = tempfile::tempdir().unwrap();
        let prepared = prepare(&args(1), folder.path(), today()).unwrap();
        assert_eq!(prepared.as_of, today());
        assert!(prepared.input.join("2026-03-09").is_dir());
        assert!(!prepared.input.join("2026-03-10").exists());
    }

    #[test]
    fn demo_refuses_a_folder_that_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("precious");
        fs::write(&file, "data").unwrap();
        assert!(prepare(&args(1), folder.path(), today()).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn demo_of_the_same_plan_is_kept_and_another_plan_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!prepare(&args(1), folder.path(), today()).unwrap().is_known);
        let note = folder.path().join("note.txt");
        fs::write(&note, "kept").unwrap();
        fs::create_dir(folder.path().join("archive")).unwrap();
        let current = folder.path().join("public/current");
        fs::create_dir_all(&current).unwrap();
        fs::write(current.join("manifest.json"), "{}").unwrap();
        assert!(prepare(&args(1), folder.path(), today()).unwrap().is_known);
        assert!(folder.path().join("archive").exists());
        assert!(!prepare(&args(2), folder.path(), today()).unwrap().is_known);
        assert!(!folder.path().join("archive").exists());
        assert!(note.exists());
    }

    #[test]
    fn demo_that_was_cut_short_before_it_was_published_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        prepare(&args(1), folder.path(), today()).unwrap();
        fs::create_dir(folder.path().join("archive")).unwrap();
        assert!(!prepare(&args(1), folder.path(), today()).unwrap().is_known);
        assert!(!folder.path().join("archive").exists());
    }

    #[test]
    fn demo_configuration_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let prepared = prepare(&args(1), folder.path(), today()).unwrap();
        let config = crate::config::Config::load(Some(&prepared.config), &|_| None).unwrap();
        assert_eq!(config.app.data_dir, folder.path());
        assert!(!config.security.dashboard_auth);
    }
}

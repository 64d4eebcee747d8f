//! `sentinel demo`: an invented mailbox in a folder of its own, ready to be ingested and served.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::context::{Global, UsageError};
use super::ingest::IngestArgs;
use super::work::locked;
use crate::config::Config;
use crate::demo::{self, DemoPlan};
use crate::job::publish::{Draw, Extent};
use crate::job::redraw::redraw;
use crate::model::day::Day;
use crate::publish::Publisher;

/// Name of the file that tells a demo's folder from anybody's data.
const MARKER: &str = ".sentinel-demo";

/// What a demo puts into its folder; nothing else in it is ever removed.
const CONTENTS: [&str; 6] = ["archive", "config.yml", "input", "ledger", "public", "work"];

/// Arguments of `sentinel demo`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel demo --serve
  sentinel demo --reports 20000 --days 365 --seed 7 --data-dir ./big-demo")]
pub struct DemoArgs {
    /// Aggregate reports to invent
    #[arg(long, default_value_t = 2_160, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
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
    /// The demo's data folder.
    pub folder: PathBuf,
    /// Mails and files to ingest.
    pub input: PathBuf,
    /// Configuration that knows the invented domains, and that data lies in the folder.
    pub config: PathBuf,
    /// The day for which things are judged: the one after the last day of the reports.
    pub as_of: Day,
    /// Whether the input was there already, from an earlier demo of the same plan.
    pub is_known: bool,
}

/// A demo has no password, so it is shown on this machine alone.
pub fn check_address(args: &DemoArgs) -> Result<(), UsageError> {
    if args.serve && !args.listen.ip().is_loopback() {
        return Err(UsageError(format!(
            "a demo is served without a password, on a loopback address only, and {} is not one; for others to look \
             at it, use `sentinel serve` with a password",
            args.listen
        )));
    }
    Ok(())
}

/// Ingests new input; input that is there already is only published anew where the program has changed since.
pub fn take_in(
    args: &DemoArgs,
    prepared: &Prepared,
    global: &Global,
    config: &Config,
    draw: Draw,
) -> anyhow::Result<ExitCode> {
    let published = Publisher::open(&prepared.folder.join("public")).current();
    // Without a generation an earlier demo was cut short: the rest of its input is taken in now.
    if prepared.is_known && matches!(published, Ok(Some(_))) {
        locked("demo", global, config, draw, |run, _| {
            redraw(run, Extent::Changed, &mut |_| {})
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    if !global.quiet {
        eprintln!(
            "inventing {} reports over {} days in {}",
            args.reports,
            args.days,
            prepared.folder.display()
        );
    }
    let input = IngestArgs {
        timings: false,
        paths: vec![prepared.input.clone().into()],
    };
    super::ingest::run(&input, global, config, draw)
}

/// What was made, where, and what to do with it.
pub fn words(prepared: &Prepared, is_served: bool) -> String {
    let (folder, config) = (prepared.folder.display(), prepared.config.display());
    let made = if prepared.is_known {
        "is still there"
    } else {
        "was made"
    };
    let mut text = format!(
        "An invented mailbox {made} in {folder}/input; what it gave is in {folder}/public/current:\n  \
         sentinel.duckdb  the database\n  lake/            the same as Parquet\n  site/            pages and JSON\n\
         Ask it: sentinel --config {config} query 'from daily limit 5'\n"
    );
    if !is_served {
        text.push_str(&format!(
            "Show it: sentinel --config {config} serve --listen 127.0.0.1:8000\n"
        ));
    }
    text
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
        folder: folder.to_path_buf(),
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
    fn demo_without_a_password_stays_on_this_machine() {
        for (serve, listen, expect) in [
            (true, "127.0.0.1:8000", true),
            (true, "[::1]:8000", true),
            (true, "0.0.0.0:8000", false),
            (true, "192.0.2.1:8000", false),
            (false, "0.0.0.0:8000", true),
        ] {
            let listen = listen.parse().unwrap();
            let args = DemoArgs {
                serve,
                listen,
                ..args(1)
            };
            assert_eq!(check_address(&args).is_ok(), expect, "{serve} {listen}");
        }
    }

    #[test]
    fn demo_tells_where_it_is_and_how_to_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let prepared = prepare(&args(1), folder.path(), today()).unwrap();
        let words = words(&prepared, false);
        let config = prepared.config.display().to_string();
        assert!(
            words.contains(&format!("--config {config} serve")),
            "{words}"
        );
        assert!(
            words.contains(&format!("--config {config} query")),
            "{words}"
        );
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

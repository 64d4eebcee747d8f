//! `sentinel check`: whether a run and the server would work, without doing anything.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::context::{Global, configured_rules};
use super::serve;
use crate::archive::Archive;
use crate::config::{Config, DEFAULT_PATH, process_environment};
use crate::http;
use crate::job::folders::Folders;
use crate::job::lock::{LockError, RunLock};
use crate::publish::Publisher;
use crate::query::Catalogue;
use crate::tls::Trust;

/// Written and removed again where a folder has to be writable.
const PROBE: &str = ".sentinel-check";

mod addresses;
mod channels;
mod mailboxes;
mod rules;

/// Arguments of `sentinel check`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "Examples:
  sentinel check                                after a change of the configuration or a query file
  sentinel --config /etc/sentinel.yml check -q  problems only; exit code 2 when there are any
  sentinel check --health                       ask a server that runs; exit code 3 when it is not well")]
pub struct CheckArgs {
    /// Ask a running server whether it is well, and nothing else: for health checks of containers
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "http://127.0.0.1:8000/health")]
    pub health: Option<String>,
}

/// What was found, in the order of the checks.
#[derive(Debug, Default, PartialEq, Eq)]
struct Findings {
    /// How things stand.
    facts: Vec<String>,
    /// What keeps a command from working.
    problems: Vec<String>,
}

/// Prints facts on standard output and problems on standard error; exit code 2 where there is a problem.
pub fn run(args: &CheckArgs, global: &Global) -> anyhow::Result<ExitCode> {
    if let Some(url) = &args.health {
        return health(url);
    }
    let mut findings = Findings::default();
    let shown = global.config.clone().unwrap_or(PathBuf::from(DEFAULT_PATH));
    match Config::load(global.config.as_deref(), &process_environment) {
        Ok(mut config) => {
            if let Some(data_dir) = &global.data_dir {
                config.app.data_dir.clone_from(data_dir);
            }
            findings.facts.push(if shown.exists() {
                format!("configuration: {} is valid", shown.display())
            } else {
                format!("configuration: no {}, the defaults apply", shown.display())
            });
            findings.look_at(&config);
        }
        Err(problems) => {
            let lines = problems.iter().map(ToString::to_string);
            findings.problems.extend(lines);
        }
    }
    let mut out = std::io::stdout().lock();
    for fact in findings.facts.iter().filter(|_| !global.quiet) {
        writeln!(out, "{fact}")?;
    }
    for problem in &findings.problems {
        eprintln!("problem: {problem}");
    }
    Ok(ExitCode::from(if findings.problems.is_empty() {
        0
    } else {
        2
    }))
}

/// Prints what the server says of itself; exit code 3 where it is not well.
fn health(url: &str) -> anyhow::Result<ExitCode> {
    let reply = http::get(&Trust::of_nobody()?, url).with_context(|| format!("asking {url}"))?;
    println!(
        "{}",
        String::from_utf8_lossy(&reply.body).replace(char::is_control, " ")
    );
    Ok(ExitCode::from(if reply.is_success() { 0 } else { 3 }))
}

impl Findings {
    fn look_at(&mut self, config: &Config) {
        self.look_at_queries(config);
        let folders = Folders::new(&config.app.data_dir);
        let is_there = config.app.data_dir.exists();
        for folder in [
            config.app.data_dir.clone(),
            folders.archive(),
            folders.ledger(),
            folders.work(),
            folders.public(),
        ] {
            self.look_at_folder(&folder);
        }
        if !is_there {
            let shown = config.app.data_dir.display();
            self.facts.push(format!("data: {shown} does not exist yet"));
        }
        self.look_at_archive(&folders.archive());
        self.look_at_published(&folders.public());
        self.look_at_lock(&folders.work().join("run.lock"));
        self.look_at_mailboxes(config);
        self.look_at_channels(config);
        self.look_at_addresses(config);
        if let Some(reason) = serve::refusal(config) {
            // Not a problem of those who only ingest and query.
            self.facts.push(format!("serve: would refuse: {reason}"));
        }
    }

    fn look_at_queries(&mut self, config: &Config) {
        match Catalogue::load(Some(&config.queries_folder)) {
            Ok(catalogue) => {
                let own = catalogue.queries.values().filter(|query| query.is_users);
                self.facts.push(format!(
                    "queries: {} are valid, {} of them from {}",
                    catalogue.queries.len(),
                    own.count(),
                    config.queries_folder.display()
                ));
                match configured_rules(config, &catalogue) {
                    Ok(rules) => {
                        let count = rules.rules.len();
                        self.facts.push(format!("rules: {count} look for alerts"));
                        self.look_at_rules(&rules, &Folders::new(&config.app.data_dir));
                    }
                    Err(lines) => self.problems.extend(lines),
                }
            }
            Err(problems) => {
                let lines = problems.iter().map(ToString::to_string);
                self.problems.extend(lines);
            }
        }
    }

    /// One that does not exist must be creatable: what exists above it is looked at instead.
    fn look_at_folder(&mut self, folder: &Path) {
        let Some(there) = folder.ancestors().find(|path| path.exists()) else {
            return self.look_at_writable(Path::new("."));
        };
        if there == folder || there.is_dir() {
            self.look_at_writable(there);
        } else {
            let problem = format!("{} is no folder", there.display());
            self.add_problem(problem);
        }
    }

    fn look_at_writable(&mut self, folder: &Path) {
        let probe = folder.join(format!("{PROBE}-{}", std::process::id()));
        let tried = File::create_new(&probe).and_then(|_| fs::remove_file(&probe));
        if let Err(error) = tried {
            self.add_problem(format!("{} cannot be written: {error}", folder.display()));
        }
    }

    /// The same folder may stand above several.
    fn add_problem(&mut self, problem: String) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn look_at_archive(&mut self, folder: &Path) {
        if !folder.is_dir() {
            return self.facts.push("archive: empty".to_owned());
        }
        match Archive::open(folder) {
            Ok(archive) => self
                .facts
                .push(format!("archive: {} items", archive.position())),
            Err(error) => self.add_problem(format!("archive {}: {error}", folder.display())),
        }
    }

    fn look_at_published(&mut self, folder: &Path) {
        match Publisher::open(folder).current() {
            Ok(None) => self.facts.push("published: nothing yet".to_owned()),
            Ok(Some(generation)) => {
                let values = &generation.manifest.values;
                self.facts.push(format!(
                    "published: generation {} of {} items, judged for {}, {} files",
                    generation.number,
                    values.archive_position,
                    values.as_of,
                    generation.manifest.files.len()
                ));
                if let Some(day) = values.expired_before {
                    let fact = format!("retention: reports before {day} are gone");
                    self.facts.push(fact);
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.facts.push("published: nothing yet".to_owned());
            }
            Err(error) => self.add_problem(format!("published {}: {error}", folder.display())),
        }
    }

    fn look_at_lock(&mut self, path: &Path) {
        if !path.exists() {
            return self.facts.push("lock: free".to_owned());
        }
        match RunLock::acquire(path, "sentinel check", &mut |_| false) {
            Ok(_free) => self.facts.push("lock: free".to_owned()),
            Err(LockError::Busy { holder }) => self.facts.push(format!("lock: held by {holder}")),
            Err(LockError::Io(error)) => self.add_problem(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_in(folder: &Path) -> Config {
        let mut config = Config::parse("test.yml", "", &|_| None).unwrap();
        config.app.data_dir = folder.join("data");
        config.queries_folder = folder.join("queries");
        config
    }

    fn findings(config: &Config) -> Findings {
        let mut findings = Findings::default();
        findings.look_at(config);
        findings
    }

    #[test]
    fn a_new_folder_has_no_problem_and_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let found = findings(&config_in(folder.path()));
        assert_eq!(found.problems, Vec::<String>::new());
        assert!(found.facts.contains(&"published: nothing yet".to_owned()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_query_file_and_a_folder_that_cannot_be_are_told_together() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("queries/panels")).unwrap();
        fs::write(folder.path().join("queries/panels/mine.sql"), "select 1").unwrap();
        fs::write(folder.path().join("data"), "a file").unwrap();
        let problems = findings(&config_in(folder.path())).problems.join("\n");
        assert!(problems.contains("mine.sql:1"), "{problems}");
        assert!(problems.contains("data"), "{problems}");
    }

    #[test]
    fn who_holds_the_lock_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/work/run.lock");
        let held = RunLock::acquire(&path, "sentinel ingest", &mut |_| false).unwrap();
        let has = |found: &Findings, text: &str| found.facts.iter().any(|fact| fact.contains(text));
        let found = findings(&config_in(folder.path()));
        assert!(has(&found, "(sentinel ingest)"), "{found:?}");
        drop(held);
        let found = findings(&config_in(folder.path()));
        assert!(has(&found, "lock: free"), "{found:?}");
    }
}

//! The product as its users have it: the real program, a data folder, a mailbox of invented files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use sentinel::demo::{DemoPlan, config_text, generate};
use sentinel::publish::{Generation, Publisher};
use serde_json::Value as Json;

/// The last day of the invented reports; the day after it is the one for which things are judged.
pub const LAST_DAY: &str = "2026-03-09";
/// The day for which things are judged.
pub const AS_OF: &str = "2026-03-10";

/// A mailbox in a folder, one file an item, in the order in which it is read.
pub struct Mailbox {
    /// Where the files lie; commands run in it, so that names are the same whatever the data folder.
    pub folder: tempfile::TempDir,
    /// Names in the folder.
    pub names: Vec<String>,
}

impl Mailbox {
    /// No files yet.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            names: Vec::new(),
        }
    }

    /// What `sentinel demo` invents: duplicates, a conflict, a report without traffic, one that is cut, TLS and failure
    /// reports, reports about several days.
    pub fn invented(reports: u64, days: u32) -> Self {
        let mut mailbox = Self::empty();
        let plan = DemoPlan {
            reports,
            days,
            end: LAST_DAY.parse().unwrap(),
            seed: 11,
        };
        for file in generate(&plan) {
            let file = file.unwrap();
            mailbox.add(&format!("{} {}", file.day, file.name), &file.bytes);
        }
        mailbox
    }

    /// Adds a file at the end.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        let name = format!("{:04} {name}", self.names.len());
        fs::write(self.folder.path().join(&name), bytes).unwrap();
        self.names.push(name);
        self
    }

    /// The bytes of a file.
    pub fn bytes(&self, index: usize) -> Vec<u8> {
        fs::read(self.folder.path().join(&self.names[index])).unwrap()
    }
}

/// A data folder and the configuration that goes with it.
pub struct Product {
    home: tempfile::TempDir,
}

impl Product {
    /// As the demo configures it.
    pub fn new() -> Self {
        Self::with_config("")
    }

    /// As the demo configures it, and `more` lines of YAML.
    pub fn with_config(more: &str) -> Self {
        let product = Self {
            home: tempfile::tempdir().unwrap(),
        };
        product.configure(more);
        product
    }

    /// Writes the configuration anew.
    pub fn configure(&self, more: &str) {
        // The data folder is given on the command line: its path must not be a part of what the configuration says.
        let text = config_text("data") + more;
        fs::write(self.home.path().join("config.yml"), text).unwrap();
    }

    /// Adds a query of the user's own, `panels/NAME.sql`.
    pub fn add_query(&self, name: &str, text: &str) {
        let path = self.home.path().join("queries").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Where configuration and data are.
    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// `sentinel WORD …` in `folder`.
    pub fn command(&self, folder: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel"));
        command
            .current_dir(folder)
            .arg("--config")
            .arg(self.home.path().join("config.yml"))
            .arg("--data-dir")
            .arg(self.data())
            .args(words)
            .env("IMAP_PASSWORD", crate::mail_server::PASSWORD)
            .stdin(Stdio::null());
        command
    }

    /// Runs `sentinel WORD …` to its end.
    pub fn run(&self, words: &[&str]) -> Said {
        self.run_in(self.home.path(), words)
    }

    /// Runs `sentinel WORD …` in `folder` to its end.
    pub fn run_in(&self, folder: &Path, words: &[&str]) -> Said {
        Said::of(self.command(folder, words).output().unwrap())
    }

    /// `sentinel ingest` of some files of a mailbox, judged for [`AS_OF`].
    pub fn ingest(&self, mailbox: &Mailbox, names: &[String]) -> Said {
        self.ingest_as_of(mailbox, names, AS_OF)
    }

    /// `sentinel ingest` of some files of a mailbox.
    pub fn ingest_as_of(&self, mailbox: &Mailbox, names: &[String], as_of: &str) -> Said {
        Said::of(self.ingest_command(mailbox, names, as_of).output().unwrap())
    }

    /// Starts `sentinel ingest` and does not wait for it.
    pub fn start_ingest(&self, mailbox: &Mailbox, names: &[String]) -> Child {
        self.ingest_command(mailbox, names, AS_OF)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn ingest_command(&self, mailbox: &Mailbox, names: &[String], as_of: &str) -> Command {
        let mut command = self.command(mailbox.folder.path(), &["ingest", "--as-of", as_of]);
        command.args(names);
        command
    }

    /// A run that has nothing to read: it finishes what an earlier one left.
    pub fn poll(&self) -> Said {
        self.poll_as_of(AS_OF)
    }

    /// The same on another day.
    pub fn poll_as_of(&self, as_of: &str) -> Said {
        let nothing = tempfile::tempdir().unwrap();
        self.run_in(nothing.path(), &["ingest", "--as-of", as_of, "."])
    }

    /// What is published.
    pub fn current(&self) -> Generation {
        let current = Publisher::open(&self.data().join("public")).current();
        current.unwrap().expect("something is published")
    }

    /// The answer of `sentinel query`, an object a row.
    pub fn query(&self, words: &[&str]) -> Vec<Json> {
        let said = self.run(&[&["query", "--format", "json"], words].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }

    /// Documents by outcome.
    pub fn outcomes(&self) -> BTreeMap<String, u64> {
        let sql = "select outcome, count(*) as documents from documents group by all order by all";
        let rows = self.query(&[sql]);
        let pairs = rows.iter().map(|row| {
            let outcome = row["outcome"].as_str().unwrap().to_owned();
            (outcome, row["documents"].as_u64().unwrap())
        });
        pairs.collect()
    }

    /// `sentinel verify` finds nothing to say.
    pub fn assert_verified(&self, what: &str) {
        let said = self.run(&["verify"]);
        assert_eq!(said.code, 0, "{what}: {}{}", said.out, said.err);
    }

    /// Site and lake byte for byte, tables row for row.
    pub fn assert_same(&self, other: &Self, what: &str) {
        let (one, two) = (self.current(), other.current());
        let (had, has) = (&one.manifest.files, &two.manifest.files);
        let odd: Vec<&String> = had
            .keys()
            .chain(has.keys())
            .filter(|path| had.get(*path) != has.get(*path))
            .collect();
        assert!(odd.is_empty(), "{what}: {odd:?}");
        for path in had.keys() {
            let (here, there) = (one.folder.join(path), two.folder.join(path));
            assert!(
                fs::read(here).unwrap() == fs::read(there).unwrap(),
                "{what}: {path}"
            );
        }
        assert_eq!(
            table_differences(&one, &two),
            Vec::<String>::new(),
            "{what}"
        );
    }
}

/// Tables that differ between two published databases, with how many rows each has alone.
fn table_differences(one: &Generation, two: &Generation) -> Vec<String> {
    let connection = duckdb::Connection::open_in_memory().unwrap();
    for (name, generation) in [("one", one), ("two", two)] {
        let file = generation.database().unwrap();
        let sql = format!("attach '{}' as {name} (read_only)", file.display());
        connection.execute_batch(&sql).unwrap();
    }
    let tables = |database: &str| -> Vec<String> {
        let sql = format!(
            "select table_name from duckdb_tables() where database_name = '{database}' order by all"
        );
        let mut statement = connection.prepare(&sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    };
    let names = tables("one");
    assert!(names.len() > 8, "{names:?}");
    assert_eq!(names, tables("two"));
    let mut differences = Vec::new();
    for table in names.iter().filter(|name| *name != "runs") {
        let columns = match table.as_str() {
            "items" => "* exclude (received_utc)",
            _ => "*",
        };
        let alone = |here: &str, there: &str| -> u64 {
            let sql = format!(
                "select count(*) from (select {columns} from {here}.{table} except all select {columns} from {there}.{table})"
            );
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        let (here, there) = (alone("one", "two"), alone("two", "one"));
        if here + there > 0 {
            differences.push(format!("{table}: {here} rows here alone, {there} there"));
        }
    }
    differences
}

/// What a command said.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The last line of standard output.
    pub fn last_line(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }
}

/// Looks at `is_so` again and again, a minute at most.
pub fn until(mut is_so: impl FnMut() -> bool) -> bool {
    for _ in 0..60_000 {
        if is_so() {
            return true;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    false
}

/// Waits for the end of a process, a minute at most, and gives the most memory that it had.
pub fn most_memory_kib(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most_kib = 0;
    let ended = until(|| {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        most_kib = most_kib.max(now.unwrap_or(0));
        child.try_wait().unwrap().is_some()
    });
    if !ended {
        child.kill().unwrap();
    }
    most_kib
}

/// Names in a folder; none where there is no folder.
pub fn names_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

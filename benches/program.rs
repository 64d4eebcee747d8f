//! The program while it is measured: how long it runs, what it says of its steps, and the most memory that it has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// What a run of the program said and cost.
pub struct Run {
    /// From its start to its end.
    pub wall: Duration,
    /// The most that was resident.
    pub peak_bytes: u64,
    /// What `--timings` says.
    pub timings: serde_json::Value,
    /// What it said on standard output.
    #[allow(dead_code, reason = "not every benchmark asks")]
    pub said: String,
}

impl Run {
    /// The sum of some figures of `--timings`.
    pub fn ms(&self, keys: &[&str]) -> f64 {
        let figure = |key: &&str| self.timings.get(key).and_then(serde_json::Value::as_f64);
        keys.iter().map(|key| figure(key).unwrap_or(0.0)).sum()
    }

    /// From the start of the run, which holds the lock, to rows that are durable.
    pub fn durable_ms(&self) -> f64 {
        self.ms(&["durable_ms"])
    }
}

/// The words that follow a name on the command line.
pub struct Arguments(Vec<String>);

impl Arguments {
    /// Those of this process.
    pub fn given() -> Self {
        Self(std::env::args().collect())
    }

    /// Whether the word is there.
    #[allow(dead_code, reason = "not every benchmark has a choice")]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|word| word == name)
    }

    /// The word behind a name.
    pub fn value(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|word| word == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// The program that is measured.
    pub fn sentinel(&self) -> anyhow::Result<PathBuf> {
        let path = self
            .value("--sentinel")
            .unwrap_or("target/release/sentinel");
        fs::canonicalize(path).context("the built program; `make build` makes it")
    }
}

/// Runs a command with `--timings` and watches its peak memory until it ends, which has to be well.
pub fn watch(command: &mut Command) -> anyhow::Result<Run> {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak_bytes = 0;
    while child.try_wait()?.is_none() {
        peak_bytes = peak_bytes.max(peak(&status));
        std::thread::sleep(Duration::from_millis(3));
    }
    let wall = began.elapsed();
    let output = child.wait_with_output()?;
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        bail!("{command:?} ended with {}: {complained}", output.status);
    }
    let timings = complained
        .lines()
        .rev()
        .find(|line| line.starts_with('{') && line.contains("total_ms"));
    Ok(Run {
        wall,
        peak_bytes,
        timings: serde_json::from_str(timings.context("no line of timings on standard error")?)?,
        said: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

/// `VmHWM`: the most that was resident at any time so far; never falls, so the last reading is the peak.
fn peak(status: &Path) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .unwrap_or_default()
        .trim()
        .trim_end_matches("kB")
        .trim();
    kib.parse::<u64>().unwrap_or(0) * 1024
}

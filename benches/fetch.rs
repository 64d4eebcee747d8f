//! How fast `sentinel run` takes a backlog in, against a floor measured in the same run: the same messages of the same
//! Dovecot over TLS, fetched in one command by the IMAP client library alone, which throws them away. Beside it, for
//! what it is worth: the pace at which the server sends them to somebody who does not look.
//!
//! `make bench-fetch` takes 20,000 messages. Fails under a quarter of the floor's rate, or with more than 256 MiB.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that meets something unexpected has to stop"
)]

mod bare_client;
#[path = "../tests/mail_server.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod mail_server;
#[path = "../tests/product.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod product;
mod program;
mod report_mails;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::ensure;

use bare_client::{BareClient, Fetched, fetch_by_library};
use mail_server::{MailServer, PASSWORD};
use program::{Arguments, Run, watch};

const MESSAGES: usize = 20_000;
/// Turns, of which the medians count.
const ROUNDS: usize = 3;
/// Least part of the rate of the floor.
const LEAST: f64 = 0.25;
/// The part to reach.
const AIM: f64 = 0.40;
/// The most memory.
const MEMORY_BYTES: u64 = 256 << 20;
const FOLDER: &str = "DMARC";

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::given();
    let sentinel = arguments.sentinel()?;
    let number = |name, or: usize| arguments.value(name).map_or(Ok(or), str::parse);
    let (messages, rounds) = (number("--messages", MESSAGES)?, number("--rounds", ROUNDS)?);
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fetch-bench");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;

    let began = Instant::now();
    let server = filled(messages)?;
    fs::write(work.join("config.yml"), server.inbox())?;
    // The server's index and caches, once for both sides.
    let first = bare(&server, messages)?;
    println!(
        "\n{messages} messages of {:.0} bytes, {} cores; made in {:.1} s",
        first.bytes as f64 / messages as f64,
        std::thread::available_parallelism()?,
        began.elapsed().as_secs_f64()
    );
    let (mut floors, mut unread, mut runs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        // In turn, because the machine may be busier in one minute than in the next.
        floors.push(by_library(&server, first.bytes)?);
        unread.push(bare(&server, messages)?.took);
        let run = sentinel_run(&sentinel, &work, &format!("data-{round}"))?;
        let expect = format!("accepted {messages}, ");
        ensure!(run.said.starts_with(&expect), "it said {}", run.said);
        runs.push(run);
    }
    drop(server);
    fs::remove_dir_all(&work)?;
    judge(messages as f64, &floors, &unread, &runs)
}

/// A server with a folder full of reports.
fn filled(messages: usize) -> anyhow::Result<MailServer> {
    let server = MailServer::start();
    server.make_folder("reports", FOLDER);
    for number in 0..messages {
        server.deliver("reports", FOLDER, &report_mails::mail(number as u64)?);
    }
    Ok(server)
}

fn bare(server: &MailServer, messages: usize) -> anyhow::Result<Fetched> {
    let (port, ca_file) = (server.imaps_port, server.ca_file());
    let began = Instant::now();
    let mut client = BareClient::connect(port, &ca_file)?;
    client.log_in("reports", PASSWORD)?;
    let there = client.examine(FOLDER)?;
    ensure!(there == messages, "{there} messages are in the folder");
    let bytes = client.fetch_all()?;
    Ok(Fetched {
        bytes,
        took: began.elapsed(),
    })
}

fn by_library(server: &MailServer, answer_bytes: usize) -> anyhow::Result<Duration> {
    let ca_file = server.ca_file();
    let address = (server.imaps_port, ca_file.as_path());
    let began = Instant::now();
    let bytes = fetch_by_library(address, ("reports", PASSWORD), FOLDER)?;
    // The answer around a message is some sixty bytes.
    ensure!(bytes > answer_bytes * 9 / 10, "only {bytes} bytes came");
    Ok(began.elapsed())
}

fn sentinel_run(sentinel: &Path, work: &Path, data: &str) -> anyhow::Result<Run> {
    let mut command = Command::new(sentinel);
    command
        .arg("--config")
        .arg(work.join("config.yml"))
        .arg("--data-dir")
        .arg(work.join(data))
        .args(["--as-of", "2026-03-10", "-q", "run", "--timings"])
        .env("IMAP_PASSWORD", PASSWORD);
    watch(&mut command)
}

/// Until everything is durable: all but what is measured behind it. The program's own clock starts when it has looked
/// into the mailbox.
fn durable(run: &Run) -> Duration {
    let behind_ms = run.ms(&["total_ms"]) - run.durable_ms();
    run.wall
        .saturating_sub(Duration::from_secs_f64(behind_ms.max(0.0) / 1e3))
}

fn judge(
    messages: f64,
    floors: &[Duration],
    unread: &[Duration],
    runs: &[Run],
) -> anyhow::Result<()> {
    let floor = median(floors.to_vec());
    let line = |name: &str, times: Vec<Duration>, aim: &str| {
        let each: Vec<String> = times
            .iter()
            .map(|one| format!("{:.0}", messages / one.as_secs_f64()))
            .collect();
        let median = median(times);
        let rate = messages / median.as_secs_f64();
        let ratio = floor.as_secs_f64() / median.as_secs_f64();
        println!(
            "  {name:<24} {:>7.0} ms  {rate:>7.0} messages/s  {:>4.0} %{aim}  (each: {})",
            median.as_secs_f64() * 1e3,
            ratio * 100.0,
            each.join(", ")
        );
        ratio
    };
    line("bare client", floors.to_vec(), "");
    line("the server's pace", unread.to_vec(), "");
    let aim = format!("  (aim {:.0} %)", AIM * 100.0);
    let ratio = line("durable", runs.iter().map(durable).collect(), &aim);
    line(
        "whole program",
        runs.iter().map(|run| run.wall).collect(),
        "",
    );
    let peak_bytes = runs.iter().map(|run| run.peak_bytes).max().unwrap_or(0);
    println!(
        "  peak memory              {:>7.0} MiB  (at most {} MiB)",
        peak_bytes as f64 / f64::from(1 << 20),
        MEMORY_BYTES >> 20
    );
    for run in runs {
        println!("  phases                   {}", run.timings);
    }
    ensure!(
        ratio >= LEAST,
        "less than {LEAST} of the bare client's rate"
    );
    ensure!(peak_bytes <= MEMORY_BYTES, "more memory than is allowed");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

//! The server beside runs: a new generation appears without a restart and without a torn page, older reports are the
//! same page as the static one, and other readers of the published file are not disturbed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use duckdb::{AccessMode, Config, Connection};
use sentinel::publish::Generation;
use sha2::{Digest, Sha256};

use crate::product::{Mailbox, Product, until};

/// A running `sentinel serve`.
pub struct Served {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Served {
    /// Starts it on a port that is free.
    pub fn start(product: &Product) -> Self {
        let words = ["serve", "--listen", "127.0.0.1:0"];
        let mut command = product.command(&product.home(), &words);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let rest = line.trim().strip_prefix("Dashboard: http://");
        let address = rest.and_then(|rest| rest.strip_suffix("/overview"));
        Self {
            address: address.unwrap_or_else(|| panic!("{line}")).to_owned(),
            child,
        }
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Got {
        self.ask("GET", path, "", "")
    }

    /// Sends a request with more header lines, each with its line end.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Got {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let length = match body.len() {
            0 => String::new(),
            bytes => format!("Content-Length: {bytes}\r\n"),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{length}{headers}\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("an end of the head");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
        let body = answer.split_off(end + 4);
        assert_eq!(body.len(), length, "{path}: cut short");
        let status = head[9..12].parse().unwrap();
        Got { status, head, body }
    }

    /// SIGTERM.
    fn terminate(&self) {
        let kill = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(kill.unwrap().success());
    }

    /// SIGTERM; the exit code.
    fn stop(mut self) -> Option<i32> {
        self.terminate();
        let mut code = None;
        until(|| {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.expect("it ends").code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already where a test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
pub struct Got {
    /// Status code.
    pub status: u16,
    head: String,
    /// Content.
    pub body: Vec<u8>,
}

impl Got {
    /// A header.
    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.head, name)
    }

    /// Content that is JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", self.text()))
    }

    /// Content that is text.
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The hash of the content, which is what the ETag says.
    fn sha256(&self) -> String {
        let hash: String = Sha256::digest(&self.body)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(self.header("etag"), Some(format!("\"{hash}\"")));
        hash
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned())
}

/// Address of a published page.
fn address(path: &str) -> Option<String> {
    let below = path.strip_prefix("site")?;
    let is_page = below.ends_with(".html") || below.starts_with("/api/domains");
    let name = below
        .strip_suffix(".html")
        .or_else(|| below.strip_suffix(".json"))?;
    is_page.then(|| name.to_owned())
}

#[test]
fn every_published_page_is_served_as_it_lies_on_disk_and_sigterm_ends_with_0() {
    let (mailbox, product) = (Mailbox::invented(40, 8), Product::new());
    product.ingest(&mailbox, &mailbox.names);
    let served = Served::start(&product);
    let current = product.current();
    let pages: Vec<_> = current
        .manifest
        .files
        .iter()
        .filter_map(|(path, entry)| Some((address(path)?, entry)))
        .collect();
    assert!(pages.len() > 40, "{}", pages.len());
    for (page, entry) in pages {
        let got = served.get(&page);
        assert_eq!(
            (got.status, got.sha256()),
            (200, entry.sha256.clone()),
            "{page}"
        );
    }
    for path in [
        "/manifest.json",
        "/sentinel.duckdb",
        "/lake/reports",
        "/../config.yml",
        "/site/overview.html",
    ] {
        assert_eq!(served.get(path).status, 404, "{path}");
    }
    assert_eq!(served.get("/health").text(), "{\"status\":\"ok\"}");
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn a_signal_right_after_the_address_is_told_ends_with_0() {
    for _ in 0..3 {
        assert_eq!(Served::start(&Product::new()).stop(), Some(0));
    }
}

#[test]
fn a_second_signal_does_not_wait_for_a_request_in_flight() {
    let mut served = Served::start(&Product::new());
    let mut slow = TcpStream::connect(&served.address).unwrap();
    slow.write_all(b"GET /overview HTTP/1.1\r\nHost:").unwrap();
    // Connections are taken in order: this one is answered after the slow one was taken.
    served.get("/health");
    served.terminate();
    assert!(until(|| TcpStream::connect(&served.address).is_err()));
    assert!(served.child.try_wait().unwrap().is_none(), "it waits");
    let second = Instant::now();
    assert_eq!(served.stop(), Some(0));
    // Five seconds are what the first signal gives.
    assert!(second.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_new_generation_appears_while_pages_are_asked_for_and_none_is_torn() {
    let (mailbox, product) = (Mailbox::invented(300, 30), Product::new());
    product.ingest(&mailbox, &mailbox.names[..20]);
    let served = Served::start(&product);
    let before = product.current();
    let mut run = product.start_ingest(&mailbox, &mailbox.names[20..]);
    let mut seen = Vec::new();
    let mut after = 0;
    // A few more once the run is over, so that the new generation is among them.
    for _ in 0..100_000 {
        let got = served.get("/overview");
        assert_eq!(got.status, 200);
        seen.push(got.sha256());
        let domains = served.get("/api/domains");
        seen.push(domains.sha256());
        after += u32::from(run.try_wait().unwrap().is_some());
        if after == 3 {
            break;
        }
    }
    let now = product.current();
    assert_eq!((before.number, now.number, after), (1, 2, 3));
    let of = |generation: &Generation, path: &str| generation.manifest.files[path].sha256.clone();
    for (place, path) in ["site/overview.html", "site/api/domains.json"]
        .into_iter()
        .enumerate()
    {
        let (old, new) = (of(&before, path), of(&now, path));
        assert_ne!(old, new);
        let seen: Vec<&String> = seen.iter().skip(place).step_by(2).collect();
        assert_eq!((seen[0], seen[seen.len() - 1]), (&old, &new), "{path}");
        let turn = seen.iter().position(|hash| **hash == new).unwrap();
        assert!(seen[..turn].iter().all(|hash| **hash == old), "{path}");
        assert!(seen[turn..].iter().all(|hash| **hash == new), "{path}");
    }
}

#[test]
fn a_report_without_a_static_page_is_shown_as_one_with_it() {
    let mailbox = Mailbox::invented(40, 10);
    let (few, many) = (
        Product::with_config("site: {report_pages: 5}\n"),
        Product::new(),
    );
    few.ingest(&mailbox, &mailbox.names);
    many.ingest(&mailbox, &mailbox.names);
    let pages = |product: &Product| -> BTreeSet<String> {
        let files = product.current().manifest.files;
        files
            .into_keys()
            .filter(|path| path.contains("/reports/") && path.ends_with(".html"))
            .collect()
    };
    let (static_pages, all) = (pages(&few), pages(&many));
    assert_eq!(static_pages.len(), 5);
    assert!(static_pages.is_subset(&all) && all.len() > 30);
    let served = Served::start(&few);
    let folder = many.current().folder;
    for path in all.difference(&static_pages) {
        let got = served.get(&address(path).unwrap());
        assert_eq!(got.status, 200, "{path}");
        assert!(
            got.body == fs::read(folder.join(path)).unwrap(),
            "{path}: another page"
        );
        let json = path.replace("site/", "site/api/").replace(".html", ".json");
        let got = served.get(
            address(path)
                .map(|page| format!("/api{page}"))
                .as_deref()
                .unwrap(),
        );
        assert!(
            got.body == fs::read(folder.join(&json)).unwrap(),
            "{json}: other JSON"
        );
    }
    assert_eq!(
        served
            .get("/reports/00000000000000000000000000000000")
            .status,
        404
    );
}

#[test]
fn another_reader_of_the_published_file_disturbs_no_run_and_keeps_its_snapshot() {
    let (mailbox, product) = (Mailbox::invented(120, 12), Product::new());
    product.ingest(&mailbox, &mailbox.names[..60]);
    let path = product.data().join("public/current/sentinel.duckdb");
    let open = || {
        let config = Config::default().access_mode(AccessMode::ReadOnly).unwrap();
        Connection::open_with_flags(&path, config).unwrap()
    };
    let count = |connection: &Connection| -> u64 {
        let sql = "select sum(messages)::ubigint from daily";
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let reader = open();
    let before = count(&reader);
    let mut run = product.start_ingest(&mailbox, &mailbox.names[60..]);
    let mut looks = 0;
    let mut status = None;
    assert!(until(|| {
        assert_eq!(count(&reader), before);
        looks += 1;
        status = run.try_wait().unwrap();
        status.is_some()
    }));
    assert!(status.unwrap().code().unwrap() <= 1 && looks > 1);
    assert_eq!(product.current().number, 2);
    assert_eq!(count(&reader), before, "the snapshot stays");
    drop(reader);
    assert!(count(&open()) > before);
}

#[test]
fn figures_of_the_overview_are_the_answers_of_their_query_over_the_published_file() {
    let (mailbox, product) = (Mailbox::invented(200, 35), Product::new());
    product.ingest(&mailbox, &mailbox.names);
    let current = product.current();
    let page = fs::read_to_string(current.folder.join("site/overview.html")).unwrap();
    let text =
        fs::read_to_string(current.folder.join("site/queries/overview_figures.sql")).unwrap();
    let sql = text.replace(
        "$as_of",
        &format!("date '{}'", current.manifest.values.as_of),
    );
    let config = Config::default().access_mode(AccessMode::ReadOnly).unwrap();
    let connection = Connection::open_with_flags(current.database().unwrap(), config).unwrap();
    let mut statement = connection
        .prepare(&format!(
            "select value from (unpivot (select columns(*)::varchar from ({sql})) on columns(*))"
        ))
        .unwrap();
    let answers = statement
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap();
    let answers: Vec<String> = answers.collect::<Result<_, _>>().unwrap();
    let shown = figures(&page);
    assert!(shown.len() >= 8, "{shown:?}");
    assert_eq!(shown, answers);
    assert!(shown.iter().all(|figure| figure != "0"), "{shown:?}");
}

/// The numbers of the first panel of figures, without the signs that are there for eyes.
fn figures(page: &str) -> Vec<String> {
    let list = page.split("<dl class=\"figures").nth(1).unwrap();
    let list = list.split("</dl>").next().unwrap();
    let cells = list.split("<dd").skip(1).map(|cell| {
        let (_, text) = cell.split_once('>').unwrap();
        text.split('<').next().unwrap()
    });
    let is_kept = |c: &char| c.is_ascii_digit() || *c == '.';
    cells
        .map(|cell| cell.chars().filter(is_kept).collect())
        .collect()
}

//! The program that fetches by itself: told of new mail, beside servers that hang, through restarts of theirs and its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sentinel::publish::Publisher;

use crate::http_endpoint::Endpoint;
use crate::mail_server::{MailServer, Setup};
use crate::mailbox_fetch::{pass, product_of, report_mail};
use crate::product::{AS_OF, Product, until};

/// A running `sentinel serve` and what it logs.
pub struct Fetching {
    child: Child,
    log: PathBuf,
    data: PathBuf,
}

impl Fetching {
    /// Starts it and waits until it serves.
    pub fn start(product: &Product) -> Self {
        let log = product.home().join("serve.log");
        let words = ["-v", "serve", "--listen", "127.0.0.1:0"];
        let mut child = product
            .command(&product.home(), &words)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let fetching = Self {
            child,
            log,
            data: product.data(),
        };
        assert!(line.starts_with("Dashboard: "), "{line}{}", fetching.log());
        fetching
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Items that what is published stands on.
    pub fn published(&self) -> u64 {
        let current = Publisher::open(&self.data.join("public")).current();
        let current = current.ok().flatten();
        current.map_or(0, |generation| generation.manifest.values.archive_position)
    }

    /// Waits until so many items are published.
    #[track_caller]
    pub fn wait_for(&self, items: u64) {
        assert!(until(|| self.published() >= items), "{}", self.log());
    }

    /// SIGTERM; how long it takes to end, and the exit code.
    pub fn stop(mut self) -> (Duration, Option<i32>) {
        let began = Instant::now();
        let kill = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(kill.unwrap().success());
        let mut code = None;
        until(|| {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        (began.elapsed(), code.expect("it ends").code())
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        // It has ended already where a test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stands between a client and a server, and cuts all connections after so many bytes from the server.
struct Cutter {
    port: u16,
    left_bytes: Arc<AtomicU64>,
    is_cut: Arc<AtomicBool>,
}

impl Cutter {
    fn before(port: u16, bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cutter = Self {
            port: listener.local_addr().unwrap().port(),
            left_bytes: Arc::new(AtomicU64::new(bytes)),
            is_cut: Arc::default(),
        };
        let (left_bytes, is_cut) = (Arc::clone(&cutter.left_bytes), Arc::clone(&cutter.is_cut));
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass_on(from, to, |_| true));
                let (left_bytes, is_cut) = (Arc::clone(&left_bytes), Arc::clone(&is_cut));
                thread::spawn(move || {
                    pass_on(server, client, |count| {
                        let before = left_bytes.load(Ordering::Relaxed);
                        left_bytes.store(before.saturating_sub(count), Ordering::Relaxed);
                        let goes_on = before > count;
                        is_cut.fetch_or(!goes_on, Ordering::Relaxed);
                        goes_on
                    });
                });
            }
        });
        cutter
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, may: impl Fn(u64) -> bool) {
    let mut buffer = [0; 8192];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 || !may(count as u64) || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other direction may have ended them already.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// A server that takes connections and says nothing.
fn silent_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let connections: Vec<TcpStream> = listener.incoming().map(Result::unwrap).collect();
        drop(connections);
    });
    port
}

fn serving(server: &MailServer, more: &str) -> Product {
    Product::with_config(&(server.inbox() + more))
}

fn with_reports(count: u32) -> MailServer {
    let server = MailServer::start();
    server.make_folder("reports", "DMARC");
    for number in 1..=count {
        server.deliver("reports", "DMARC", &report_mail(number));
    }
    server
}

#[track_caller]
fn assert_each_once(product: &Product, messages: u64) {
    let rows = product.query(&["select count(*) as n, count(distinct uid) as uids from items"]);
    assert_eq!(
        (rows[0]["n"].as_u64(), rows[0]["uids"].as_u64()),
        (Some(messages), Some(messages))
    );
    assert_eq!(product.outcomes()["accepted"], messages);
    product.assert_verified("in the end");
}

#[test]
fn a_server_that_tells_of_new_mail_is_listened_to() {
    let server = with_reports(1);
    let product = serving(&server, "    poll_interval: 1d\n");
    let fetching = Fetching::start(&product);
    fetching.wait_for(1);
    // The second may be found by the look that follows the beginning of the watch, the third only by the watch.
    server.deliver("reports", "DMARC", &report_mail(2));
    fetching.wait_for(2);
    server.deliver("reports", "DMARC", &report_mail(3));
    let delivered = Instant::now();
    fetching.wait_for(3);
    let took = delivered.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    let (took, code) = fetching.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_each_once(&product, 3);
}

#[test]
fn a_mailbox_that_hangs_or_refuses_holds_up_no_other_and_is_told_of_once() {
    let server = with_reports(1);
    let more = format!(
        "    poll_interval: 1s\n    idle: false\n  - {{name: silent, host: localhost, port: {}, tls: starttls, \
         username: x, password_env: IMAP_PASSWORD}}\n  - {{name: refused, host: localhost, port: {}, ca_file: {}, \
         username: nobody, password_env: IMAP_PASSWORD, poll_interval: 1s}}\n",
        silent_server(),
        server.imaps_port,
        server.ca_file().display()
    );
    let product = serving(&server, &more);
    let fetching = Fetching::start(&product);
    for number in 1..=4 {
        fetching.wait_for(number);
        server.deliver("reports", "DMARC", &report_mail(number as u32 + 1));
    }
    let log = fetching.log();
    assert_eq!(log.matches("cannot be read").count(), 1, "{log}");
    assert!(
        log.contains("inbox=\"refused\"") && log.contains("refuses the login of nobody"),
        "{log}"
    );
    let attempts = server.log().matches("user=<nobody>").count();
    assert!(attempts <= 2, "a look and a watch: {attempts}");
    let (took, code) = fetching.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_fetch_loses_and_doubles_nothing() {
    let mut server = with_reports(300);
    let cutter = Cutter::before(server.imaps_port, 200_000);
    let yaml = server.inbox().replace(
        &format!("port: {}\n", server.imaps_port),
        &format!("port: {}\n", cutter.port),
    );
    let product = Product::with_config(&yaml);
    let mut command = product.command(&product.home(), &["run", "--as-of", AS_OF]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    assert!(until(|| cutter.is_cut.load(Ordering::Relaxed)));
    server.kill();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.contains("inbox \"dmarc\": "), "{said}");
    cutter.left_bytes.store(u64::MAX, Ordering::Relaxed);
    server.restart();
    let before = product.outcomes().get("accepted").copied().unwrap_or(0);
    assert!(before < 300, "{before}");
    let said = pass(&product);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_each_once(&product, 300);
}

#[test]
fn a_connection_that_is_cut_is_made_again_in_the_same_run() {
    let server = with_reports(300);
    let cutter = Cutter::before(server.imaps_port, 150_000);
    let yaml = server.inbox().replace(
        &format!("port: {}\n", server.imaps_port),
        &format!("port: {}\n", cutter.port),
    );
    let product = Product::with_config(&yaml);
    let left_bytes = Arc::clone(&cutter.left_bytes);
    let is_cut = Arc::clone(&cutter.is_cut);
    thread::spawn(move || {
        until(|| is_cut.load(Ordering::Relaxed));
        left_bytes.store(u64::MAX, Ordering::Relaxed);
    });
    let said = pass(&product);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("fetching again"), "{}", said.err);
    assert_each_once(&product, 300);
}

#[test]
fn mail_that_arrives_during_a_run_is_taken_now_or_next_time() {
    let server = with_reports(200);
    let product = product_of(&server, "    after: move\n");
    let mut command = product.command(&product.home(), &["run", "--as-of", AS_OF]);
    let mut child = command.spawn().unwrap();
    for number in 201..=260 {
        server.deliver("reports", "DMARC", &report_mail(number));
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(pass(&product).code, 0);
    assert_each_once(&product, 260);
    assert_eq!(server.messages("reports", "DMARC.Processed").len(), 260);
}

#[test]
fn a_signal_in_the_middle_of_a_backlog_ends_it_in_order_and_the_next_start_goes_on() {
    let server = with_reports(1500);
    let product = serving(&server, "    idle: false\n");
    let fetching = Fetching::start(&product);
    let archive = product.data().join("archive");
    assert!(until(|| !crate::product::names_in(&archive).is_empty()));
    let (took, code) = fetching.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
    let fetching = Fetching::start(&product);
    fetching.wait_for(1500);
    fetching.stop();
    assert_each_once(&product, 1500);
}

#[test]
fn an_access_token_is_got_with_a_refresh_token_and_opens_the_mailbox() {
    let endpoint = Endpoint::start(|path, body| match path {
        "/token" if body.contains("refresh_token=good%20one") => (
            200,
            r#"{"access_token":"t1","expires_in":3600,"token_type":"Bearer"}"#.to_owned(),
        ),
        "/token" if body.contains("refresh_token=withdrawn") => {
            (200, r#"{"access_token":"t2","expires_in":3600}"#.to_owned())
        }
        "/token" => (
            400,
            r#"{"error":"invalid_grant","error_description":"Token has expired"}"#.to_owned(),
        ),
        _ if body.contains("token=t1") => {
            (200, r#"{"active":true,"username":"reports"}"#.to_owned())
        }
        _ => (200, r#"{"active":false}"#.to_owned()),
    });
    let server = MailServer::with(Setup {
        introspection_url: Some(format!("{}/introspect", endpoint.url)),
        ..Setup::default()
    });
    server.make_folder("reports", "DMARC");
    server.deliver("reports", "DMARC", &report_mail(1));
    let oauth2 = format!(
        "    oauth2: {{token_url: '{}/token', client_id: me, client_secret_env: IMAP_PASSWORD, \
         refresh_token_env: REFRESH, scope: mail}}\n",
        endpoint.url
    );
    let yaml = server
        .inbox()
        .replace("    password_env: IMAP_PASSWORD\n", &oauth2);
    let product = Product::with_config(&yaml);
    let run = |refresh: &str| {
        let mut command = product.command(&product.home(), &["run", "--as-of", AS_OF]);
        let output = command.env("REFRESH", refresh).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    };
    let (code, said) = run("good one");
    assert_eq!(code, Some(0), "{said}{}", server.log());
    let asked = endpoint.asked();
    let (_, body) = asked.iter().find(|(path, _)| path == "/token").unwrap();
    for field in [
        "grant_type=refresh_token",
        "client_id=me",
        "scope=mail",
        "client_secret=",
    ] {
        assert!(body.contains(field), "{body}");
    }
    let (code, said) = run("bad");
    assert_eq!(code, Some(3));
    assert!(
        said.contains("no access token: invalid_grant: Token has expired"),
        "{said}"
    );
    let (code, said) = run("withdrawn");
    assert_eq!(code, Some(3));
    assert!(said.contains("refuses the login of reports"), "{said}");
    assert!(
        !said.contains("t2") && !said.contains("withdrawn"),
        "{said}"
    );
    assert_each_once(&product, 1);
}

#[test]
fn a_refresh_token_that_is_good_for_one_use_opens_the_mailbox_for_ever() {
    let (newest, asked) = (AtomicU64::new(1), AtomicU64::new(0));
    let is_withdrawn = AtomicBool::new(false);
    let endpoint = Endpoint::start(move |path, body| {
        if path != "/token" {
            return (200, r#"{"active":true,"username":"reports"}"#.to_owned());
        }
        let number = newest.load(Ordering::Relaxed);
        // An old token may be a stolen one: all of the family end with it.
        if !body.contains(&format!("refresh_token=r{number}&")) {
            is_withdrawn.store(true, Ordering::Relaxed);
        }
        if is_withdrawn.load(Ordering::Relaxed) {
            return (400, r#"{"error":"invalid_grant"}"#.to_owned());
        }
        if asked.fetch_add(1, Ordering::Relaxed) == 1 {
            return (503, r#"{"error":"temporarily_unavailable"}"#.to_owned());
        }
        newest.store(number + 1, Ordering::Relaxed);
        let next = number + 1;
        let answer = format!(
            r#"{{"access_token":"t{next}","expires_in":"3600","refresh_token":"r{next}"}}"#
        );
        (200, answer)
    });
    let server = MailServer::with(Setup {
        introspection_url: Some(format!("{}/introspect", endpoint.url)),
        ..Setup::default()
    });
    server.make_folder("reports", "DMARC");
    let oauth2 = format!(
        "    oauth2: {{token_url: '{}/token', client_id: me, refresh_token_env: REFRESH}}\n",
        endpoint.url
    );
    let password = "    password_env: IMAP_PASSWORD\n";
    let product = Product::with_config(&server.inbox().replace(password, &oauth2));
    for (number, expect) in [(1, 0), (2, 3), (3, 0), (4, 0)] {
        server.deliver("reports", "DMARC", &report_mail(number));
        let mut command = product.command(&product.home(), &["run", "--as-of", AS_OF]);
        let output = command.env("REFRESH", "r1").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(expect), "{number}: {said}");
    }
    assert_each_once(&product, 4);
}

#[test]
fn a_watchdog_hears_of_good_runs_alone() {
    let endpoint = Endpoint::start(|_, _| (200, "{}".to_owned()));
    let server = with_reports(1);
    let heartbeat = format!("notify: {{heartbeat_url: '{}/beat'}}\n", endpoint.url);
    let product = product_of(&server, &heartbeat);
    assert_eq!(pass(&product).code, 0);
    assert_eq!(endpoint.asked(), [("/beat".to_owned(), String::new())]);
    product.configure(&(server.inbox() + "    folders: [Nowhere]\n" + &heartbeat));
    assert_eq!(pass(&product).code, 3);
    assert_eq!(endpoint.asked().len(), 1);
    product.configure(&(server.inbox() + "    poll_interval: 1d\n" + &heartbeat));
    let fetching = Fetching::start(&product);
    assert!(until(|| endpoint.asked().len() == 2), "{}", fetching.log());
}

#[test]
fn a_run_that_cannot_archive_is_no_good_run() {
    let endpoint = Endpoint::start(|_, _| (200, "{}".to_owned()));
    let server = with_reports(1);
    let heartbeat = format!("notify: {{heartbeat_url: '{}/beat'}}\n", endpoint.url);
    let product = product_of(
        &server,
        &("    poll_interval: 1d\n".to_owned() + &heartbeat),
    );
    // A folder in the place of an unfinished segment cannot be cleared away.
    let obstacle = product.data().join("archive/items-obstacle.tmp");
    fs::create_dir_all(&obstacle).unwrap();
    let fetching = Fetching::start(&product);
    let has_failed = || fetching.log().contains("writing the archive: ");
    assert!(until(has_failed), "{}", fetching.log());
    assert_eq!(endpoint.asked(), []);
    fetching.stop();
    fs::remove_dir(obstacle).unwrap();
    let fetching = Fetching::start(&product);
    fetching.wait_for(1);
    assert!(until(|| !endpoint.asked().is_empty()), "{}", fetching.log());
    let told = "fetched: accepted 1, duplicate 0, ";
    assert!(fetching.log().contains(told), "{}", fetching.log());
}

#[test]
fn a_disk_that_is_almost_full_stops_fetching_and_says_so() {
    let server = with_reports(1);
    let product = product_of(&server, "    poll_interval: 1s\n");
    let path = product.home().join("config.yml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\napp:\n"), "{text}");
    let full = text.replace("\napp:\n", "\napp:\n  min_free_disk: 1000000 GiB\n");
    fs::write(&path, full).unwrap();
    let fetching = Fetching::start(&product);
    assert!(until(|| fetching.log().contains("nothing is fetched")));
    assert!(
        fetching.log().contains("app.min_free_disk"),
        "{}",
        fetching.log()
    );
    assert_eq!(fetching.published(), 0);
    assert!(!server.log().contains("Login:"), "{}", server.log());
    let said = pass(&product);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("app.min_free_disk"), "{}", said.err);
}

#[test]
fn a_backlog_goes_on_beside_the_daemon_and_new_mail_comes_in_between() {
    let server = with_reports(1);
    server.make_folder("reports", "Old");
    for number in 1001..=1400 {
        server.deliver("reports", "Old", &report_mail(number));
    }
    let product = serving(&server, "    poll_interval: 1d\n");
    let fetching = Fetching::start(&product);
    fetching.wait_for(1);
    let words = ["backlog", "--inbox", "dmarc", "--folder", "Old"];
    let mut backlog = product.command(&product.home(), &words).spawn().unwrap();
    server.deliver("reports", "DMARC", &report_mail(2));
    assert!(backlog.wait().unwrap().success());
    fetching.wait_for(402);
    let (_, code) = fetching.stop();
    assert_eq!(code, Some(0));
    assert_eq!(product.outcomes()["accepted"], 402);
}

#[test]
fn check_tries_every_mailbox_and_says_how_it_fared() {
    let server = with_reports(3);
    let product = serving(&server, "    poll_interval: 1d\n");
    let check = || product.run(&["check"]);
    let said = check();
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out
            .contains("can be read (DMARC: 3 messages); 3 new; tells of new mail"),
        "{}",
        said.out
    );
    assert!(!product.data().exists(), "looking makes nothing");
    let fetching = Fetching::start(&product);
    fetching.wait_for(3);
    assert!(until(|| check()
        .out
        .contains("in `sentinel serve`: watching, last read 2")));
    fetching.stop();
    let said = check();
    assert!(
        said.out
            .contains("3 messages of DMARC are archived, up to UID 3"),
        "{}",
        said.out
    );
    let mut server = server;
    server.kill();
    let said = check();
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("inbox \"dmarc\": localhost:"),
        "{}",
        said.err
    );
    product.configure("inboxes: []\napp_: {}\n");
    assert_eq!(check().code, 2);
}

//! Servers that no honest person runs: whatever they send, the program says what is wrong and ends in order.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sentinel::alert::Rules;
use sentinel::job::backlog::Backlog;
use sentinel::job::folders::Folders;
use sentinel::job::lock::patience;
use sentinel::job::mailboxes::{Fetch, Turn, fetch};
use sentinel::job::publish::Draw;
use sentinel::job::run::Ticket;
use sentinel::job::runner::Runner;
use sentinel::job::visit::{Selection, Visit};
use sentinel::model::inbox::{After, Inbox, Login, Schedule, TlsMode};
use sentinel::model::limits::Limits;
use sentinel::model::secret::{FromEnvironment, Secret};
use sentinel::source::imap::Tokens;
use sentinel::store::settings::StoreConfig;

use crate::mail_server::PASSWORD;
use crate::mailbox_daemon::Fetching;
use crate::mailbox_fetch::report_mail;
use crate::product::{AS_OF, Product, most_memory_kib, until};

/// What a server sends in the place of an honest answer to a command; the tag stands in for `TAG`.
#[derive(Clone)]
struct Lie {
    command: &'static str,
    answer: Vec<u8>,
    /// The answer is repeated until the client goes.
    is_endless: bool,
    /// Time between two pieces of the answer.
    pause: Duration,
    /// Commands that the server was given.
    heard: Arc<Mutex<Vec<String>>>,
}

fn lie(command: &'static str, answer: impl Into<Vec<u8>>) -> Lie {
    Lie {
        command,
        answer: answer.into(),
        is_endless: false,
        pause: Duration::ZERO,
        heard: Arc::default(),
    }
}

/// A server with one message that lies once; its port.
fn server(lie: Lie) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let lie = Arc::new(lie);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let lie = Arc::clone(&lie);
            // A client that goes away in the middle is what is wanted.
            thread::spawn(move || drop(serve(stream.unwrap(), &lie)));
        }
    });
    port
}

fn serve(mut stream: TcpStream, lie: &Lie) -> std::io::Result<()> {
    if lie.command == "GREETING" {
        return send(&mut stream, lie, "");
    }
    stream.write_all(b"* OK hello\r\n")?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let (tag, command) = line.trim_end().split_once(' ').unwrap_or(("x", ""));
        lie.heard.lock().unwrap().push(command.to_owned());
        if command.contains(lie.command) {
            send(&mut stream, lie, tag)?;
        } else {
            stream.write_all(honest(tag, command).as_bytes())?;
        }
        line.clear();
    }
    Ok(())
}

fn send(stream: &mut TcpStream, lie: &Lie, tag: &str) -> std::io::Result<()> {
    let answer = String::from_utf8_lossy(&lie.answer).replace("TAG", tag);
    let answer = if answer.contains('\u{fffd}') {
        lie.answer.clone()
    } else {
        answer.into_bytes()
    };
    loop {
        if lie.pause.is_zero() {
            stream.write_all(&answer)?;
        } else {
            for byte in &answer {
                stream.write_all(&[*byte])?;
                thread::park_timeout(lie.pause);
            }
        }
        if !lie.is_endless {
            return Ok(());
        }
    }
}

fn honest(tag: &str, command: &str) -> String {
    let mail = String::from_utf8(report_mail(1)).unwrap();
    let upper = command.to_ascii_uppercase();
    let untagged = if upper.starts_with("CAPABILITY") {
        "* CAPABILITY IMAP4rev1 IDLE NAMESPACE\r\n".to_owned()
    } else if upper.starts_with("NAMESPACE") {
        "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n".to_owned()
    } else if upper.starts_with("LIST") {
        "* LIST () \"/\" DMARC\r\n".to_owned()
    } else if upper.starts_with("EXAMINE") || upper.starts_with("SELECT") {
        "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n".to_owned()
    } else if upper.starts_with("UID SEARCH") {
        "* SEARCH 1\r\n".to_owned()
    } else if upper.contains("RFC822.SIZE") {
        format!("* 1 FETCH (UID 1 RFC822.SIZE {})\r\n", mail.len())
    } else if upper.contains("BODY.PEEK[]") {
        format!("* 1 FETCH (UID 1 BODY[] {{{}}}\r\n{mail})\r\n", mail.len())
    } else {
        String::new()
    };
    format!("{untagged}{tag} OK done\r\n")
}

fn product(port: u16) -> Product {
    Product::with_config(&format!(
        "inboxes: {{name: odd, host: 127.0.0.1, port: {port}, tls: none, username: x, password_env: IMAP_PASSWORD, \
         timeout: 2s}}\n"
    ))
}

#[test]
fn another_account_under_the_same_name_is_read_from_its_beginning() {
    let port = server(lie("NOTHING", ""));
    let product = product(port);
    let pass = |expect: &str| {
        let said = product.run(&["run", "--as-of", AS_OF]);
        assert!(
            said.last_line().starts_with(expect),
            "{} {}",
            said.out,
            said.err
        );
    };
    pass("accepted 1, duplicate 0");
    pass("accepted 0, duplicate 0");
    // UIDVALIDITY is 7 there too.
    product.configure(&format!(
        "inboxes: {{name: odd, host: 127.0.0.1, port: {port}, tls: none, username: y, password_env: IMAP_PASSWORD, \
         timeout: 2s}}\n"
    ));
    pass("accepted 0, duplicate 1");
    pass("accepted 0, duplicate 0");
    product.assert_verified("two accounts");
}

#[test]
fn what_a_server_does_not_heed_is_done_once_and_told_of_once() {
    for (after, command) in [("mark_seen", "UID STORE"), ("move", "UID COPY")] {
        // Whatever is done, it says yes, and message 1 is there, and nobody has read it.
        let deaf = lie("NOTHING", "");
        let heard = Arc::clone(&deaf.heard);
        let port = server(deaf);
        let product = Product::with_config(&format!(
            "inboxes: {{name: odd, host: 127.0.0.1, port: {port}, tls: none, username: x, password_env: IMAP_PASSWORD, \
             poll_interval: 1s, idle: false, after: {after}, processed_folder: DMARC/Old}}\n"
        ));
        let count = |word: &str| {
            let heard = heard.lock().unwrap();
            heard.iter().filter(|said| said.contains(word)).count()
        };
        let fetching = Fetching::start(&product);
        assert!(until(|| count("LOGIN") > 5), "{}", fetching.log());
        let log = fetching.log();
        assert_eq!(count(command), 1, "{after}: {log}");
        assert_eq!(log.matches("are as they were").count(), 1, "{log}");
        assert_eq!(fetching.published(), 1);
    }
}

#[test]
fn an_honest_one_is_read() {
    let said = product(server(lie("NOTHING", ""))).run(&["run", "--as-of", AS_OF]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.last_line().starts_with("accepted 1,"), "{}", said.out);
}

#[test]
fn a_message_whose_size_is_left_out_is_not() {
    let said =
        product(server(lie("RFC822.SIZE", "TAG OK done\r\n"))).run(&["run", "--as-of", AS_OF]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.last_line().starts_with("accepted 1,"), "{}", said.out);
}

#[test]
fn whatever_a_server_sends_is_bounded_and_told_of() {
    let endless = |lie: Lie| Lie {
        is_endless: true,
        ..lie
    };
    let slow = |lie: Lie| Lie {
        pause: Duration::from_millis(100),
        ..endless(lie)
    };
    let deep = format!("* 1 FETCH (BODYSTRUCTURE {}\r\n", "(".repeat(1 << 20));
    for lie in [
        endless(lie("GREETING", "* OK ")),
        slow(lie("GREETING", "* OK ")),
        lie("GREETING", "220 mail.example.com ESMTP\r\n"),
        lie("GREETING", "* BYE go away\r\n"),
        endless(lie("CAPABILITY", "* CAPABILITY IMAP4rev1 X\r\n")),
        lie("CAPABILITY", "* CAPABILITY\r\nTAG OK\r\n"),
        lie("CAPABILITY", b"\xff\xfe\0\r\n".as_slice()),
        lie("LOGIN", "TAG NO [ALERT]\u{e9}\r\n"),
        lie("LOGIN", "TAG NO no\r\n"),
        lie("LOGIN", "z99 OK done\r\n"),
        endless(lie("LIST", "* LIST () \"/\" \"x\"\r\n")),
        lie("LIST", "* LIST () \"/\" {99999999999}\r\n"),
        lie("LIST", deep.as_str()),
        endless(lie("NAMESPACE", "* NAMESPACE ((\"")),
        lie("EXAMINE", "* 1 EXISTS\r\nTAG OK no numbers\r\n"),
        endless(lie("SEARCH", "1 ")),
        lie("SEARCH", "* SEARCH 4294967296\r\nTAG OK x\r\n"),
        lie("RFC822.SIZE", deep.as_str()),
        slow(lie("RFC822.SIZE", "* 1 FETCH (UID 1 ")),
        lie("BODY.PEEK", "* 1 FETCH (UID 1 BODY[] {4294967295}\r\n"),
        endless(lie("BODY.PEEK", "* 1 FETCH (UID 1 BODY[] {1000000}\r\n")),
        slow(lie("BODY.PEEK", "* 1 FETCH (UID 1 BODY[] {1000}\r\n")),
        lie(
            "BODY.PEEK",
            "* 1 FETCH (UID 2 BODY[] {1}\r\nx)\r\nTAG OK x\r\n",
        ),
    ] {
        let what = format!(
            "{} {:.60}",
            lie.command,
            String::from_utf8_lossy(&lie.answer)
        );
        // Without sizes messages are fetched one by one.
        let expect = if lie.command == "RFC822.SIZE" { 0 } else { 3 };
        let product = product(server(lie));
        let mut command = product.command(&product.home(), &["run", "--as-of", AS_OF]);
        let log = product.home().join("said");
        let began = Instant::now();
        let mut child = command
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let most_kib = most_memory_kib(&mut child);
        let code = child.wait().unwrap().code();
        let said = std::fs::read_to_string(&log).unwrap();
        assert_eq!(code, Some(expect), "{what}: {said}");
        assert_eq!(
            said.contains("sentinel: inbox \"odd\": "),
            expect == 3,
            "{what}: {said}"
        );
        assert!(said.len() < 4000, "{what}: {said}");
        assert!(most_kib < 300 << 10, "{what}: {most_kib} KiB");
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{what}: {:?}",
            began.elapsed()
        );
    }
}

/// Settings of a store of that data folder.
pub fn store(folders: &Folders) -> StoreConfig {
    StoreConfig {
        path: folders.database(),
        memory_limit_bytes: 128 << 20,
        threads: 2,
        code_hash: "code".to_owned(),
        config_hash: "config".to_owned(),
        load_hash: "load".to_owned(),
        domains: None,
        known_senders: Vec::new(),
        services: Vec::new(),
        limits: Limits::default(),
        retention_months: None,
        retention: None,
        elsewhere: Default::default(),
    }
}

/// A mailbox of a server on that port.
pub fn inbox(port: u16) -> Inbox {
    Inbox {
        name: "dmarc".to_owned(),
        host: "localhost".to_owned(),
        port,
        tls: TlsMode::Implicit,
        ca_file: None,
        username: "reports".to_owned(),
        login: Login::Password(FromEnvironment {
            variable: "IMAP_PASSWORD".to_owned(),
            secret: Some(Secret::new(PASSWORD)),
        }),
        folders: vec!["DMARC".to_owned()],
        only_unseen: false,
        recipient: None,
        after: After::Move,
        without_report: After::Nothing,
        processed_folder: "DMARC/Processed".to_owned(),
        failed_folder: "DMARC/Failed".to_owned(),
        schedule: Schedule::Every(900),
        idle: true,
        timeout_secs: 10,
    }
}

/// Fetches from a server on a port.
fn one_turn(port: u16, longest: Duration, min_free_bytes: u64) -> anyhow::Result<Fetch> {
    let data = tempfile::tempdir().unwrap();
    let now: DateTime<Utc> = "2026-03-02T00:02:00Z".parse().unwrap();
    let folders = Folders::new(data.path());
    let runner = Runner {
        store: store(&folders),
        folders,
        draw: Draw {
            rules: &Rules::default(),
            pages: &|_| Ok(()),
        },
        as_of: None,
        min_free_bytes,
        now: &|| now,
    };
    let inbox = Inbox {
        host: "127.0.0.1".to_owned(),
        port,
        tls: TlsMode::None,
        after: After::Nothing,
        timeout_secs: 1,
        ..inbox(0)
    };
    let backlog = Backlog {
        inbox,
        selection: Selection::default(),
        is_dry_run: false,
    };
    let tokens = Tokens::default();
    let mut visits = [backlog.look(&runner, 0, &tokens).unwrap()];
    assert_eq!(visits.iter().map(Visit::wanted).sum::<u64>(), 1);
    let turn = Turn {
        stop: &AtomicBool::new(false),
        longest,
        min_free_bytes,
    };
    runner.run("run", Ticket::default(), &mut patience(0), |run, _| {
        fetch(run, &mut visits, &tokens, turn, &mut |_| {})
    })
}

#[test]
fn a_server_that_hangs_in_the_middle_is_not_taken_for_one_that_was_read_however_short_its_turn() {
    let hanging = server(lie("BODY.PEEK", ""));
    let fetched = one_turn(hanging, Duration::from_millis(1), 0).unwrap();
    let [visited] = fetched.visited.try_into().unwrap();
    assert!(visited.failed.is_some() && !visited.has_more, "{visited:?}");
    assert_eq!(visited.fetched, 0);
}

#[test]
fn a_disk_that_becomes_too_full_ends_a_run_that_has_begun() {
    let honest = server(lie("NOTHING", ""));
    for (min_free_bytes, fetched, is_whole) in [(0, 1, true), (u64::MAX, 0, false)] {
        let done = one_turn(honest, Duration::MAX, min_free_bytes).unwrap();
        assert_eq!(done.visited[0].fetched, fetched);
        let unread = done.done.unread.map(|error| error.to_string());
        assert_eq!(unread.is_none(), is_whole, "{unread:?}");
        if let Some(words) = unread {
            assert!(words.starts_with("nothing more is fetched: "), "{words}");
        }
    }
}

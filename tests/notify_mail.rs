//! Mails to people, through a real server: how they get there, what they hold, and what strangers cannot put in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mail_parser::{HeaderName, Message, MessageParser, MimeHeaders as _, PartType};
use sentinel::model::alert::Severity;
use sentinel::model::channel::Channel;
use sentinel::model::notice::{Notice, NoticeKind, Occasion};
use sentinel::notify::{Post, Retry, SendError, reach};

use crate::notify_samples::{HOSTILE, about, alert, channel, digest, hostile_alert, many, summary};
use crate::smtp_server::{PASSWORD, SmtpServer, USER};

const FROM: &str = "from: 'DMARC Sentinel <dmarc@example.com>'";

/// A channel to the server, over a port of it.
fn to(server: &SmtpServer, port: &str, more: &str) -> Channel {
    let number = server.ports[port];
    let common = format!("type: mail, host: localhost, port: {number}, {FROM}, {more}");
    let tls = match port {
        "plain" => return channel(&format!("{common}, tls: none"), &[]),
        "starttls" => "starttls",
        _ => "implicit",
    };
    let yaml = format!(
        "{common}, tls: {tls}, ca_file: '{}', username: {USER}, password_env: SMTP_PASSWORD",
        server.ca_file().display()
    );
    channel(&yaml, &[("SMTP_PASSWORD", PASSWORD)])
}

fn send(channel: &Channel, notice: &Notice) -> Result<String, SendError> {
    Post::default()
        .send(channel, notice)
        .map(|delivery| delivery.words)
}

/// The mail that a server gets of a notice.
fn received(notice: &Notice) -> Vec<u8> {
    let server = SmtpServer::start();
    send(&to(&server, "plain", "to: a@example.com"), notice).unwrap();
    server.taken().remove(0).bytes
}

fn parse(bytes: &[u8]) -> Message<'_> {
    MessageParser::default().parse(bytes).unwrap()
}

fn header<'m>(message: &'m Message<'_>, name: &'static str) -> Option<&'m str> {
    message
        .header_raw(HeaderName::parse(name).unwrap())
        .map(str::trim)
}

fn texts(message: &Message<'_>) -> (String, String) {
    let text = message.body_text(0).unwrap().into_owned();
    let html = message.body_html(0).unwrap().into_owned();
    (text, html)
}

#[test]
fn mail_goes_out_over_every_kind_of_connection() {
    let server = SmtpServer::start();
    let notice = about(vec![alert("00000000000000aa", Severity::Critical)], 0);
    for port in ["plain", "starttls", "implicit", "login"] {
        let channel = to(&server, port, "to: [a@example.com, b@example.com]");
        let words = reach(&channel).unwrap_or_else(|error| panic!("{port}: {error}"));
        assert!(words.contains("takes mail"), "{words}");
        let words = send(&channel, &notice).unwrap_or_else(|error| panic!("{port}: {error}"));
        assert_eq!(words, "taken by localhost for 2 recipients");
    }
    let taken = server.taken();
    assert_eq!(taken.len(), 4, "a look sends nothing");
    for mail in &taken {
        assert_eq!(mail.to, ["a@example.com", "b@example.com"]);
        assert_eq!(
            mail.bytes, taken[0].bytes,
            "the same notice is the same mail"
        );
    }
}

#[test]
fn a_server_that_is_not_to_be_trusted_is_told_no_password() {
    let server = SmtpServer::start();
    let notice = summary("text");
    // An authority that nobody knows, and a name that is not in the certificate.
    let ca_file = format!(", ca_file: '{}'", server.ca_file().display());
    for (port, host, more) in [
        ("starttls", "localhost", ""),
        ("implicit", "localhost", ""),
        ("misnamed", "127.0.0.2", ca_file.as_str()),
    ] {
        let number = server.ports[port];
        let tls = if port == "starttls" { port } else { "implicit" };
        let yaml = format!(
            "type: mail, host: {host}, port: {number}, tls: {tls}, {FROM}, to: a@example.com, username: {USER}, \
             password_env: P{more}"
        );
        let error = send(&channel(&yaml, &[("P", PASSWORD)]), &notice).unwrap_err();
        assert_eq!(error.retry, Retry::NeedsPerson, "{port}: {error}");
        assert!(error.words.contains("cannot be trusted"), "{error}");
    }
    assert!(server.taken().is_empty());
}

#[test]
fn a_wrong_password_needs_a_person_and_is_not_shown() {
    let server = SmtpServer::start();
    for port in ["starttls", "implicit", "login"] {
        let mut channel = to(&server, port, "to: a@example.com");
        let sentinel::model::channel::Way::Mail(mail) = &mut channel.way else {
            panic!("mail is mail");
        };
        let wrong = sentinel::model::secret::Secret::new("wrong-password");
        mail.login.as_mut().unwrap().1.secret = Some(wrong);
        for error in [
            send(&channel, &summary("text")).unwrap_err(),
            reach(&channel).unwrap_err(),
        ] {
            assert_eq!(error.retry, Retry::NeedsPerson, "{error}");
            assert!(
                error.words.contains("refuses user or password: 535"),
                "{error}"
            );
            assert!(!error.words.contains("wrong-password"), "{error}");
        }
    }
    let mut channel = to(&server, "implicit", "to: a@example.com");
    if let sentinel::model::channel::Way::Mail(mail) = &mut channel.way {
        mail.login.as_mut().unwrap().1.secret = None;
    }
    let error = send(&channel, &summary("text")).unwrap_err();
    assert!(error.words.contains("SMTP_PASSWORD is not set"), "{error}");
    assert!(server.taken().is_empty());
}

#[test]
fn a_recipient_who_is_refused_keeps_nobody_else_from_the_mail() {
    let server = SmtpServer::start();
    let recipients = "to: [a@example.com, nobody@example.com, b@example.com]";
    let channel = to(&server, "starttls", recipients);
    let error = send(&channel, &summary("text")).unwrap_err();
    assert!(error.is_partial);
    assert_eq!(error.retry, Retry::NeedsPerson);
    assert!(error.words.contains("1 of 3 recipients: 550"), "{error}");
    assert!(!error.words.contains('@'), "{error}");
    assert_eq!(server.taken()[0].to, ["a@example.com", "b@example.com"]);
    let error = send(
        &to(&server, "plain", "to: nobody@example.com"),
        &summary("text"),
    )
    .unwrap_err();
    assert!(!error.is_partial, "{error}");
    assert_eq!(server.taken().len(), 1);
}

#[test]
fn only_those_who_were_refused_are_tried_again() {
    let server = SmtpServer::start();
    let channel = to(&server, "plain", "to: [a@example.com, busy@example.com]");
    let (post, notice) = (Post::default(), summary("text"));
    for _ in 0..2 {
        let error = post.send(&channel, &notice).unwrap_err();
        assert_eq!(
            (error.is_partial, error.retry),
            (true, Retry::Soon),
            "{error}"
        );
    }
    server.free_the_busy();
    post.send(&channel, &notice).unwrap();
    let to: Vec<Vec<String>> = server.taken().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [["a@example.com"], ["busy@example.com"]]);
    post.send(&channel, &notice).unwrap();
    assert_eq!(
        server.taken()[2].to.len(),
        2,
        "once all have it, another call is for all"
    );
}

#[test]
fn a_mail_says_what_it_is_to_people_and_to_programs() {
    let bytes = received(&about(
        vec![alert("00000000000000aa", Severity::Critical)],
        0,
    ));
    let message = parse(&bytes);
    let subject = "[DMARC] critical: 203.0.113.66 sends as example.com and is not known";
    assert_eq!(message.subject(), Some(subject));
    let from = message.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name(), from.address()),
        (Some("DMARC Sentinel"), Some("dmarc@example.com"))
    );
    for (name, value) in [
        (
            "Message-ID",
            "<0123456789abcdef0123456789abcdef@example.com>",
        ),
        ("Date", "Sun, 10 Mar 2024 08:00:00 +0000"),
        ("In-Reply-To", "<alert-00000000000000aa@example.com>"),
        ("References", "<alert-00000000000000aa@example.com>"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Importance", "high"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&message, name), Some(value), "{name}");
    }
    assert_eq!(header(&message, "Precedence"), None);
    let kind = message.content_type().unwrap();
    assert_eq!(kind.subtype(), Some("alternative"));
    let (text, html) = texts(&message);
    for part in [&text, &html] {
        for words in [
            "203.0.113.66",
            "2024-03-08 to 2024-03-09",
            "1\u{202f}234",
            "12.3%",
            "google.example, yahoo.example",
            "What to do next",
            "selector1._domainkey.example.com",
            "https://dmarc.example.com/alerts/00000000000000aa",
        ] {
            assert!(part.contains(words), "{words} is not in {part}");
        }
        assert!(
            !part.contains("nothing:") && !part.contains("null"),
            "{part}"
        );
    }
    assert!(
        text.starts_with("CRITICAL: 203.0.113.66 sends as"),
        "{text}"
    );
}

#[test]
fn later_mails_about_an_alert_join_its_thread_and_a_group_joins_all() {
    let mut graver = alert("00000000000000aa", Severity::Critical);
    graver.occasion = Occasion::Graver;
    let group = about(
        vec![graver, alert("00000000000000bb", Severity::Warning)],
        10,
    );
    let bytes = received(&group);
    let message = parse(&bytes);
    assert_eq!(
        message.subject(),
        Some("[DMARC] 1 critical, 1 warning, 10 more alerts")
    );
    let references: Vec<&str> = header(&message, "References")
        .unwrap()
        .split_whitespace()
        .collect();
    let threads = [
        "<alert-00000000000000aa@example.com>",
        "<alert-00000000000000bb@example.com>",
    ];
    assert_eq!(references, threads);
    let (text, html) = texts(&message);
    for part in [&text, &html] {
        assert!(part.contains("And 10 more alerts."), "{part}");
        assert!(part.contains("graver than before"), "{part}");
    }
    let same = about(
        vec![alert("1", Severity::Warning), alert("2", Severity::Warning)],
        0,
    );
    let bytes = received(&same);
    assert_eq!(
        parse(&bytes).subject(),
        Some("[DMARC] 2 warnings for example.com")
    );
}

#[test]
fn nothing_that_strangers_write_becomes_a_header_a_mark_or_a_link() {
    let mut hostile_digest = digest();
    hostile_digest.domains[0].domain = HOSTILE.to_owned();
    hostile_digest.open = vec![hostile_alert("00000000000000aa")];
    for notice in [
        about(vec![hostile_alert("00000000000000aa")], 0),
        about(many(8), 3),
        Notice::Digest(hostile_digest),
        summary(HOSTILE),
    ] {
        let bytes = received(&notice);
        let message = parse(&bytes);
        let names: Vec<String> = message
            .headers()
            .iter()
            .map(|header| header.name().to_ascii_lowercase())
            .collect();
        assert!(!names.contains(&"bcc".to_owned()), "{names:?}");
        assert_eq!(names.iter().filter(|name| *name == "subject").count(), 1);
        let subject = message.subject().unwrap();
        assert!(
            subject.starts_with("[DMARC] ") && !subject.contains(char::is_control),
            "{subject}"
        );
        let raw = String::from_utf8(bytes.clone()).expect("every server passes it on: it is ASCII");
        assert!(raw.is_ascii());
        assert!(
            raw.lines().all(|line| line.len() <= 998),
            "no line is too long"
        );
        assert!(
            !header(&message, "Subject")
                .unwrap()
                .contains("=?utf-8?q?=0D=0A")
        );
        let (text, html) = texts(&message);
        for part in [&text, &html] {
            assert!(!part.contains("://evil"), "{part}");
            assert!(!part.contains("www.evil"), "{part}");
            let is_odd =
                |c: char| (c.is_control() && !"\n\r".contains(c)) || "\u{202e}\u{2028}".contains(c);
            assert!(!part.contains(is_odd), "{part}");
            assert!(
                !part.contains("Bcc:") || part.contains("[U+202E]"),
                "what is unseen shows: {part}"
            );
        }
        let tags = html.to_ascii_lowercase();
        for tag in [
            "<script",
            "<img src=https",
            "<!channel",
            "</pre> `",
            "src=\"http",
        ] {
            assert!(!tags.contains(tag), "{tag} in {html}");
        }
        let links = tags.matches("href=\"").count();
        assert_eq!(
            links,
            tags.matches("href=\"https://dmarc.example.com/").count()
        );
    }
}

#[test]
fn a_digest_has_the_trend_as_a_picture_and_the_numbers_as_tables() {
    let mut weekly = digest();
    weekly.kind = NoticeKind::Weekly;
    weekly.first_day = weekly.last_day - chrono::Days::new(6);
    for (digest, subject) in [
        (
            digest(),
            "[DMARC] Daily digest 2024-03-09: 98.4% of 13\u{202f}345 messages pass, 2 open alerts",
        ),
        (
            weekly,
            "[DMARC] Weekly digest 2024-03-03 to 2024-03-09: 98.4% of 13\u{202f}345 messages pass, 2 open alerts",
        ),
    ] {
        let bytes = received(&Notice::Digest(digest.clone()));
        let message = parse(&bytes);
        assert_eq!(message.subject(), Some(subject));
        assert_eq!(header(&message, "Precedence"), Some("bulk"));
        let picture = message
            .parts
            .iter()
            .find(|part| {
                part.content_type()
                    .is_some_and(|kind| kind.ctype() == "image")
            })
            .unwrap();
        let (PartType::Binary(bytes) | PartType::InlineBinary(bytes)) = &picture.body else {
            panic!("the picture is no picture");
        };
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        let (text, html) = texts(&message);
        let id = picture.content_id().unwrap();
        assert!(html.contains(&format!("src=\"cid:{id}\"")), "{html}");
        assert!(
            html.contains("alt=\"Messages a day from 2024-02-09 to 2024-03-09:"),
            "{html}"
        );
        let rows: usize = digest
            .trend
            .iter()
            .filter(|(day, ..)| html.contains(&day.to_string()))
            .count();
        assert_eq!(rows, 30, "the numbers behind the picture");
        for part in [&text, &html] {
            for words in [
                "example.org",
                "13\u{202f}345",
                "98.4%",
                "98.3%",
                "1\u{202f}352",
                "2 alerts are open",
            ] {
                assert!(part.contains(words), "{words} is not in {part}");
            }
        }
    }
}

#[test]
fn four_hundred_alerts_make_a_mail_that_can_be_read() {
    let bytes = received(&about(many(100), 300));
    assert!(bytes.len() < 400_000, "{}", bytes.len());
    let message = parse(&bytes);
    assert!(message.subject().unwrap().contains("300 more alerts"));
}

#[test]
fn a_text_keeps_its_columns() {
    let table =
        "Source            Messages\n  203.0.113.66       1234\n  198.51.100.7          5\n";
    let bytes = received(&summary(table));
    let message = parse(&bytes);
    assert_eq!(message.subject(), Some("[DMARC] 2 problems in 7 days"));
    let (text, html) = texts(&message);
    assert!(
        text.replace("\r\n", "\n").contains(table.trim_end()),
        "{text}"
    );
    assert!(html.contains("  203.0.113.66       1234"), "{html}");
}

/// What a server of the test does at some point of the conversation.
#[derive(Debug, Clone, Copy)]
enum Mischief {
    Hangs,
    Trickles,
    Floods,
    Leaves,
}

/// A server that is well-behaved for so many answers, and then is not.
fn odd_server(good_answers: usize, mischief: Mischief) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut input = BufReader::new(stream.try_clone().unwrap());
        let mut output = stream.try_clone().unwrap();
        let mut line = String::new();
        let mut is_data = false;
        for answer in 0.. {
            if answer == good_answers {
                return misbehave(&stream, mischief);
            }
            let words = match line.split(' ').next().unwrap_or_default().trim_end() {
                _ if answer == 0 => "220 mail.example.com\r\n",
                "EHLO" => "250-mail.example.com\r\n250 AUTH PLAIN\r\n",
                "AUTH" => "235 yes\r\n",
                "DATA" => "354 go on\r\n",
                _ => "250 yes\r\n",
            };
            if output.write_all(words.as_bytes()).is_err() {
                return;
            }
            is_data = words.starts_with("354") || is_data;
            loop {
                line.clear();
                if input.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                if !is_data || line == ".\r\n" {
                    is_data = false;
                    break;
                }
            }
        }
    });
    port
}

fn misbehave(mut stream: &TcpStream, mischief: Mischief) {
    // Nobody ever sends: it is a wait.
    let (_never, never) = mpsc::channel::<()>();
    match mischief {
        Mischief::Leaves => {}
        Mischief::Hangs => {
            let _ = stream.read_to_end(&mut Vec::new());
        }
        Mischief::Trickles => {
            while stream.write_all(b"2").is_ok() {
                let _ = never.recv_timeout(Duration::from_millis(50));
            }
        }
        Mischief::Floods => while stream.write_all(b"250-and more\r\n").is_ok() {},
    }
}

#[test]
fn a_server_that_hangs_trickles_floods_or_leaves_holds_nobody_up() {
    // Greeting, EHLO, AUTH, MAIL, RCPT, DATA, the mail itself.
    let cases: Vec<(usize, Mischief)> = (0..7)
        .flat_map(|at| {
            [
                Mischief::Hangs,
                Mischief::Trickles,
                Mischief::Floods,
                Mischief::Leaves,
            ]
            .map(|mischief| (at, mischief))
        })
        .collect();
    thread::scope(|scope| {
        for (at, mischief) in cases {
            scope.spawn(move || {
                let port = odd_server(at, mischief);
                let yaml = format!(
                    "type: mail, host: 127.0.0.1, port: {port}, tls: none, {FROM}, to: a@example.com, username: u, \
                     password_env: P, timeout: 1s"
                );
                let error = send(&channel(&yaml, &[("P", "secret-word")]), &summary("text")).unwrap_err();
                let expect: &[&str] = match mischief {
                    Mischief::Hangs => &["does not answer in time"],
                    Mischief::Trickles => &["does not answer in time"],
                    Mischief::Floods => &["without an end"],
                    Mischief::Leaves => &["ended the connection", "cannot be reached any more"],
                };
                assert!(
                    expect.iter().any(|words| error.words.contains(words)),
                    "{at} {mischief:?}: {error}"
                );
                assert!(!error.words.contains("secret-word"), "{error}");
            });
        }
    });
}

#[test]
fn a_server_that_hangs_or_trickles_in_tls_holds_nobody_up() {
    for mischief in [Mischief::Hangs, Mischief::Trickles, Mischief::Leaves] {
        let port = odd_server(0, mischief);
        let yaml = format!(
            "type: mail, host: localhost, port: {port}, tls: implicit, {FROM}, to: a@example.com, timeout: 1s"
        );
        send(&channel(&yaml, &[]), &summary("text")).unwrap_err();
    }
}

#[test]
fn a_server_without_starttls_or_login_is_told_no_password() {
    for (tls, host, expect) in [
        ("starttls", "localhost", "offers no STARTTLS"),
        ("none", "localhost", "offers no login"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"220 x\r\n").unwrap();
            let mut input = BufReader::new(stream.try_clone().unwrap());
            let mut said = String::new();
            input.read_line(&mut said).unwrap();
            stream.write_all(b"250-x\r\n250-   \r\n250\r\n").unwrap();
            let _ = input.read_to_string(&mut said);
            said
        });
        let yaml = format!(
            "type: mail, host: {host}, port: {port}, tls: {tls}, {FROM}, to: a@example.com, username: u, password_env: P"
        );
        let error = send(&channel(&yaml, &[("P", "secret-word")]), &summary("text")).unwrap_err();
        assert!(error.words.contains(expect), "{error}");
        let said = server.join().unwrap();
        assert!(
            said.starts_with("EHLO [127.0.0.1]\r\n") && !said.contains("AUTH"),
            "{said}"
        );
    }
}

//! `sentinel notify test` and `sentinel check`, as a user runs them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Output;

use mail_parser::MessageParser;

use crate::http_endpoint::Endpoint;
use crate::product::Product;
use crate::smtp_server::{PASSWORD, SmtpServer, USER};

/// With a mail server and a webhook as channels.
pub fn configured(server: &SmtpServer, webhook: &str) -> Product {
    Product::with_config(&format!(
        "notify:\n  channels:\n    - type: mail\n      name: postmaster\n      host: localhost\n      port: {}\n      ca_file: \
         {}\n      username: {USER}\n      password_env: SMTP_PASSWORD\n      from: DMARC <dmarc@example.com>\n      to: \
         [a@example.com, b@example.com]\n    - type: webhook\n      format: slack\n      url: {webhook}/hook-secret\n",
        server.ports["starttls"],
        server.ca_file().display(),
    ))
}

/// Runs a command with the password of the mail server; its exit code and what it says.
pub fn run(product: &Product, words: &[&str]) -> (Option<i32>, String, String) {
    let mut command = product.command(&product.home(), words);
    let Output {
        status,
        stdout,
        stderr,
    } = command.env("SMTP_PASSWORD", PASSWORD).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn samples_go_to_every_channel_and_to_one() {
    let server = SmtpServer::start();
    let endpoint = Endpoint::start(|_, _| (200, "ok".to_owned()));
    let product = configured(&server, &endpoint.url);
    let (code, out, error) = run(&product, &["notify", "test"]);
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(
        out.contains("channel \"postmaster\": sent, taken by localhost for 2 recipients\n"),
        "{out}"
    );
    assert!(
        out.contains("channel \"slack\": sent, taken by 127.0.0.1:"),
        "{out}"
    );
    assert_eq!((server.taken().len(), endpoint.asked().len()), (1, 1));
    let (code, out, error) = run(
        &product,
        &["notify", "test", "--channel", "postmaster", "--digest"],
    );
    assert_eq!(code, Some(0), "{out}{error}");
    assert_eq!((server.taken().len(), endpoint.asked().len()), (2, 1));
    let bytes = server.taken().remove(1).bytes;
    let digest = MessageParser::default().parse(&bytes).unwrap();
    assert!(
        digest
            .subject()
            .unwrap()
            .starts_with("[DMARC] Daily digest ")
    );
    assert!(digest.body_html(0).unwrap().contains("a sample"));
    assert!(!product.data().join("ledger").exists(), "nothing is noted");
}

#[test]
fn one_that_fails_is_told_apart_and_gives_exit_code_3() {
    let server = SmtpServer::start();
    let endpoint = Endpoint::start(|_, _| (404, "no_service".to_owned()));
    let product = configured(&server, &endpoint.url);
    let (code, out, error) = run(&product, &["notify", "test"]);
    assert_eq!(code, Some(3), "{out}{error}");
    assert!(out.contains("channel \"postmaster\": sent"), "{out}");
    assert!(
        error.contains("channel \"slack\": failed: 127.0.0.1:"),
        "{error}"
    );
    assert!(
        error.contains("answers 404 (is the address right?): no_service"),
        "{error}"
    );
    assert!(!error.contains("hook-secret"), "{error}");
}

#[test]
fn a_channel_that_is_not_there_is_a_mistake_of_the_command_line() {
    let (code, _, error) = run(&Product::new(), &["notify", "test"]);
    assert_eq!(code, Some(2));
    assert!(
        error.contains("list them under `notify.channels`"),
        "{error}"
    );
    let server = SmtpServer::start();
    let product = configured(&server, "http://127.0.0.1:9");
    let (code, _, error) = run(&product, &["notify", "test", "--channel", "nobody"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("there is postmaster, slack"), "{error}");
    let (code, out, _) = run(&product, &["notify", "test", "--help"]);
    assert_eq!(code, Some(0));
    assert!(
        out.contains("sentinel notify test --channel postmaster"),
        "{out}"
    );
}

#[test]
fn check_reaches_channels_and_sends_nothing() {
    let server = SmtpServer::start();
    let endpoint = Endpoint::start(|_, _| (200, "ok".to_owned()));
    let product = configured(&server, &endpoint.url);
    let (code, out, error) = run(&product, &["check"]);
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(
        out.contains("channel \"postmaster\" (mail): localhost:"),
        "{out}"
    );
    assert!(
        out.contains("channel \"slack\" (slack): the address answers"),
        "{out}"
    );
    assert_eq!((server.taken().len(), endpoint.asked().len()), (0, 0));
    drop(server);
    let (code, out, error) = run(&product, &["check"]);
    assert_eq!(code, Some(2), "{out}");
    assert!(error.contains("channel \"postmaster\" (mail): "), "{error}");
    assert!(
        run(&Product::new(), &["check"])
            .1
            .contains("channels: nobody is told")
    );
}

//! Names of hosts from a real name server: only those that lead back, whatever strangers write into theirs; after a run
//! and never in its way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::net::IpAddr;
use std::process::Stdio;

use sentinel::addresses::Resolver;
use sentinel::model::address::HostAnswer;

use crate::addresses_known::{report, sent_by};
use crate::dns_server::{DnsServer, HangingServer, longest_name, timeouts};
use crate::mail_server::MailServer;
use crate::mailbox_fetch::{accepted, pass, product_of};
use crate::product::{Mailbox, Product, until};
use crate::whole_serving::Served;

fn named(name: &str) -> HostAnswer {
    HostAnswer::Named(name.to_owned())
}

fn asking(address: std::net::SocketAddr) -> String {
    format!("addresses:\n  host_names: true\n  dns_servers: [\"{address}\"]\n")
}

#[test]
fn hosts_have_the_names_that_lead_back_to_them() {
    let server = DnsServer::start();
    let resolver = server.resolver();
    let cases = [
        ("5.45.0.1", named("mail.sender.test")),
        ("::ffff:5.45.0.1", named("mail.sender.test")),
        // Its name belongs to somebody else.
        ("5.45.0.2", HostAnswer::Nameless),
        // It has none.
        ("5.45.0.3", HostAnswer::Nameless),
        // Its owner has less than 256 addresses.
        ("5.45.0.4", named("cname.sender.test")),
        // Its names are no host names.
        ("5.45.0.5", HostAnswer::Nameless),
        ("5.45.0.6", named(&longest_name())),
        ("5.45.0.8", named("o1.ptr.sendgrid.net")),
        ("5.45.0.10", named("mail.sender.test")),
        ("5.45.0.12", named("two.sender.test")),
        ("2a00:45::1", named("six.sender.test")),
    ];
    for (address, expect) in cases {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(resolver.host_name(address), expect, "{address}");
    }
    // The answer does not fit into a datagram.
    match resolver.host_name("5.45.0.7".parse().unwrap()) {
        HostAnswer::Named(name) => assert!(name.starts_with("one-of-many-names-"), "{name}"),
        other => panic!("{other:?}"),
    }
    // The server does not look things up for others: nobody knows.
    for unknown in ["5.45.0.11", "9.9.9.9"] {
        match resolver.host_name(unknown.parse().unwrap()) {
            HostAnswer::Failed(error) => assert!(error.contains("REFUSED"), "{error}"),
            other => panic!("{unknown}: {other:?}"),
        }
    }
    // Aliases that lead in a circle end, one way or the other.
    assert!(!matches!(
        resolver.host_name("5.45.0.13".parse().unwrap()),
        HostAnswer::Named(_)
    ));
}

#[test]
fn a_server_that_hangs_is_passed_over_and_known_by_its_address() {
    let (hanging, server) = (HangingServer::start(), DnsServer::start());
    let address = "5.45.0.1".parse().unwrap();
    let both = Resolver::new(vec![hanging.address(), server.address], timeouts());
    assert_eq!(both.host_name(address), named("mail.sender.test"));
    let alone = Resolver::new(vec![hanging.address()], timeouts());
    match alone.host_name(address) {
        HostAnswer::Failed(error) => {
            assert_eq!(error, format!("{}: no answer in time", hanging.address()));
        }
        other => panic!("{other:?}"),
    }
    assert!(hanging.questions() >= 2);
}

fn mail(number: u32) -> Vec<u8> {
    let head = "From: reports@reporter.example\r\nTo: dmarc@example.com\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/xml\r\n\r\n";
    format!(
        "{head}{}",
        report(number, &["5.45.0.1", "5.45.0.2", "5.45.0.8"])
    )
    .into_bytes()
}

#[test]
fn names_are_found_after_a_run_classify_what_came_before_and_what_comes_later() {
    let (mails, names) = (MailServer::start(), DnsServer::start());
    mails.make_folder("reports", "DMARC");
    mails.deliver("reports", "DMARC", &mail(1));
    let product = product_of(&mails, &asking(names.address));
    accepted(&product, 1);
    let sql = "select source_ip, host_name from addresses order by all";
    let expect = serde_json::json!([
        {"source_ip": "5.45.0.1", "host_name": "mail.sender.test"},
        {"source_ip": "5.45.0.8", "host_name": "o1.ptr.sendgrid.net"},
    ]);
    assert_eq!(serde_json::json!(product.query(&[sql])), expect);
    assert_eq!(
        sent_by(&product),
        ["5.45.0.1 null", "5.45.0.2 null", "5.45.0.8 sendgrid"]
    );
    product.assert_verified("named");
    // What is known holds: nobody is asked again.
    let address = names.address;
    drop(names);
    mails.deliver("reports", "DMARC", &mail(2));
    let said = accepted(&product, 1);
    assert!(!said.err.contains(&address.to_string()), "{}", said.err);
    assert_eq!(
        sent_by(&product),
        ["5.45.0.1 null", "5.45.0.2 null", "5.45.0.8 sendgrid"]
    );
    product.assert_verified("named before");
    let ledger = fs::read_to_string(product.data().join("ledger/events.jsonl")).unwrap();
    assert_eq!(ledger.matches("hosts-looked-up").count(), 1);
    let generation = product.current();
    assert_eq!(product.run(&["rebuild"]).code, 0);
    assert_eq!(generation.manifest.files, product.current().manifest.files);
}

#[test]
fn nobody_is_asked_unless_it_is_wanted() {
    let (mails, hanging) = (MailServer::start(), HangingServer::start());
    mails.make_folder("reports", "DMARC");
    mails.deliver("reports", "DMARC", &mail(1));
    let off = asking(hanging.address()).replace("true", "false");
    let product = product_of(&mails, &off);
    accepted(&product, 1);
    assert_eq!(hanging.questions(), 0);
    // What makes things anew asks nobody either.
    product.configure(&(mails.inbox() + &asking(hanging.address())));
    let as_of = crate::product::AS_OF;
    for words in [&["rebuild"][..], &["verify"], &["render", "--as-of", as_of]] {
        let said = product.run(words);
        assert_eq!(said.code, 0, "{words:?} {}", said.err);
    }
    assert_eq!(product.poll().code, 0);
    assert_eq!(hanging.questions(), 0);
}

#[test]
fn a_name_server_that_hangs_holds_no_publication_up_and_is_left_alone_for_a_while() {
    let (mails, hanging) = (MailServer::start(), HangingServer::start());
    mails.make_folder("reports", "DMARC");
    mails.deliver("reports", "DMARC", &mail(1));
    let product = product_of(&mails, &asking(hanging.address()));
    let mut command = product.command(&product.home(), &["run", "--as-of", crate::product::AS_OF]);
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    assert!(until(|| hanging.questions() > 0));
    assert_eq!(product.current().manifest.values.archive_position, 1);
    let ended = run.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(said.contains("no answer in time"), "{said}");
    hanging.questions();
    assert_eq!(pass(&product).code, 0);
    assert_eq!(hanging.questions(), 0, "it is asked again an hour later");
    product.assert_verified("nothing was found out");
}

#[test]
fn a_running_server_looks_names_up_and_shows_them() {
    let names = DnsServer::start();
    let product = Product::with_config(&asking(names.address));
    let mut mailbox = Mailbox::empty();
    mailbox.add(
        "a.xml",
        report(1, &["5.45.0.1", "5.45.0.5", "5.45.0.8"]).as_bytes(),
    );
    assert_eq!(product.ingest(&mailbox, &mailbox.names).code, 0);
    let before = product.current().number;
    let served = Served::start(&product);
    assert!(until(|| product.current().number > before));
    for path in ["/sources", "/domains/example.com", "/senders"] {
        let page = served.get(path).text();
        assert!(page.contains("o1.ptr.sendgrid.net"), "{path}");
        assert!(!page.contains("cmd"), "{path}");
    }
    let alert = product.query(&["select id from alerts where subject = '5.45.0.1'"]);
    let id = alert[0]["id"].as_str().unwrap();
    let page = served.get(&format!("/alerts/{id}")).text();
    assert!(page.contains("mail.sender.test"));
    let rows = served.get("/api/domains/example.com/sources").json();
    assert_eq!(
        rows["sources"][0]["host_name"], "mail.sender.test",
        "{rows}"
    );
    drop(served);
    product.assert_verified("served");
}

#[test]
fn check_says_how_dns_answers() {
    let (hanging, server) = (HangingServer::start(), DnsServer::start());
    let product = Product::with_config(&asking(hanging.address()));
    let said = product.run(&["check"]);
    let expect = format!(
        "host names: DNS does not answer: {}: no answer",
        hanging.address()
    );
    assert!(said.code == 2 && said.err.contains(&expect), "{}", said.err);
    // It refuses to look up what is not its own: it is of no use as a resolver.
    product.configure(&asking(server.address));
    let said = product.run(&["check"]);
    assert!(said.err.contains("REFUSED"), "{}", said.err);
    product.configure("");
    let said = product.run(&["check"]);
    assert!(
        said.out.contains("host names: are not looked up"),
        "{}",
        said.out
    );
}

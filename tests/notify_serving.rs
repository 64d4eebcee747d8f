//! A running server tells people: once, in one message, and not again after a restart.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use mail_parser::MessageParser;

use crate::product::{Mailbox, Product, until};
use crate::smtp_server::SmtpServer;
use crate::whole_serving::Served;

fn configured(server: &SmtpServer, more: &str) -> Product {
    Product::with_config(&format!(
        "alerts: {{notify_within_days: 60}}\nnotify:\n  channels:\n    - type: mail\n      name: postmaster\n      \
         host: localhost\n      port: {}\n      tls: none\n      from: dmarc@example.com\n      to: [me@example.com]\n{more}",
        server.ports["plain"]
    ))
}

/// Waits until the channel has had its turn in a server that has just begun.
fn has_had_its_turn(served: &Served) -> serde_json::Value {
    let channels = || served.get("/api/status").json()["channels"].clone();
    assert!(until(|| channels()
        .as_array()
        .is_some_and(|all| all.len() == 1)));
    channels()[0].clone()
}

#[test]
fn open_alerts_are_told_of_in_one_mail_and_once() {
    let server = SmtpServer::start();
    let product = configured(&server, "");
    let mailbox = Mailbox::invented(600, 45);
    product.ingest(&mailbox, &mailbox.names);
    assert_eq!(server.taken().len(), 0, "ingest tells nobody");
    let open =
        product.query(&["select title from alerts where status = 'open' and severity <> 'info'"]);
    assert!(open.len() > 2, "{open:?}");
    let served = Served::start(&product);
    assert!(until(|| !server.taken().is_empty()));
    let taken = server.taken();
    let mail = MessageParser::default().parse(&taken[0].bytes).unwrap();
    let text = mail.body_text(0).unwrap();
    for alert in &open {
        let title = alert["title"].as_str().unwrap();
        assert!(text.contains(title), "{title}\n{text}");
    }
    let status = has_had_its_turn(&served);
    assert_eq!(
        (status["failures"].as_i64(), status["waiting"].as_i64()),
        (Some(0), Some(0))
    );
    assert!(served.get("/inboxes").text().contains("Who is told"));
    drop(served);
    let served = Served::start(&product);
    has_had_its_turn(&served);
    assert_eq!(server.taken().len(), 1, "a restart tells of nothing twice");
    drop(served);
    product.assert_verified("told");
}

#[test]
fn what_was_acknowledged_before_anybody_was_told_is_not_told_of() {
    let server = SmtpServer::start();
    let product = configured(&server, "");
    let mailbox = Mailbox::invented(600, 45);
    product.ingest(&mailbox, &mailbox.names);
    for alert in product.query(&["select id from alerts where status = 'open'"]) {
        assert_eq!(
            product
                .run(&["alerts", "ack", alert["id"].as_str().unwrap()])
                .code,
            0
        );
    }
    let served = Served::start(&product);
    has_had_its_turn(&served);
    assert_eq!(server.taken().len(), 0);
}

#[test]
fn a_digest_tells_the_numbers_of_the_site() {
    let server = SmtpServer::start();
    let product = configured(&server, "      digest: {daily: '00:00'}\n");
    // Numbers of the days before the present one, as the program has it.
    let nothing = tempfile::tempdir().unwrap();
    product.run_in(nothing.path(), &["ingest", "."]);
    let today = product.current().manifest.values.as_of;
    let mut shifted = Mailbox::empty();
    let report = |count: u32, days_ago: i64| {
        let begin = (today - chrono::Duration::days(days_ago))
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp();
        format!(
            "<feedback><report_metadata><org_name>r.example</org_name><email>a@r.example</email><report_id>{days_ago}</report_id>\
             <date_range><begin>{begin}</begin><end>{}</end></date_range></report_metadata><policy_published>\
             <domain>example.com</domain><p>none</p></policy_published><record><row><source_ip>192.0.2.9</source_ip>\
             <count>{count}</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf>\
             </policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results/></record></feedback>",
            begin + 86_399
        )
    };
    for days_ago in 1..4 {
        shifted.add(
            &format!("{days_ago}.xml"),
            report(4_321, days_ago).as_bytes(),
        );
    }
    product.ingest_as_of(&shifted, &shifted.names, &today.to_string());
    let served = Served::start(&product);
    assert!(until(|| !server.taken().is_empty()));
    let taken = server.taken();
    let mail = MessageParser::default().parse(&taken[0].bytes).unwrap();
    assert!(
        mail.subject().unwrap().contains("Daily digest"),
        "{:?}",
        mail.subject()
    );
    let text = mail.body_text(0).unwrap();
    assert!(
        text.contains("4,321") || text.contains("4\u{202f}321") || text.contains("4 321"),
        "{text}"
    );
    let pictures = mail.attachments().filter(|part| part.is_binary()).count();
    assert!(
        pictures >= 1 || mail.parts.iter().any(|part| part.is_binary()),
        "the trend is a picture"
    );
    drop(served);
}

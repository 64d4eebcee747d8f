//! `sentinel summary` on reports that are written here: the text, the object, the exit code.

use serde_json::{Value as Json, json};

use mail_parser::MessageParser;

use crate::http_endpoint::Endpoint;
use crate::notify_commands::{configured, run};
use crate::product::{AS_OF, Mailbox, Product};
use crate::smtp_server::SmtpServer;

/// 2026-03-05, the day of every report but the late one.
const BEGIN_UTC_SECS: i64 = 1_772_668_800;
const DAY_SECS: i64 = 86_400;

/// One report about `domain`; a record is an address, messages that pass and messages that fail.
fn report(domain: &str, begin_utc_secs: i64, records: &[(&str, u64, u64)]) -> String {
    let record = |address: &str, count: u64, result: &str| {
        if count == 0 {
            return String::new();
        }
        format!(
            "<record><row><source_ip>{address}</source_ip><count>{count}</count><policy_evaluated>\
             <disposition>none</disposition><dkim>fail</dkim><spf>{result}</spf></policy_evaluated></row>\
             <identifiers><header_from>{domain}</header_from></identifiers><auth_results><spf>\
             <domain>{domain}</domain><scope>mfrom</scope><result>{result}</result></spf></auth_results></record>"
        )
    };
    let records: String = records
        .iter()
        .map(|(address, passed, failing)| {
            record(address, *passed, "pass") + &record(address, *failing, "fail")
        })
        .collect();
    let end_utc_secs = begin_utc_secs + DAY_SECS - 1;
    format!(
        "<?xml version=\"1.0\"?><feedback><report_metadata><org_name>receiver.example</org_name>\
         <email>dmarc@receiver.example</email><report_id>{domain}-{begin_utc_secs}</report_id><date_range>\
         <begin>{begin_utc_secs}</begin><end>{end_utc_secs}</end></date_range></report_metadata><policy_published>\
         <domain>{domain}</domain><p>none</p></policy_published>{records}</feedback>"
    )
}

/// What was published of these reports.
fn published(reports: &[String]) -> Product {
    let product = Product::new();
    publish(&product, reports);
    product
}

fn publish(product: &Product, reports: &[String]) {
    let mut mailbox = Mailbox::empty();
    for report in reports {
        mailbox.add("report.xml", report.as_bytes());
    }
    let said = product.ingest(&mailbox, &mailbox.names);
    assert_eq!(said.code, 0, "{}", said.err);
}

/// Own addresses at 95 % and below, external ones with 20 failing messages and one less, by IPv4 and IPv6.
fn mixed() -> Product {
    published(&mixed_reports())
}

fn mixed_reports() -> [String; 3] {
    [
        report(
            "example.com",
            BEGIN_UTC_SECS,
            &[
                ("192.0.2.10", 950, 50),
                ("192.0.2.11", 949, 51),
                ("2001:db8:25::a", 18, 2),
                ("2001:db8:25::b", 19, 1),
                ("2001:db8:26::c", 0, 20),
                ("203.0.113.5", 0, 19),
                ("192.0.2.12", 0, 19),
            ],
        ),
        report("example.org", BEGIN_UTC_SECS, &[("203.0.113.6", 300, 20)]),
        report(
            "example.org",
            BEGIN_UTC_SECS - 3 * DAY_SECS,
            &[("203.0.113.7", 0, 500)],
        ),
    ]
}

#[test]
fn summary_names_sources_totals_and_problems_and_ends_with_1() {
    let said = mixed().run(&["summary"]);
    let expect = "\
DMARC summary of all domains, 2026-03-03 to 2026-03-09 (7 days)

2418 messages: 2236 pass DMARC (92.5%), 182 fail
8 sources, 2 domains, 2 reports by 1 reporter

Sources:
  Source          Name              Kind      Messages  Pass rate  Failing
  192.0.2.10      Own mail servers  own           1000      95.0%       50
  192.0.2.11      Own mail servers  own           1000      94.9%       51
  203.0.113.6                       external       320      93.8%       20
  2001:db8:25::a  Own mail servers  own             20      90.0%        2
  2001:db8:25::b  Own mail servers  own             20      95.0%        1
  2001:db8:26::c                    external        20       0.0%       20
  192.0.2.12      Own mail servers  own             19       0.0%       19
  203.0.113.5                       external        19       0.0%       19

4 problems:
  own address 192.0.2.11 (Own mail servers): only 94.9% of 1000 messages pass, 51 fail
  external address 203.0.113.6: 20 of 320 messages fail
  own address 2001:db8:25::a (Own mail servers): only 90.0% of 20 messages pass, 2 fail
  external address 2001:db8:26::c: 20 of 20 messages fail
";
    assert_eq!((said.code, said.out.as_str()), (1, expect), "{}", said.err);
}

#[test]
fn summary_is_about_the_days_and_the_domain_that_are_asked_for() {
    let product = mixed();
    for (words, code, first_line, last_line) in [
        (
            &["summary", "--days", "5", "--domain", "Example.Org."][..],
            1,
            "DMARC summary of example.org, 2026-03-05 to 2026-03-09 (5 days)",
            "  external address 203.0.113.6: 20 of 320 messages fail",
        ),
        (
            &["summary", "--days", "4"],
            0,
            "DMARC summary of all domains, 2026-03-06 to 2026-03-09 (4 days)",
            "No problems.",
        ),
        (
            &["summary", "--days", "8", "--domain", "example.org"],
            1,
            "DMARC summary of example.org, 2026-03-02 to 2026-03-09 (8 days)",
            "  external address 203.0.113.6: 20 of 320 messages fail",
        ),
        (
            &["summary", "--domain", "example.net"],
            0,
            "DMARC summary of example.net, 2026-03-03 to 2026-03-09 (7 days)",
            "No problems.",
        ),
        (
            &["summary", "--days", "1", "--as-of", "2026-03-06"],
            1,
            "DMARC summary of all domains, 2026-03-05 to 2026-03-05 (1 day)",
            "  external address 2001:db8:26::c: 20 of 20 messages fail",
        ),
    ] {
        let said = product.run(words);
        assert_eq!(said.code, code, "{words:?}: {}{}", said.out, said.err);
        assert_eq!(said.out.lines().next(), Some(first_line), "{words:?}");
        assert_eq!(said.last_line(), last_line, "{words:?}");
    }
}

#[test]
fn summary_as_json_has_the_numbers_of_its_query() {
    let product = mixed();
    let said = product.run(&["summary", "--format", "json"]);
    assert_eq!(said.code, 1, "{}", said.err);
    let object: Json = serde_json::from_str(&said.out).unwrap();
    assert_eq!(object["messages"], 2418);
    assert_eq!(object["first_day"], "2026-03-03");
    assert_eq!(object["domain"], Json::Null);
    assert_eq!(object["problem_count"], 4);
    assert_eq!(
        object["problems"][0],
        json!({"place": 2, "source_ip": "192.0.2.11", "name": "Own mail servers", "kind": "own", "messages": 1000,
            "passed": 949, "failing": 51, "pass_rate_percent": 94.9, "problem": "own"})
    );
    let rows = product.query(&["summary_sources", "--param", "days=7", "--param", "domain="]);
    assert_eq!(object["sources"].as_array().unwrap().len(), rows.len());
    assert_eq!(rows[1]["failing"], 51);
}

#[test]
fn summary_of_nothing_has_no_problems_and_without_a_publication_it_fails() {
    let product = Product::new();
    assert_eq!(product.run(&["summary"]).code, 3);
    assert_eq!(product.poll().code, 0);
    let said = product.run(&["summary"]);
    let expect = "\
DMARC summary of all domains, 2026-03-03 to 2026-03-09 (7 days)

No messages were reported for these days.
0 sources, 0 domains, 0 reports by 0 reporters

No problems.
";
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, expect),
        "{AS_OF}: {}",
        said.err
    );
    for words in [
        &["summary", "--days", "0"][..],
        &["summary", "--domain", "no domain"],
        &["summary", "--format", "csv"],
        // There is no channel.
        &["summary", "--notify"],
    ] {
        assert_eq!(product.run(words).code, 2, "{words:?}");
    }
}

#[test]
fn problems_are_sent_to_the_channels_and_a_good_week_is_not() {
    let server = SmtpServer::start();
    let endpoint = Endpoint::start(|_, _| (200, "ok".to_owned()));
    let product = configured(&server, &endpoint.url);
    publish(
        &product,
        &[report(
            "example.com",
            BEGIN_UTC_SECS - DAY_SECS,
            &[("192.0.2.10", 950, 50)],
        )],
    );
    let words = ["summary", "--notify"];
    let (code, out, err) = run(&product, &words);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(server.taken().is_empty(), "there is no problem");
    publish(&product, &mixed_reports());
    let (code, out, err) = run(&product, &words);
    assert_eq!(code, Some(1), "{out}{err}");
    let taken = server.taken();
    assert_eq!((taken.len(), endpoint.asked().len()), (1, 1), "{err}");
    let mail = MessageParser::default().parse(&taken[0].bytes).unwrap();
    let text = mail.body_text(0).unwrap();
    for line in out.lines().filter(|line| line.contains("messages")) {
        assert!(text.contains(line.trim()), "{line}\n---\n{text}");
    }
}

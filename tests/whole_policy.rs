//! Policy advice from reports that are written here to page and JSON: what the parser makes of them is what is replayed.

use std::fs;

use serde_json::{Value as Json, json};

use crate::product::{Mailbox, Product};

/// 2026-02-08, the first of the 30 days.
const BEGIN_UTC_SECS: i64 = 1_770_508_800;
const DAY_SECS: i64 = 86_400;

/// What a record says: address, messages, aligned DKIM and SPF, and the results as they stand in the report.
struct Record {
    address: &'static str,
    count: u64,
    aligned: [&'static str; 2],
    results: &'static str,
}

const OWN: &str = "<dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>\
    <spf><domain>Example.COM.</domain><scope>mfrom</scope><result>pass</result></spf>";
const SIGNED_BELOW: &str = "<dkim><domain>mail.example.com</domain><selector>s1</selector><result>pass</result></dkim>\
    <spf><domain>elsewhere.example</domain><result>pass</result></spf>";
const SENT_BELOW: &str = "<spf><domain>bounce.example.com</domain><scope>mfrom</scope><result>pass</result></spf>\
    <spf><domain>example.com</domain><scope>helo</scope><result>pass</result></spf>";
const NOTHING: &str = "<spf><domain>other.example</domain><result>fail</result></spf>";

const fn record(
    address: &'static str,
    count: u64,
    aligned: [&'static str; 2],
    results: &'static str,
) -> Record {
    Record {
        address,
        count,
        aligned,
        results,
    }
}

/// One report of one reporter about one domain and day.
fn report(domain: &str, reporter: &str, day: i64, records: &[Record]) -> String {
    let records: String = records
        .iter()
        .map(|record| {
            let [dkim, spf] = record.aligned;
            format!(
                "<record><row><source_ip>{}</source_ip><count>{}</count><policy_evaluated><disposition>none</disposition>\
                 <dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row><identifiers><header_from>{domain}</header_from>\
                 </identifiers><auth_results>{}</auth_results></record>",
                record.address, record.count, record.results
            )
        })
        .collect();
    let begin = BEGIN_UTC_SECS + day * DAY_SECS;
    let end = begin + DAY_SECS - 1;
    format!(
        "<?xml version=\"1.0\"?><feedback><report_metadata><org_name>{reporter}</org_name><email>dmarc@{reporter}</email>\
         <report_id>{domain}-{day}</report_id><date_range><begin>{begin}</begin><end>{end}</end></date_range>\
         </report_metadata><policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf><p>none</p>\
         <sp>none</sp><pct>100</pct></policy_published>{records}</feedback>"
    )
}

/// Thirty days of reports about example.com, from day `quiet_from` on without the second reporter, and `last`.
fn published(last: &[Record], quiet_from: i64) -> Product {
    let (mut mailbox, product) = (Mailbox::empty(), Product::new());
    for day in 0..30 {
        let daily = [record("192.0.2.10", 32, ["pass", "pass"], OWN)];
        mailbox.add(
            "big.xml",
            report("example.com", "big.example", day, &daily).as_bytes(),
        );
        if day < quiet_from {
            let more = [record("192.0.2.11", 1, ["pass", "pass"], OWN)];
            mailbox.add(
                "loud.xml",
                report("example.com", "loud.example", day, &more).as_bytes(),
            );
        }
    }
    mailbox.add(
        "last.xml",
        report("example.com", "last.example", 29, last).as_bytes(),
    );
    let said = product.ingest(&mailbox, &mailbox.names);
    assert_eq!(said.code, 0, "{}", said.err);
    product
}

/// The page and `advice` of example.com.
fn advice(product: &Product) -> (String, Json) {
    let site = product.current().folder.join("site");
    let page = fs::read_to_string(site.join("domains/example.com.html")).unwrap();
    let text = fs::read_to_string(site.join("api/domains/example.com/summary.json")).unwrap();
    let summary: Json = serde_json::from_str(&text).unwrap();
    assert!(
        summary["messages"].is_i64(),
        "the figures stay where they were: {text}"
    );
    (page, summary["advice"].clone())
}

#[test]
fn a_domain_is_ready_when_everything_is_in_order() {
    let (page, advice) = advice(&published(
        &[record("192.0.2.10", 10, ["pass", "pass"], OWN)],
        30,
    ));
    assert_eq!(advice["verdict"], "ready", "{advice}");
    assert_eq!(
        [&advice["policy"], &advice["next_policy"]],
        [&json!("p=none"), &json!("p=quarantine")]
    );
    assert!(page.contains("<strong>Ready for p=quarantine.</strong>"));
    let reasons = advice["reasons"].as_array().unwrap();
    assert!(
        reasons.iter().all(|reason| reason["state"] != "broken"),
        "{advice}"
    );
    assert_eq!(
        reasons[0],
        json!({"place": 1, "subject": null, "reason": "days_of_data", "name": null, "state": "ok", "number": 30.0,
            "unit": "days", "bound": "at least", "threshold": 30.0})
    );
}

#[test]
fn a_reporter_that_fell_silent_is_in_the_way_whatever_the_rates_say() {
    // One of 33 messages a day is too few to matter; all of them are not.
    let lone = [record("192.0.2.10", 10, ["pass", "pass"], OWN)];
    assert_eq!(advice(&published(&lone, 22)).1["verdict"], "ready");
    let (mut mailbox, product) = (Mailbox::empty(), Product::new());
    for day in 0..30 {
        let reporter = if day < 22 {
            "big.example"
        } else {
            "other.example"
        };
        let daily = [record("192.0.2.10", 33, ["pass", "pass"], OWN)];
        mailbox.add(
            "report.xml",
            report("example.com", reporter, day, &daily).as_bytes(),
        );
    }
    assert_eq!(product.ingest(&mailbox, &mailbox.names).code, 0);
    let (page, advice) = advice(&product);
    assert_eq!(advice["verdict"], "stay", "{advice}");
    assert!(
        page.contains("Stay at p=none for now: 1 of 6 conditions for p=quarantine is not met."),
        "{advice}"
    );
}

#[test]
fn a_failing_sender_is_named_with_its_messages() {
    let failing = [
        record("192.0.2.10", 10, ["pass", "pass"], OWN),
        record("192.0.2.20", 6, ["fail", "fail"], NOTHING),
        record("203.0.113.66", 400, ["fail", "fail"], NOTHING),
    ];
    let (page, advice) = advice(&published(&failing, 30));
    assert_eq!(advice["verdict"], "fix", "{advice}");
    assert!(
        page.contains(
            "Stay at p=none. Before p=quarantine, fix Own mail servers (6 failing messages)."
        ),
        "{advice}"
    );
}

#[test]
fn strict_alignment_is_replayed_from_what_reports_say_of_signatures_and_spf() {
    let mixed = [
        record("192.0.2.10", 5, ["pass", "fail"], SIGNED_BELOW),
        record("192.0.2.10", 7, ["fail", "pass"], SENT_BELOW),
        record("203.0.113.66", 100, ["fail", "fail"], NOTHING),
    ];
    let product = published(&mixed, 30);
    let rows = product.query(&["policy_scenarios", "--param", "domains=example.com"]);
    let seen: Vec<Json> = rows
        .iter()
        .map(|row| {
            json!([
                row["policy"],
                row["quarantined"],
                row["rejected"],
                row["own"],
                row["strangers"]
            ])
        })
        .collect();
    assert_eq!(
        seen,
        [
            json!(["p=none", 0, 0, 0, 0]),
            json!(["p=quarantine sp=none", 100, 0, 0, 100]),
            json!(["p=quarantine", 100, 0, 0, 100]),
            json!(["p=reject sp=none", 0, 100, 0, 100]),
            json!(["p=reject", 0, 100, 0, 100]),
            json!(["p=reject adkim=s", 0, 105, 5, 100]),
            json!(["p=reject aspf=s", 0, 107, 7, 100]),
            json!(["p=reject adkim=s aspf=s", 0, 112, 12, 100]),
        ]
    );
}

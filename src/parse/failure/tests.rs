//! Failure reports as the mail room hands them over.

use crate::model::failure::FailureReport;
use crate::model::limits::Limits;

pub(in crate::parse) const ARF: &str = "Feedback-Type: auth-failure\r\nVersion: 1\r\nUser-Agent: Filter/1.0\r\n\
    Auth-Failure: dmarc\r\nAuthentication-Results: mx.example.org;\r\n dmarc=fail header.from=example.com\r\n\
    Original-Mail-From: <bounce@mail.example.com>\r\nArrival-Date: Tue, 14 Nov 2023 22:13:20 +0000 (GMT)\r\n\
    Source-IP: 192.0.2.1 (mail.example.com)\r\nReported-Domain: Example.com\r\nReporting-MTA: dns; mx.example.org\r\n\
    Delivery-Result: smg-policy-action\r\nIncidents: 3\r\nIdentity-Alignment: dkim (why), spf\r\n\
    DKIM-Domain: example.com\r\nDKIM-Selector: s1\r\nSPF-DNS: txt : example.com : \"v=spf1 -all\"\r\n\r\n\
    Message-ID: <m1@example.com>\r\nFrom: \"A, B\" <a@shop.example.com>\r\nSubject: secret\r\nTo: b@example.org\r\n";

const EXIM: &str = "A message claiming to be from you has failed the published DMARC policy for your domain.\n\n\
    \x20 Sender Domain: example.com\n  Sender IP Address: 192.0.2.1\n  Received date: Tue, 14 Nov 2023 23:13:20 +0100\n\
    \x20 SPF Alignment: no\n  DKIM Alignment: no\n  DMARC Results: None, Accept\n\n\
    ------ This is a copy of the headers that were received before the error was detected.\n\n\
    From: <user@example.com>\nMessage-Id: <m2@example.com>\n";

fn read(text: &str) -> FailureReport {
    super::read(text, &Limits::default()).unwrap()
}

#[test]
fn standard_report_is_read_without_subject_and_recipients() {
    let report = read(ARF);
    assert_eq!(
        (report.domain.as_str(), report.incidents),
        ("example.com", 3)
    );
    assert_eq!(report.auth_failures, ["dmarc"]);
    assert_eq!(
        report.identity_alignment.as_deref(),
        Some(&["dkim".to_owned(), "spf".to_owned()][..])
    );
    assert_eq!(
        (report.arrival_utc_secs, report.source_ip),
        (Some(1_700_000_000), "192.0.2.1".parse().ok())
    );
    assert_eq!(
        report.authentication_results,
        ["mx.example.org; dmarc=fail header.from=example.com"]
    );
    assert_eq!(report.reporting_mta.as_deref(), Some("mx.example.org"));
    assert_eq!(report.envelope_from.as_deref(), Some("mail.example.com"));
    assert_eq!(report.header_from.as_deref(), Some("shop.example.com"));
    assert_eq!(report.message_id.as_deref(), Some("m1@example.com"));
    let all = format!("{report:?}");
    assert!(!all.contains("secret") && !all.contains("b@example.org"));
}

#[test]
fn fields_are_found_in_any_case_and_with_any_line_ending() {
    let lower = ARF
        .replace("Feedback-Type", "feedback-type")
        .replace("\r\n", "\n");
    assert_eq!(read(&lower), read(ARF));
}

#[test]
fn missing_fields_have_their_defaults() {
    let report = read("Feedback-Type: auth-failure\n\nFrom: a@example.com\n");
    assert_eq!(
        (report.domain.as_str(), report.incidents, report.source_ip),
        ("example.com", 1, None)
    );
    let codes: Vec<_> = report.oddities.iter().map(|oddity| oddity.code).collect();
    assert_eq!(
        codes,
        [
            "auth-failure-missing",
            "source-ip-missing",
            "reported-domain-missing"
        ]
    );
    let none = read(
        &ARF.replace("dkim (why), spf", "none")
            .replace("<bounce@mail.example.com>", "<>"),
    );
    assert_eq!(
        (none.identity_alignment, none.envelope_from),
        (Some(vec![]), Some(String::new()))
    );
}

#[test]
fn exim_text_is_a_failure_report() {
    assert!(super::is_one(EXIM.as_bytes()));
    let report = read(EXIM);
    assert_eq!(
        (report.domain.as_str(), report.arrival_utc_secs),
        ("example.com", Some(1_700_000_000))
    );
    assert_eq!(
        (report.source_ip, report.delivery_result.as_deref()),
        ("192.0.2.1".parse().ok(), Some("accept"))
    );
    assert_eq!(
        report.identity_alignment.as_deref(),
        Some(&["dkim".to_owned(), "spf".to_owned()][..])
    );
    assert_eq!(
        (report.header_from.as_deref(), report.message_id.as_deref()),
        (Some("example.com"), Some("m2@example.com"))
    );
}

#[test]
fn lists_are_cut_together() {
    let lines =
        |name: &str, value: &str, count: usize| format!("{name}: {value}\r\n").repeat(count);
    let wide = "x".repeat(1_000);
    let report = read(&ARF.replace(
        "Incidents: 3\r\n",
        &(lines("SPF-DNS", &wide, 300)
            + &lines("Authentication-Results", &wide, 300)
            + &lines("Auth-Failure", "a", 300)),
    ));
    let lists = [
        &report.spf_dns,
        &report.authentication_results,
        &report.auth_failures,
    ];
    assert_eq!(lists.map(Vec::len), [4, 5, 200]);
    assert!(
        report
            .oddities
            .iter()
            .any(|oddity| oddity.code == "list-cut")
    );
}

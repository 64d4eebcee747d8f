//! Shapes of TLS reports.

use crate::model::limits::Limits;
use crate::model::tls::TlsReport;

pub(in crate::parse) const REPORT: &str = r#"{"organization-name":"Example Inc.","date-range":{
    "start-datetime":"2023-11-14T00:00:00Z","end-datetime":"2023-11-14T23:59:59Z"},
    "contact-info":"tls@mail.example.org","report-id":"tls-1","policies":[{
    "policy":{"policy-type":"sts","policy-string":["version: STSv1","mode: testing"],"policy-domain":"Example.COM.",
    "mx-host":["mx.example.com"]},
    "summary":{"total-successful-session-count":5326,"total-failure-session-count":303},
    "failure-details":[{"result-type":"certificate-expired","sending-mta-ip":"2001:db8::1",
    "receiving-mx-hostname":"mx.example.com","failed-session-count":100,"additional-info-uri":"https://example.org/x"}]
    }]}"#;

fn read(text: &str) -> TlsReport {
    super::read(text, &Limits::default()).unwrap()
}

fn code(text: &str) -> &'static str {
    super::read(text, &Limits::default()).unwrap_err().code
}

#[test]
fn standard_report_is_read_whole() {
    let report = read(REPORT);
    assert_eq!(
        (report.org_name.as_str(), report.org_domain.as_str()),
        ("Example Inc.", "example.org")
    );
    assert_eq!(
        (report.begin_utc_secs, report.end_utc_secs),
        (1_699_920_000, 1_700_006_399)
    );
    let policy = &report.policies[0];
    assert_eq!(
        (
            policy.domain.as_str(),
            policy.successful_sessions,
            policy.failed_sessions
        ),
        ("example.com", 5326, 303)
    );
    assert_eq!(
        (policy.policy_strings.len(), policy.mx_hosts[0].as_str()),
        (2, "mx.example.com")
    );
    assert_eq!(policy.failures[0].failed_sessions, 100);
    assert_eq!(
        policy.failures[0].additional_information.as_deref(),
        Some("https://example.org/x")
    );
    assert_eq!(report.oddities, []);
}

#[test]
fn wild_shapes_are_forgiven() {
    type Claim = (&'static str, &'static str, fn(&TlsReport) -> bool);
    let cases: [Claim; 9] = [
        ("\"tls@mail.example.org\"", "null", |r| {
            r.contact_info.is_none() && r.org_domain == "example inc."
        }),
        ("[\"mx.example.com\"]", "\"mx: MX.example.com\"", |r| {
            r.policies[0].mx_hosts == ["mx.example.com"]
        }),
        ("5326", "\"5326\"", |r| {
            r.policies[0].successful_sessions == 5326
        }),
        ("5326", "null", |r| r.policies[0].successful_sessions == 0),
        ("\"sts\"", "\"STS\"", |r| {
            r.policies[0].policy_type.as_deref() == Some("sts")
        }),
        ("\"sts\"", "\"new\"", |r| {
            r.policies[0].policy_type.as_deref() == Some("new")
        }),
        (
            "[\"version: STSv1\",\"mode: testing\"]",
            "[\"[\\\"3 1 1 A\\\",\\\"3 1 1 B\\\"]\"]",
            |r| r.policies[0].policy_strings == ["3 1 1 A", "3 1 1 B"],
        ),
        ("additional-info-uri", "additional-information", |r| {
            r.policies[0].failures[0].additional_information.is_some()
        }),
        ("\"report-id\":\"tls-1\",", "", |r| r.report_id.len() == 32),
    ];
    for (from, to, holds) in cases {
        let report = read(&REPORT.replacen(from, to, 1));
        assert!(holds(&report), "{from} -> {to}: {report:?}");
    }
    let bare = r#"{"organization-name":"x","report-id":"1","date-range":{"start-datetime":"2023-11-14T00:00:00Z"},
        "policies":[{"policy":{"policy-type":"no-policy-found"},"summary":{"total-successful-session-count":1}}]}"#;
    assert_eq!(read(bare).policies[0].successful_sessions, 1);
    assert_eq!(read(&bare.replace("[{", "[], \"x\": [{")).policies, []);
}

#[test]
fn later_reports_of_a_list_are_noted() {
    let report = read(&format!("[{REPORT},{REPORT}]"));
    assert_eq!(report.oddities[0].code, "second-report-ignored");
    assert_eq!(
        read(&format!("{REPORT}\n{REPORT}")).oddities[0].code,
        "second-report-ignored"
    );
}

#[test]
fn policies_are_compared_in_any_order() {
    let other = REPORT.replace("Example.COM.", "example.net");
    let inner =
        |text: &str| text[text.find("[{").unwrap() + 1..text.rfind(']').unwrap()].to_owned();
    let with = |a: &str, b: &str| {
        let head = &REPORT[..=REPORT.find("[{").unwrap()];
        read(&format!("{head}{},{}]}}", inner(a), inner(b))).policies_sha256
    };
    assert_eq!(with(REPORT, &other), with(&other, REPORT));
    assert_ne!(with(REPORT, REPORT), read(REPORT).policies_sha256);
}

#[test]
fn broken_reports_are_refused_by_code() {
    assert_eq!(code(&REPORT[..REPORT.len() - 9]), "json-truncated");
    assert_eq!(code(&REPORT.replacen(':', " ", 1)), "json-malformed");
    assert_eq!(code(&REPORT.replace("date-range", "x")), "period-missing");
    assert_eq!(
        code(&format!("{{\"policies\":{}", "[".repeat(200_000))),
        "limit-depth"
    );
    assert_eq!(
        code(&format!("{{\"policies\":[{}0]}}", "0,".repeat(2_000_000))),
        "limit-values"
    );
}

#[test]
fn lists_are_cut_together() {
    let long = format!(
        "[{}]",
        vec![format!("\"{}\"", "m".repeat(1_500)); 90].join(",")
    );
    let many = format!("[{}]", vec!["\"mx.example.com\""; 9_000].join(","));
    let short = format!("[{}]", vec!["\"m\""; 900].join(","));
    let nested = serde_json::json!(short).to_string();
    for (strings, hosts, expect) in [
        (&long, &many, [2, 200]),
        (&many, &long, [200, 2]),
        (&nested, &long, [200, 2]),
    ] {
        let report = read(
            &REPORT
                .replace(r#"["version: STSv1","mode: testing"]"#, strings)
                .replace(r#"["mx.example.com"]"#, hosts),
        );
        let policy = &report.policies[0];
        let lengths = [policy.policy_strings.len(), policy.mx_hosts.len()];
        assert_eq!(lengths, expect);
        assert!(
            report
                .oddities
                .iter()
                .any(|oddity| oddity.code == "list-cut")
        );
    }
}

//! What a document is, and the quirks of values. Documents are written here, in the smallest form that shows the
//! claim.

mod damage;
mod records;

use super::*;

pub(super) const METADATA: &str = "<report_metadata><org_name>Example Org</org_name><email>reports@example.org</email>\
    <report_id>id-1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range>\
    </report_metadata>\n";
pub(super) const POLICY: &str = "<policy_published><domain>example.com</domain><adkim>r</adkim><aspf>r</aspf>\
    <p>none</p><sp>none</sp><pct>100</pct></policy_published>\n";
pub(super) const RECORD: &str = "<record><row><source_ip>192.0.2.1</source_ip><count>2</count><policy_evaluated>\
    <disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>\n\
    <identifiers><header_from>example.com</header_from></identifiers><auth_results>\
    <dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>\
    <spf><domain>example.net</domain><scope>mfrom</scope><result>fail</result></spf></auth_results></record>\n";

pub(super) fn report(inner: &str) -> String {
    format!("<feedback>{inner}</feedback>")
}

pub(super) fn parse_xml(document: &[u8]) -> (AggregateHead, Vec<Record>) {
    let mut records: Vec<Record> = Vec::new();
    match parse_bytes(document, None, &Limits::default(), &mut records) {
        Ok(Report::Aggregate(head)) => (*head, records),
        other => panic!(
            "{other:?} for {}",
            String::from_utf8_lossy(&document[..document.len().min(300)])
        ),
    }
}

pub(super) fn refusal(document: &[u8]) -> Refusal {
    let mut records: Vec<Record> = Vec::new();
    parse_bytes(document, None, &Limits::default(), &mut records).unwrap_err()
}

pub(super) fn codes(head: &AggregateHead) -> Vec<&'static str> {
    head.oddities.iter().map(|oddity| oddity.code).collect()
}

/// The plain report with one piece replaced.
fn with(from: &str, to: &str) -> (AggregateHead, Record, Vec<&'static str>) {
    let plain = report(&format!("{METADATA}{POLICY}{RECORD}"));
    assert!(plain.contains(from), "{from}");
    let (head, mut records) = parse_xml(plain.replacen(from, to, 1).as_bytes());
    let codes = codes(&head);
    (head, records.remove(0), codes)
}

#[test]
fn what_is_no_report_says_so() {
    for (document, code) in [
        ("", "empty"),
        (" \r\n", "empty"),
        ("\0\0\0", "empty"),
        ("unused", "empty-report"),
        (" Unused\n", "empty-report"),
        ("Dear customer, hello", "not-a-report"),
        ("<html><body>feedback</body></html>", "not-a-report"),
        ("<!DOCTYPE html><html></html>", "not-a-report"),
        ("<?xml version=\"1.0\"?><svg/>", "not-a-report"),
        ("<feedback/>", "not-a-report"),
        ("<feedback><foo/></feedback>", "not-a-report"),
        ("{\"a\": 1}", "not-a-report"),
        ("[1, 2]", "not-a-report"),
        ("{ not json", "not-a-report"),
        ("\u{89}PNG\r\n", "not-a-report"),
        (
            "Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; a@example.com\n",
            "not-a-report",
        ),
        (
            "Feedback-Type: abuse\nUser-Agent: x\nVersion: 1\n\n",
            "not-a-report",
        ),
        ("<feedback><report_metadata/></feedback>", "period-missing"),
    ] {
        assert_eq!(refusal(document.as_bytes()).code, code, "{document:?}");
    }
}

#[test]
fn refusals_are_one_sentence_without_control_characters() {
    for document in [
        "",
        "unused",
        "<feedback><record>",
        "{\"policies\":",
        "\u{1}\u{2}",
    ] {
        let message = refusal(document.as_bytes()).message;
        assert!(
            !message.is_empty() && !message.contains(char::is_control),
            "{message:?}"
        );
    }
}

#[test]
fn timestamps_are_forgiven() {
    for (written, expect, code) in [
        ("1700000000", 1_700_000_000, None),
        (" 1700000000\n", 1_700_000_000, None),
        ("1700000000.5", 1_700_000_000, Some("timestamp-decimal")),
        (
            "1700000000000",
            1_700_000_000,
            Some("timestamp-milliseconds"),
        ),
        (
            "1700000000000000",
            1_700_000_000,
            Some("timestamp-microseconds"),
        ),
        (
            "2023-11-14T22:13:20Z",
            1_700_000_000,
            Some("timestamp-iso-8601"),
        ),
        (
            "2023-11-14 22:13:20",
            1_700_000_000,
            Some("timestamp-iso-8601"),
        ),
        (
            "2023-11-14T23:13:20+01:00",
            1_700_000_000,
            Some("timestamp-iso-8601"),
        ),
    ] {
        let (head, _, codes) = with("1700000000", written);
        assert_eq!(
            (head.begin_utc_secs, codes.first().copied()),
            (expect, code),
            "{written}"
        );
    }
}

#[test]
fn odd_periods_are_kept_and_flagged() {
    for (end, expect, code) in [
        ("1700000000", (1_700_000_000, 1_700_000_000), "period-empty"),
        (
            "1600000000",
            (1_700_000_000, 1_600_000_000),
            "period-reversed",
        ),
        (
            "99999999999",
            (1_700_000_000, 99_999_999_999),
            "timestamp-far-future",
        ),
        ("", (1_700_000_000, 1_700_000_000), "period-half"),
        (
            "soon",
            (1_700_000_000, 1_700_000_000),
            "timestamp-unreadable",
        ),
    ] {
        let (head, _, codes) = with("1700086399", end);
        assert_eq!((head.begin_utc_secs, head.end_utc_secs), expect, "{end}");
        assert_eq!(codes[0], code);
    }
    let (head, _, codes) = with("1700086399", "1702592000");
    assert_eq!((head.end_utc_secs, codes.len()), (1_702_592_000, 0));
}

#[test]
fn reporter_is_its_domain() {
    for (name, email, org_name, org_domain) in [
        (
            "Example Org",
            "a@mail.example.org",
            "Example Org",
            "example.org",
        ),
        (
            "Mail.Example.COM",
            "a@example.org",
            "Mail.Example.COM",
            "example.com",
        ),
        (
            "  ",
            "a@mail.example.org",
            "mail.example.org",
            "example.org",
        ),
        ("Example Org", "", "Example Org", "example org"),
        (
            "Example Org",
            "Reports <a@example.org>",
            "Example Org",
            "example.org",
        ),
    ] {
        let plain = report(&format!("{METADATA}{POLICY}{RECORD}"));
        let email = email.replace('<', "&lt;").replace('>', "&gt;");
        let document = plain
            .replace("Example Org", name)
            .replace("reports@example.org", &email);
        let (head, _) = parse_xml(document.as_bytes());
        assert_eq!(
            (head.org_name.as_str(), head.org_domain.as_str()),
            (org_name, org_domain),
            "{name} {email}"
        );
    }
}

#[test]
fn missing_email_is_no_problem() {
    let (head, _, codes) = with("<email>reports@example.org</email>", "");
    assert_eq!((head.org_email, codes.len()), (None, 0));
}

#[test]
fn report_id_is_stripped_or_made() {
    assert_eq!(
        with("id-1", "&lt;id-1@example.org&gt;\n").0.report_id,
        "id-1@example.org"
    );
    let (head, _, codes) = with("<report_id>id-1</report_id>", "");
    assert_eq!(
        (head.report_id.len(), codes),
        (32, vec!["report-id-missing"])
    );
    let (other, _, _) = with(
        "<report_id>id-1</report_id>",
        "<report_id> </report_id><!-- same content -->",
    );
    assert_eq!(head.report_id, other.report_id);
}

#[test]
fn errors_are_a_list() {
    let (head, _, codes) = with(
        "</report_metadata>",
        "<error>one</error><error/><error>two</error></report_metadata>",
    );
    assert_eq!(
        (head.errors, codes.len()),
        (vec!["one".to_owned(), "two".to_owned()], 0)
    );
}

#[test]
fn odd_policies_are_absent_and_never_none() {
    let (head, _, codes) = with("<p>none</p><sp>none</sp><pct>100</pct>", "<sp></sp><pct/>");
    assert_eq!((head.p, head.sp, head.pct), (None, None, None));
    assert_eq!(codes, ["policy-missing"]);
    let odd = "<p>Reject</p><sp>nil</sp><pct>many</pct><fo>0:1</fo>";
    let (head, _, codes) = with("<p>none</p><sp>none</sp><pct>100</pct>", odd);
    assert_eq!(
        (head.p.as_deref(), head.sp, head.pct, head.fo.as_deref()),
        (Some("reject"), None, None, Some("0:1"))
    );
    assert_eq!(codes, ["value-case", "value-unknown", "value-unknown"]);
    let (head, _, _) = with(
        "<adkim>r</adkim><aspf>r</aspf>",
        "<adkim>S</adkim><aspf>x</aspf>",
    );
    assert_eq!((head.adkim.as_deref(), head.aspf), (Some("s"), None));
}

#[test]
fn schema_is_a_label_with_evidence() {
    assert_eq!(with("id-1", "id-1").0.schema, "rfc7489");
    assert_eq!(
        with("<pct>", "<np>none</np><pct>").0.schema,
        "rfc7489",
        "np alone is older than RFC 9990"
    );
    assert_eq!(
        with(
            "<feedback>",
            "<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0'>"
        )
        .0
        .schema,
        "rfc9990"
    );
    let (head, _, _) = with(
        "<pct>",
        "<np>reject</np><testing>y</testing><discovery_method>psl</discovery_method><pct>",
    );
    assert_eq!(
        (head.schema, head.np.as_deref(), head.testing),
        ("rfc9990", Some("reject"), Some(true))
    );
    assert_eq!(head.discovery_method.as_deref(), Some("psl"));
    assert_eq!(
        with("<disposition>none", "<disposition>pass").0.schema,
        "rfc9990"
    );
}

#[test]
fn report_without_records_or_messages_is_a_report() {
    let (head, records) = parse_xml(report(&format!("{METADATA}{POLICY}")).as_bytes());
    assert_eq!(
        (
            head.record_count,
            head.messages,
            records.len(),
            codes(&head)
        ),
        (0, 0, 0, vec!["no-records"])
    );
    let null = RECORD
        .replace("192.0.2.1", "")
        .replace("<count>2", "<count>0");
    let (head, records) = parse_xml(report(&format!("{METADATA}{POLICY}{null}")).as_bytes());
    assert_eq!(
        (head.record_count, head.messages, records[0].source_ip),
        (1, 0, None)
    );
    assert_eq!(codes(&head), ["source-ip-missing"]);
}

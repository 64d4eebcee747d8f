//! What a document is, and the quirks of values. Documents are written here, in the smallest form that shows the
//! claim.

use proptest::prelude::*;

use super::*;
use crate::model::aggregate::Disposition;

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

#[test]
fn counts_are_forgiven() {
    for (written, expect, code) in [
        ("2", 2, None),
        ("3.0", 3, Some("count-decimal")),
        ("", 0, Some("count-missing")),
        ("5000000000", 5_000_000_000, None),
        (
            "99999999999999999999999",
            i64::MAX as u64,
            Some("count-huge"),
        ),
        ("-1", 0, Some("count-negative")),
        ("many", 0, Some("count-unreadable")),
    ] {
        let (_, record, codes) = with("<count>2", &format!("<count>{written}"));
        assert_eq!(
            (record.messages, codes.first().copied()),
            (expect, code),
            "{written}"
        );
    }
}

#[test]
fn sums_do_not_overflow() {
    let record = RECORD.replace("<count>2", "<count>9223372036854775807");
    let (head, _) = parse_xml(report(&format!("{METADATA}{POLICY}{record}{record}")).as_bytes());
    assert_eq!(
        (head.messages, head.passed),
        (i64::MAX as u64, i64::MAX as u64)
    );
}

#[test]
fn source_addresses_are_canonical_or_absent() {
    for (written, expect, code) in [
        ("192.0.2.1", Some("192.0.2.1"), None),
        (" 192.0.2.1\n", Some("192.0.2.1"), None),
        ("2001:DB8:0:0::1", Some("2001:db8::1"), None),
        (
            "::ffff:192.0.2.1",
            Some("192.0.2.1"),
            Some("source-ip-mapped"),
        ),
        (
            "192.0.2.1 (mail.example.com)",
            Some("192.0.2.1"),
            Some("source-ip-decorated"),
        ),
        (
            "[2001:db8::1]",
            Some("2001:db8::1"),
            Some("source-ip-decorated"),
        ),
        ("fe80::1%eth0", Some("fe80::1"), Some("source-ip-decorated")),
        ("mail.example.com", None, Some("source-ip-unusable")),
        ("", None, Some("source-ip-missing")),
    ] {
        let (_, record, codes) = with("<source_ip>192.0.2.1", &format!("<source_ip>{written}"));
        let expect = expect.map(|ip| ip.parse().unwrap());
        assert_eq!(
            (record.source_ip, codes.first().copied()),
            (expect, code),
            "{written}"
        );
    }
    let (head, record, codes) = with("<source_ip>192.0.2.1</source_ip>", "");
    assert_eq!(
        (head.record_count, record.source_ip, codes),
        (1, None, vec!["source-ip-missing"])
    );
}

#[test]
fn dispositions_are_known_or_absent() {
    for (written, expect, code) in [
        ("pass", Some(Disposition::Pass), None),
        (
            "Quarantine",
            Some(Disposition::Quarantine),
            Some("value-case"),
        ),
        ("15", None, Some("disposition-unknown")),
        ("nil", None, Some("disposition-unknown")),
        ("", None, Some("disposition-missing")),
    ] {
        let (_, record, codes) = with("<disposition>none", &format!("<disposition>{written}"));
        assert_eq!(
            (record.disposition, codes.first().copied()),
            (expect, code),
            "{written}"
        );
    }
}

#[test]
fn only_pass_is_a_pass() {
    for (written, expect, code) in [
        ("Pass", true, Some("value-case")),
        ("fail", false, None),
        ("", false, Some("evaluated-missing")),
        ("none", false, Some("evaluated-unknown")),
        ("softfail", false, Some("evaluated-unknown")),
    ] {
        let (_, record, codes) = with("<dkim>pass</dkim>", &format!("<dkim>{written}</dkim>"));
        assert_eq!(
            (record.dkim_aligned, codes.first().copied()),
            (expect, code),
            "{written}"
        );
    }
    let (head, record, codes) = with("<dkim>pass</dkim><spf>fail</spf>", "");
    assert_eq!((record.dmarc_pass(), head.passed), (false, 0));
    assert_eq!(codes, ["evaluated-missing", "evaluated-missing"]);
}

#[test]
fn results_are_mapped_and_unknown_ones_absent() {
    for (written, expect, code) in [
        ("hardfail", Some("fail"), Some("result-synonym")),
        ("unknown", Some("temperror"), Some("result-synonym")),
        ("error", Some("permerror"), Some("result-synonym")),
        ("invalid", Some("permerror"), Some("result-synonym")),
        ("neutral", Some("neutral"), None),
        ("SoftFail", Some("softfail"), Some("value-case")),
        ("banana", None, Some("result-unknown")),
    ] {
        let from = "<scope>mfrom</scope><result>fail";
        let (_, record, codes) = with(from, &format!("<scope>mfrom</scope><result>{written}"));
        assert_eq!(
            (record.spf[0].result.as_deref(), codes.first().copied()),
            (expect, code),
            "{written}"
        );
    }
}

#[test]
fn thin_auth_results_keep_the_row() {
    let from = "<domain>example.net</domain><scope>mfrom</scope>";
    let (_, record, codes) = with(from, "");
    assert_eq!(
        (
            record.spf.len(),
            record.spf[0].domain.as_deref(),
            record.spf[0].scope.as_deref()
        ),
        (1, None, None)
    );
    assert_eq!(codes.len(), 0);
    let (_, record, _) = with("<selector>s1</selector>", "<selector></selector>");
    assert_eq!(record.dkim[0].selector, None);
    let start = RECORD.find("<auth_results>").unwrap();
    let end = RECORD.find("</record>").unwrap();
    for auth_results in [
        "",
        "<auth_results/>",
        "<auth_results><dkim/></auth_results>",
    ] {
        let record = format!("{}{auth_results}{}", &RECORD[..start], &RECORD[end..]);
        let (head, records) = parse_xml(report(&format!("{METADATA}{POLICY}{record}")).as_bytes());
        assert_eq!(
            (head.passed, records[0].dkim.len(), records[0].spf.len()),
            (2, 0, 0)
        );
    }
}

#[test]
fn several_results_are_lists_and_count_once() {
    let dkim = "<dkim><domain>example.com</domain><result>pass</result></dkim>";
    let (head, record, _) = with("<auth_results>", &format!("<auth_results>{dkim}{dkim}"));
    assert_eq!((head.messages, record.dkim.len()), (2, 3));
}

#[test]
fn reasons_are_a_list_without_empty_ones() {
    let reasons = "</spf><reason/><reason><type></type><comment></comment></reason>\
        <reason><type>local_policy</type><comment>arc=pass</comment></reason>\
        <reason><type>sunshine</type></reason><reason><comment>only this</comment></reason></policy_evaluated>";
    let (_, record, codes) = with("</spf></policy_evaluated>", reasons);
    let kinds: Vec<_> = record
        .reasons
        .iter()
        .map(|reason| (reason.kind.as_str(), reason.comment.as_deref()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("local_policy", Some("arc=pass")),
            ("other", None),
            ("other", Some("only this"))
        ]
    );
    assert_eq!(codes, ["reason-empty", "reason-empty", "reason-unknown"]);
}

#[test]
fn identities_are_identifiers() {
    let (_, record, codes) = with(
        "<identifiers><header_from>example.com</header_from></identifiers>",
        "<identities><header_from>Mail.Example.COM.</header_from></identities>",
    );
    assert_eq!(
        (record.header_from.as_deref(), codes),
        (
            Some("mail.example.com"),
            vec!["name-alias", "name-alias"][..1].to_vec()
        )
    );
}

#[test]
fn domains_are_normalised_and_may_be_missing() {
    assert_eq!(
        with(
            "<header_from>example.com",
            "<header_from>B\u{fc}cher.Example."
        )
        .1
        .header_from
        .as_deref(),
        Some("xn--bcher-kva.example")
    );
    let (_, record, codes) = with("<header_from>example.com</header_from>", "");
    assert_eq!(
        (record.header_from, codes),
        (None, vec!["header-from-missing"])
    );
    let document = report(&format!(
        "{METADATA}{}{RECORD}",
        POLICY.replace("example.com", "")
    ));
    for (file_name, expect) in [
        (
            Some("in/a.zip!example.org!Example.NET!1700000000!1700086399.xml"),
            "example.net",
        ),
        (Some("report.xml"), ""),
        (None, ""),
    ] {
        let mut records: Vec<Record> = Vec::new();
        match parse_bytes(
            document.as_bytes(),
            file_name,
            &Limits::default(),
            &mut records,
        )
        .unwrap()
        {
            Report::Aggregate(head) => assert_eq!(head.domain, expect),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn null_sender_differs_from_a_missing_one() {
    for (written, expect) in [
        ("", None),
        ("<envelope_from/>", Some("")),
        ("<envelope_from>&lt;&gt;</envelope_from>", Some("")),
        (
            "<envelope_from>Bounces.Example.com</envelope_from>",
            Some("bounces.example.com"),
        ),
        (
            "<envelope_from>a@example.com</envelope_from>",
            Some("example.com"),
        ),
    ] {
        let (_, record, _) = with("<identifiers>", &format!("<identifiers>{written}"));
        assert_eq!(record.envelope_from.as_deref(), expect, "{written}");
    }
}

#[test]
fn evaluated_pass_without_any_raw_pass_is_flagged_and_trusted() {
    let (head, record, codes) = with("s1</selector><result>pass", "s1</selector><result>fail");
    assert_eq!(
        (record.dkim_aligned, head.passed, codes),
        (true, 2, vec!["evaluated-contradicts-results"])
    );
}

#[test]
fn hostile_text_stays_text() {
    let (head, _, _) = with("Example Org", "&lt;script&gt;=cmd|'/c'&#27;[31m");
    assert_eq!(head.org_name, "<script>=cmd|'/c'\u{1b}[31m");
}

#[test]
fn fingerprint_tells_revisions_from_duplicates() {
    let other = RECORD.replace("192.0.2.1", "192.0.2.2");
    let of = |records: &[&str]| {
        parse_xml(report(&format!("{METADATA}{POLICY}{}", records.concat())).as_bytes())
            .0
            .records_sha256
    };
    assert_eq!(of(&[RECORD, &other]), of(&[&other, RECORD]));
    assert_eq!(
        of(&[RECORD]),
        of(&[&RECORD.replace("example.com", "Example.COM.")])
    );
    assert_ne!(
        of(&[RECORD]),
        of(&[&RECORD.replace("<count>2", "<count>3")])
    );
}

/// Answers or refuses; whatever the bytes are, it does not panic.
fn any_answer(bytes: &[u8]) {
    let mut records: Vec<Record> = Vec::new();
    match parse_bytes(
        bytes,
        Some("a!example.com!1!2.xml"),
        &Limits::default(),
        &mut records,
    ) {
        Ok(Report::Aggregate(head)) => assert_eq!(head.record_count, records.len() as u64),
        Ok(_) => {}
        Err(refusal) => assert!(!refusal.code.is_empty() && !refusal.message.is_empty()),
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        any_answer(&bytes);
    }

    #[test]
    fn any_markup_gets_an_answer(text in "(<|>|/|&|;|!|--|\\[|\\]|\"|'|\\?|=| |feedback|record|row|dkim|spf|p|count|1|ä|\\x00){0,200}") {
        any_answer(format!("<feedback>{text}").as_bytes());
        any_answer(format!("{{\"policies\":{text}").as_bytes());
        any_answer(format!("Feedback-Type: auth-failure\n{text}").as_bytes());
    }

    #[test]
    fn any_damage_gets_an_answer(
        kind in 0_usize..3,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..4), 1..6),
    ) {
        let xml = report(&format!("{METADATA}{POLICY}{RECORD}{RECORD}"));
        let sample = [xml.as_str(), super::tls::tests::REPORT, super::failure::tests::ARF][kind];
        let mut bytes = sample.as_bytes().to_vec();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match how {
                0 if !bytes.is_empty() => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ if !bytes.is_empty() => { bytes.remove(at); }
                _ => {}
            }
        }
        any_answer(&bytes);
    }
}

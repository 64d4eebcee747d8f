//! The quirks of values in records.

use super::*;
use crate::model::aggregate::Disposition;

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
            (record.spf[0].result, codes.first().copied()),
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
            record.spf[0].scope
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
        .map(|reason| (reason.kind, reason.comment.as_deref()))
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

//! The quirks of XML: how a report is written, from its bytes to its structure.

mod bounds;
mod tokens;

use super::*;
use crate::parse::tests::{METADATA, POLICY, RECORD, codes, parse_xml, refusal, report};

fn minimal() -> String {
    report(&format!("{METADATA}{POLICY}{RECORD}"))
}

/// The document says the same as the plain one, with these oddities.
fn same_as_plain(document: &[u8], oddities: &[&str]) {
    let shown = String::from_utf8_lossy(&document[..document.len().min(200)]).into_owned();
    let (plain, plain_records) = parse_xml(minimal().as_bytes());
    let (head, records) = parse_xml(document);
    assert_eq!(codes(&head), oddities, "{shown}");
    assert_eq!(records, plain_records, "{shown}");
    assert_eq!(
        AggregateHead {
            oddities: vec![],
            schema: plain.schema,
            ..head
        },
        plain,
        "{shown}"
    );
}

#[test]
fn plain_report_has_no_oddity() {
    same_as_plain(minimal().as_bytes(), &[]);
}

#[test]
fn namespaces_prefixes_and_case_are_ignored() {
    let plain = minimal();
    let default = plain.replace(
        "<feedback>",
        r#"<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">"#,
    );
    same_as_plain(default.as_bytes(), &[]);
    let xsd = r#"<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="http://dmarc.org/dmarc-xml/0.1">"#;
    same_as_plain(plain.replace("<feedback>", xsd).as_bytes(), &[]);
    let prefixed = plain
        .replace("</", "\u{1}")
        .replace('<', "<d:")
        .replace('\u{1}', "</d:");
    same_as_plain(prefixed.as_bytes(), &[]);
    let upper = plain
        .replace("<org_name>", "<ORG_NAME>")
        .replace("</org_name>", "</ORG_NAME>");
    same_as_plain(upper.as_bytes(), &["name-case"]);
}

#[test]
fn declaration_and_white_space_are_optional() {
    let plain = minimal();
    same_as_plain(format!("\n  {plain}\t\n").as_bytes(), &[]);
    same_as_plain(format!(" <?xml version=\"1.0\"?>{plain}").as_bytes(), &[]);
    same_as_plain(plain.replace('\n', "").as_bytes(), &[]);
    same_as_plain(plain.replace('\n', "\t\r\n").as_bytes(), &[]);
    same_as_plain(
        plain
            .replace("<org_name>", "<!-- a <b> --><org_name>")
            .as_bytes(),
        &[],
    );
}

#[test]
fn version_never_decides() {
    for version in [
        "",
        "<version>1</version>",
        "<version>1.0</version>",
        "<version>2.0</version>",
        "<version/>",
    ] {
        same_as_plain(
            minimal()
                .replace("<feedback>", &format!("<feedback>{version}"))
                .as_bytes(),
            &[],
        );
    }
}

#[test]
fn encodings_are_mark_then_utf8_then_declared_then_windows_1252() {
    let named = |name: &str| minimal().replace("Example Org", name);
    let org = |bytes: &[u8]| parse_xml(bytes).0.org_name;
    let utf16 = |text: &str, mark: &[u8]| {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        mark.iter().copied().chain(units).collect::<Vec<u8>>()
    };
    assert_eq!(
        org([b"\xef\xbb\xbf", named("Bücher").as_bytes()]
            .concat()
            .as_slice()),
        "Bücher"
    );
    assert_eq!(org(&utf16(&named("Bücher"), b"\xff\xfe")), "Bücher");
    assert_eq!(org(&utf16(&named("Bücher"), b"")), "Bücher");
    let latin = |declaration: &str| {
        let text = format!("{declaration}{}", named("B\u{1}cher"));
        text.bytes()
            .map(|byte| if byte == 1 { 0xfc } else { byte })
            .collect::<Vec<u8>>()
    };
    let declared = latin("<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>");
    assert_eq!(org(&declared), "Bücher");
    assert_eq!(codes(&parse_xml(&declared).0), [] as [&str; 0]);
    let wrong = latin("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    assert_eq!(org(&wrong), "Bücher");
    assert_eq!(codes(&parse_xml(&wrong).0), ["encoding-windows-1252"]);
    let utf8_despite = format!(
        "<?xml version=\"1.0\" encoding=\"shift_jis\"?>{}",
        named("Bücher")
    );
    assert_eq!(org(utf8_despite.as_bytes()), "Bücher");
    assert_eq!(
        codes(&parse_xml(utf8_despite.as_bytes()).0),
        ["encoding-declared-wrong"]
    );
}

#[test]
fn junk_before_the_root_is_passed_over() {
    let plain = minimal();
    let schema = r#"<?xml version="1.0"?> <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">"#;
    same_as_plain(format!("{schema}{plain}").as_bytes(), &["junk-before-root"]);
    same_as_plain(
        format!("{schema}\n{plain}</xs:schema>").as_bytes(),
        &["junk-before-root", "trailing-bytes"],
    );
    same_as_plain(
        format!("<?xml version=\"1.0\"?>\"{plain}").as_bytes(),
        &["junk-before-root"],
    );
    same_as_plain(
        format!("Here is your report: {plain}").as_bytes(),
        &["junk-before-root"],
    );
}

#[test]
fn what_follows_the_root_is_noted() {
    let plain = minimal();
    same_as_plain(format!("{plain}\0\0\0").as_bytes(), &["trailing-nul"]);
    same_as_plain(
        format!("{plain}<<junk & more").as_bytes(),
        &["trailing-bytes"],
    );
    same_as_plain(
        format!("{plain}{plain}").as_bytes(),
        &["second-report-ignored"],
    );
}

#[test]
fn raw_markup_in_values_is_text() {
    let email = |value: &str| {
        let document = minimal().replace("reports@example.org", value);
        let (head, records) = parse_xml(document.as_bytes());
        assert_eq!(records.len(), 1, "{value}");
        (
            head.org_email.clone().unwrap_or_default(),
            codes(&head).first().copied().unwrap_or("").to_owned(),
        )
    };
    for (written, expect, code) in [
        ("<a@example.org>", "<a@example.org>", "raw-angle"),
        ("a<example.org", "a<example.org", "raw-angle"),
        ("a < b > c", "a < b > c", "raw-angle"),
        ("<example>", "<example>", "raw-angle"),
        ("see <p> here", "see <p> here", "raw-angle"),
        ("a > b", "a > b", ""),
        ("a & b", "a & b", "raw-ampersand"),
        ("a&b", "a&b", "raw-ampersand"),
        ("a &nbsp; b", "a &nbsp; b", "entity-unknown"),
        ("a &amp; b &lt;&#65;&#x42;&gt;", "a & b <AB>", ""),
        ("<![CDATA[a & <b>]]>", "a & <b>", ""),
        ("a<!-- x -->b", "ab", ""),
        (
            "a &#0; &#xffffffff; b",
            "a &#0; &#xffffffff; b",
            "entity-unknown",
        ),
    ] {
        assert_eq!(
            email(written),
            (expect.to_owned(), code.to_owned()),
            "{written}"
        );
    }
}

#[test]
fn repair_reads_each_record_once() {
    let records = RECORD.repeat(50);
    let document = report(&format!(
        "{METADATA}{POLICY}{records}{}",
        RECORD.replace("192.0.2.1", "<a@b>")
    ));
    let (head, records) = parse_xml(document.as_bytes());
    assert_eq!((head.record_count, records.len()), (51, 51));
    assert_eq!(records[50].source_ip, None);
}

#[test]
fn missing_end_tags_are_closed_unless_a_record_is_open() {
    let plain = minimal();
    let (head, records) = parse_xml(plain.replace("</org_name>", "").as_bytes());
    assert_eq!((head.org_name.as_str(), records.len()), ("Example Org", 1));
    assert!(codes(&head).contains(&"end-tag-missing"));
    let (_, records) = parse_xml(plain.replace("</policy_published>", "").as_bytes());
    assert_eq!(records.len(), 1);
    let open = report(&format!(
        "{METADATA}{POLICY}{}{RECORD}",
        RECORD.replace("</record>", "")
    ));
    assert_eq!(refusal(open.as_bytes()).code, "xml-malformed");
}

#[test]
fn cut_report_counts_only_when_no_record_is_open() {
    let plain = minimal();
    let end = plain.len() - "</feedback>".len();
    for len in [end, end + 1, end + 2, end + 7, end + 10] {
        same_as_plain(&plain.as_bytes()[..len], &["end-missing"]);
    }
    for len in 1..end - 1 {
        let refused = refusal(&plain.as_bytes()[..len]);
        let expect = if len <= "<feedback".len() {
            "not-a-report"
        } else {
            "xml-truncated"
        };
        assert_eq!(refused.code, expect, "cut at {len}");
    }
    let second = format!("{}<rec", &plain[..end]);
    assert_eq!(refusal(second.as_bytes()).code, "xml-truncated");
}

#[test]
fn doctype_is_refused_and_never_expanded() {
    let bomb = "<!DOCTYPE feedback [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>";
    assert_eq!(
        refusal(format!("<?xml version=\"1.0\"?>{bomb}{}", minimal()).as_bytes()).code,
        "doctype"
    );
    assert_eq!(
        refusal(format!("<!doctype x>{}", minimal()).as_bytes()).code,
        "doctype"
    );
    let broken = minimal().replace("Example Org", "<a@b>");
    assert_eq!(
        refusal(format!("<!DOCTYPE x>{broken}").as_bytes()).code,
        "doctype"
    );
}

#[test]
fn elements_come_in_any_order() {
    let (plain, plain_records) = parse_xml(minimal().as_bytes());
    for parts in [
        [RECORD, POLICY, METADATA],
        [POLICY, RECORD, METADATA],
        [METADATA, RECORD, POLICY],
    ] {
        let (head, records) = parse_xml(report(&parts.concat()).as_bytes());
        assert_eq!((head, records), (plain.clone(), plain_records.clone()));
    }
    let turned = "<record><auth_results><spf><result>fail</result><domain>example.com</domain></spf>\
        <dkim><result>pass</result><domain>example.com</domain></dkim>\
        <spf><scope>helo</scope><result>pass</result></spf></auth_results>\
        <identifiers><header_from>example.com</header_from></identifiers>\
        <row><policy_evaluated><spf>fail</spf><dkim>pass</dkim><disposition>none</disposition></policy_evaluated>\
        <count>3</count><source_ip>192.0.2.7</source_ip></row></record>";
    let (head, records) =
        parse_xml(report(&format!("{turned}{METADATA}{RECORD}{POLICY}")).as_bytes());
    assert_eq!(codes(&head), [] as [&str; 0]);
    assert_eq!(
        (
            records[0].messages,
            records[0].spf.len(),
            records[0].dkim.len()
        ),
        (3, 2, 1)
    );
}

#[test]
fn alignment_uses_the_policy_even_where_it_comes_last() {
    let strict = POLICY.replace("<adkim>r", "<adkim>s");
    let record = RECORD.replace(
        "<dkim><domain>example.com",
        "<dkim><domain>mail.example.com",
    );
    let aligned =
        |parts: &[&str]| parse_xml(report(&parts.concat()).as_bytes()).1[0].dkim[0].aligned;
    assert!(aligned(&[METADATA, &record, POLICY]));
    assert!(!aligned(&[METADATA, &strict, &record]));
    assert!(!aligned(&[METADATA, &record, &strict]));
}

#[test]
fn unknown_elements_and_extensions_are_passed_over() {
    let unknown = format!("{METADATA}<foo><count>9</count></foo>{POLICY}{RECORD}");
    same_as_plain(report(&unknown).as_bytes(), &["element-unknown"]);
    let extension = format!(
        "{METADATA}{POLICY}<extension><x:a xmlns:x=\"urn:x\"><record/></x:a></extension>{RECORD}"
    );
    same_as_plain(report(&extension).as_bytes(), &[]);
    let inside = minimal().replace(
        "</auth_results>",
        "</auth_results><x:arc><spf>pass</spf></x:arc>",
    );
    same_as_plain(inside.as_bytes(), &[]);
    let lang = minimal().replace("<org_name>", "<org_name lang=\"en\" x='>'>");
    same_as_plain(lang.as_bytes(), &[]);
}

#[test]
fn repeated_sections_and_fields_keep_the_first() {
    let twice = format!(
        "{METADATA}{POLICY}{}{RECORD}",
        POLICY.replace("none", "reject")
    );
    same_as_plain(report(&twice).as_bytes(), &["section-repeated"]);
    let field = minimal().replace("<email>", "<org_name>Other</org_name><email>");
    same_as_plain(field.as_bytes(), &["field-repeated"]);
}

//! Limits, hostile sizes, and documents that are read from a stream.

use std::io::{BufRead, BufReader, Cursor};

use super::*;
use crate::model::aggregate::Record;
use crate::parse::{Report, parse_stream};

#[test]
fn limits_refuse_with_their_code() {
    let with = |limits: Limits, document: &str| {
        let mut records: Vec<Record> = Vec::new();
        crate::parse::parse_bytes(document.as_bytes(), None, &limits, &mut records)
            .unwrap_err()
            .code
    };
    let default = Limits::default;
    let nested = report(&format!(
        "{}{}",
        "<a>".repeat(200_000),
        "</a>".repeat(200_000)
    ));
    assert_eq!(with(default(), &nested), "limit-depth");
    let two = report(&format!("{METADATA}{POLICY}{RECORD}{RECORD}"));
    assert_eq!(
        with(
            Limits {
                records: 1,
                ..default()
            },
            &two
        ),
        "limit-records"
    );
    let dkim = "<dkim><domain>example.com</domain><result>pass</result></dkim>".repeat(300);
    let many = minimal().replace("<auth_results>", &format!("<auth_results>{dkim}"));
    assert_eq!(with(default(), &many), "limit-results");
    let name = report(&format!("<{}/>", "a".repeat(100_000)));
    assert_eq!(with(default(), &name), "limit-tag");
    let attributes = report(&format!("<a b=\"{}\"/>", "a".repeat(100_000)));
    assert_eq!(with(default(), &attributes), "limit-tag");
}

#[test]
fn long_text_is_cut_at_a_character() {
    let long = minimal().replace("Example Org", &"ä".repeat(3_000_000));
    let (head, _) = parse_xml(long.as_bytes());
    assert_eq!(head.org_name.len(), 1024);
    assert_eq!(codes(&head), ["text-cut"]);
}

#[test]
fn the_texts_of_a_record_are_cut_together_and_the_next_record_is_whole() {
    let long = "x".repeat(4000);
    let spf = format!("<spf><domain>example.com</domain><human_result>{long}</human_result></spf>");
    let wide = RECORD.replace(
        "<auth_results>",
        &format!("<auth_results>{}", spf.repeat(100)),
    );
    let document = report(&format!("{METADATA}{wide}{RECORD}{POLICY}"));
    let (head, records) = parse_xml(document.as_bytes());
    let kept = |of: usize| -> usize {
        let texts = records[of].spf.iter();
        (texts
            .filter_map(|spf| spf.human_result.as_deref())
            .map(str::len))
        .sum()
    };
    assert!((8_000..=16_384).contains(&kept(0)), "{}", kept(0));
    assert!(codes(&head).contains(&"text-cut"));
    let (_, alone) = parse_xml(report(&format!("{METADATA}{RECORD}{POLICY}")).as_bytes());
    assert_eq!(records[1].dkim, alone[0].dkim);
    assert_eq!(head.domain, "example.com");
}

#[test]
fn the_errors_of_a_report_are_cut_together() {
    let errors = format!("<error>{}</error>", "x".repeat(1000)).repeat(100);
    let metadata = METADATA.replace("</report_metadata>", &(errors + "</report_metadata>"));
    let (head, records) = parse_xml(report(&format!("{metadata}{POLICY}{RECORD}")).as_bytes());
    assert_eq!(head.errors.len(), 4);
    assert!(codes(&head).contains(&"errors-cut"));
    assert_eq!(records.len(), 1);
}

#[test]
fn hostile_markup_takes_linear_time() {
    for piece in [
        "<!--",
        "<![CDATA[",
        "<?",
        "<a",
        "<",
        "&",
        "<!DOCTYPE ",
        "&a",
        "</a",
    ] {
        let document = format!("<feedback>{}", piece.repeat(1 << 16));
        refusal(document.as_bytes());
    }
}

#[test]
fn streamed_document_reads_like_one_in_memory() {
    let records = RECORD.repeat(3_000);
    let plain = report(&format!("{METADATA}{POLICY}{records}"));
    let raw_angle = plain.replacen("<selector>s1", "<selector><s@1>", 1);
    let cut = plain[..plain.len() - 5].to_owned();
    let latin: Vec<u8> = plain
        .replacen("Example Org", "B\u{1}cher", 1)
        .bytes()
        .map(|b| if b == 1 { 0xfc } else { b })
        .collect();
    for document in [
        plain.clone().into_bytes(),
        raw_angle.into_bytes(),
        cut.into_bytes(),
        latin,
        format!("{plain}\0").into_bytes(),
    ] {
        let mut records: Vec<Record> = Vec::new();
        let open = || {
            Ok(Box::new(BufReader::with_capacity(777, Cursor::new(&document))) as Box<dyn BufRead>)
        };
        let streamed = parse_stream(&open, None, &Limits::default(), &mut records);
        let (head, expect) = parse_xml(&document);
        assert_eq!(streamed, Ok(Report::Aggregate(Box::new(head))));
        assert_eq!(records, expect);
    }
}

#[test]
fn streamed_line_without_end_is_refused() {
    let line = report(&format!(
        "<report_metadata><org_name>{}",
        "a".repeat(9 << 20)
    ));
    let mut records: Vec<Record> = Vec::new();
    let open = || Ok(Box::new(Cursor::new(line.as_bytes())) as Box<dyn BufRead>);
    let refused = parse_stream(&open, None, &Limits::default(), &mut records).unwrap_err();
    assert_eq!(refused.code, "limit-token");
}

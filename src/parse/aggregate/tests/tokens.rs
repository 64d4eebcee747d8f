//! Tags and text in their bytes: what a token is, and where a window may end.

use super::*;
use crate::model::aggregate::Record;
use crate::parse::aggregate::builder::{Attempt, Builder, Tolerance};
use crate::parse::aggregate::stop::Stop;
use crate::parse::aggregate::tokens;

/// All that can stand in a document, around a report that says the same as the plain one.
fn decorated() -> String {
    let document = minimal()
        .replace("<feedback>", "<feedback a='>' b=\"it's > <that\"\n>")
        .replace(
            "Example Org",
            "Ex<!-- <x> -- > -->am<![CDATA[ple]]>&#x20;&#79;rg",
        )
        .replace("<record>", "<record ><?note a > b?>")
        .replace("</record>", "<ä/><x:y z=\"é\"/></record\t>");
    format!("<?xml version=\"1.0\"?>\n<!-- é -->{document}")
}

#[test]
fn comments_sections_instructions_references_and_quoted_marks_are_read() {
    same_as_plain(decorated().as_bytes(), &["element-unknown"]);
}

#[test]
fn a_document_reads_the_same_wherever_its_window_ends() {
    let limits = Limits::default();
    let strict = decorated();
    let lenient = strict
        .replace("pass</result>", "pass</result><</dkim")
        .replace("ple]]>", "ple]]>&");
    for (document, tolerance) in [(strict, Tolerance::Strict), (lenient, Tolerance::Lenient)] {
        let read = |cut: usize| {
            let mut records: Vec<Record> = Vec::new();
            let mut builder = Builder::new(Attempt {
                limits: &limits,
                sink: &mut records,
                tolerance,
                modes: None,
            });
            let bytes = document.as_bytes();
            let used = tokens::feed(&bytes[..cut], false, &mut builder)?;
            tokens::feed(&bytes[used..], true, &mut builder)?;
            Ok::<_, Stop>((builder.finish(None)?, records))
        };
        let whole = read(0).unwrap();
        for cut in 0..document.len() {
            let cut_in_two = read(cut).unwrap();
            assert_eq!(cut_in_two, whole, "{tolerance:?} at byte {cut}");
        }
    }
}

#[test]
fn a_stray_mark_before_the_root_does_not_hide_the_report() {
    for junk in ["<", "<<", "< a", "<1>", "</ x>", "<a <b>"] {
        let document = format!("{junk}{}", minimal());
        let (head, records) = parse_xml(document.as_bytes());
        assert_eq!(records.len(), 1, "{junk}");
        assert!(codes(&head).contains(&"junk-before-root"), "{junk}");
    }
}

#[test]
fn bytes_behind_the_root_say_nothing_of_the_encoding() {
    let document = [
        minimal().replace("Example Org", "Bücher").as_bytes(),
        b"\xff\xfe\0",
    ]
    .concat();
    let (head, _) = parse_xml(&document);
    assert_eq!(head.org_name, "Bücher");
    assert_eq!(codes(&head), ["trailing-bytes"]);
}

#[test]
fn records_behind_a_comment_that_never_ends_are_not_lost_in_silence() {
    let document = minimal();
    let end = document.rfind("</feedback>").unwrap();
    let record = &document[document.find("<record>").unwrap()..end];
    for begin in ["<!--", "<![CDATA["] {
        let cut = format!("{}{begin} cut", &document[..end]);
        let (head, _) = parse_xml(cut.as_bytes());
        assert!(codes(&head).contains(&"end-missing"), "{begin}");
        let hidden = format!("{cut} {record}</feedback>");
        assert_eq!(refusal(hidden.as_bytes()).code, "xml-truncated", "{begin}");
    }
}

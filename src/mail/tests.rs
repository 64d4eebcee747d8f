//! One test a row of the table of mail quirks, on mails written here.

mod failures;

use super::decode::base64;
use super::*;

const XML: &str = "<?xml version=\"1.0\"?>\n<feedback><report_metadata/></feedback>";

fn encode(bytes: &[u8]) -> String {
    use ::base64::Engine;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Something that is gzip by its magic number.
fn packed() -> Vec<u8> {
    [&[0x1f, 0x8b, 8, 0], [b'x'; 80].as_slice()].concat()
}

fn mail(header: &str, body: &str) -> String {
    format!(
        "From: reports@example.net\r\nSubject: Report\r\nMIME-Version: 1.0\r\n{header}\r\n\r\n{body}\r\n"
    )
}

fn multipart(kind: &str, parts: &[&str]) -> String {
    let mut body = String::from("preamble\r\n");
    for part in parts {
        body.push_str(&format!("--b1\r\n{part}\r\n"));
    }
    mail(
        &format!("Content-Type: multipart/{kind}; boundary=\"b1\""),
        &format!("{body}--b1--"),
    )
}

fn found(mail: &str) -> Vec<Result<Part, (String, Refusal)>> {
    parts(mail.as_bytes(), &Limits::default())
}

/// Paths of the parts, or path and code of what was refused.
fn outline(mail: &str) -> Vec<String> {
    let line = |part: Result<Part, (String, Refusal)>| match part {
        Ok(part) => part.path,
        Err((path, refusal)) => format!("{path}:{}", refusal.code),
    };
    found(mail).into_iter().map(line).collect()
}

fn bytes_of(mail: &str) -> Vec<Vec<u8>> {
    found(mail)
        .into_iter()
        .map(|part| part.unwrap().bytes)
        .collect()
}

#[test]
fn report_is_found_wherever_it_stands() {
    let gz = encode(&packed());
    let text = "Content-Type: text/plain\r\n\r\nThis is a report.";
    let html = "Content-Type: text/html\r\n\r\n<html><body>A report</body></html>";
    let logo = "Content-Type: image/svg+xml; name=logo.svg\r\n\r\n<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>";
    let octets = format!(
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{gz}"
    );
    let inline = format!("Content-Disposition: inline\r\n{octets}");
    let inner = format!(
        "Content-Type: multipart/mixed; boundary=b2\r\n\r\n--b2\r\n{text}\r\n--b2\r\n{octets}\r\n--b2--"
    );
    let nested = format!(
        "Content-Type: message/rfc822\r\n\r\n{}",
        multipart("mixed", &[text, &octets]).replace("b1", "b3")
    );
    for (what, mail, expect) in [
        ("octet-stream", multipart("mixed", &[text, &octets]), "2"),
        ("inline", multipart("mixed", &[text, &inline]), "2"),
        ("after HTML", multipart("mixed", &[html, &octets]), "2"),
        ("after a logo", multipart("related", &[logo, &octets]), "2"),
        (
            "alternative",
            multipart("alternative", &[text, &octets]),
            "2",
        ),
        (
            "report",
            multipart("report; report-type=\"tlsrpt\"", &[text, &octets]),
            "2",
        ),
        (
            "signed",
            multipart(
                "signed",
                &[
                    &octets,
                    "Content-Type: application/pkcs7-signature\r\n\r\nMIAG",
                ],
            ),
            "1",
        ),
        (
            "multipart in multipart",
            multipart("mixed", &[&inner]),
            "1.2",
        ),
        (
            "forwarded mail",
            multipart("mixed", &[text, &nested]),
            "2.2",
        ),
        (
            "root",
            mail(
                "Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64",
                &gz,
            ),
            "1",
        ),
        (
            "blank line first",
            format!("  \r\n{}", multipart("mixed", &[&octets])),
            "1",
        ),
        (
            "mbox line first",
            format!(
                "From x@example.net Mon Jan 1 00:00:00 2024\n{}",
                multipart("mixed", &[&octets])
            ),
            "1",
        ),
    ] {
        assert_eq!(outline(&mail), [expect], "{what}");
        assert_eq!(bytes_of(&mail), [packed()], "{what}");
    }
}

#[test]
fn xml_is_decoded_by_its_transfer_encoding_never_blindly() {
    let quoted = XML
        .replace('=', "=3D")
        .replace("<feedback>", "<feed=\r\nback>");
    for (encoding, body) in [
        ("7bit", XML.to_owned()),
        ("quoted-printable", quoted),
        ("base64", encode(XML.as_bytes())),
        ("base64", XML.to_owned()),
        ("", XML.to_owned()),
    ] {
        for kind in ["text/plain", "text/xml", "application/xml"] {
            let header = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}");
            let bytes = bytes_of(&mail(&header, &body));
            assert_eq!(bytes.len(), 1, "{kind} {encoding}");
            assert_eq!(
                String::from_utf8_lossy(&bytes[0]).trim(),
                XML,
                "{kind} {encoding}"
            );
        }
    }
}

#[test]
fn bytes_of_other_character_sets_are_left_alone() {
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(XML.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let header = "Content-Type: text/xml; charset=utf-8\r\nContent-Transfer-Encoding: base64";
    assert_eq!(bytes_of(&mail(header, &encode(&utf16))), [utf16]);
}

#[test]
fn damaged_headers_are_read_anyway() {
    let gz = encode(&packed());
    let part = format!("Content-Transfer-Encoding: base64\r\n\r\n{gz}");
    let typo = mail(
        "ContentType: multipart/mixed; boundary=b1",
        &format!("--b1\r\n{part}\r\n--b1--"),
    );
    let unindented = mail(
        "Content-Type: multipart/report;\r\nreport-type=tlsrpt;\r\nboundary=b1",
        &format!("--b1\r\n{part}\r\n--b1--"),
    );
    let no_boundary = mail(
        "X-Lost: yes",
        &format!("--b1\r\nContentType: application/gzip\r\n\r\n{gz}\r\n--b1--"),
    );
    let split = mail(
        "Content-Type: application/gzip;\r\n name*0=\"example.net!\";\r\n name*1=\"a.gz\"\r\nContent-Transfer-Encoding: base64",
        &gz,
    );
    for (what, mail, path) in [
        ("typo", typo, "1"),
        ("no indent", unindented, "1"),
        ("boundary lost", no_boundary, "1"),
        ("split name", split, "1 example.net!a.gz"),
    ] {
        assert_eq!(outline(&mail), [path], "{what}");
        assert_eq!(bytes_of(&mail), [packed()], "{what}");
    }
}

#[test]
fn base64_is_repaired() {
    for (text, expect) in [
        ("aGVsbG8=", "hello"),
        ("aGVsbG8", "hello"),
        ("aG Vs\r\nbG!8=", "hello"),
        ("aGk=aGk=", "hihi"),
        ("Pz8_Pz4-", "??????>>"),
    ] {
        let decoded = String::from_utf8(base64(text.as_bytes())).unwrap();
        assert_eq!(decoded.len(), expect.len().min(decoded.len()), "{text}");
        if !text.contains('_') {
            assert_eq!(decoded, expect, "{text}");
        }
    }
    assert_eq!(base64(b"_-8"), base64(b"/+8="));
}

#[test]
fn repaired_base64_is_said_and_sound_base64_is_not() {
    let sound = encode(XML.repeat(3).as_bytes());
    let wrapped: Vec<&str> = [&sound[..76], &sound[76..]].to_vec();
    for (text, is_repaired) in [
        (sound.clone(), false),
        (wrapped.join("\r\n"), false),
        (format!("{sound}\r\n\t "), false),
        (sound.trim_end_matches('=').to_owned() + "A", true),
        (format!("!{sound}"), true),
        (sound.trim_end_matches('=').to_owned() + "AAAA====", true),
        (format!("{sound}{sound}="), true),
        (sound.clone() + "-___", true),
    ] {
        let header = "Content-Type: text/xml\r\nContent-Transfer-Encoding: base64";
        let part = found(&mail(header, &text)).remove(0).unwrap();
        let codes: Vec<&str> = part.oddities.iter().map(|oddity| oddity.code).collect();
        let expected: &[&str] = if is_repaired {
            &["base64-repaired"]
        } else {
            &[]
        };
        assert_eq!(codes, expected, "{text}");
    }
}

#[test]
fn all_reports_of_a_mail_are_found() {
    let one = format!("Content-Type: text/xml\r\n\r\n{XML}");
    assert_eq!(
        outline(&multipart("mixed", &[&one, &one, &one])),
        ["1", "2", "3"]
    );
}

#[test]
fn what_cannot_be_read_has_a_code() {
    let utf16: Vec<u8> = "__substg1.0_"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let msg = [
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1].as_slice(),
        &utf16,
    ]
    .concat();
    let pkcs7 = [
        &[0x30, 0x80, 0x06, 0x09],
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03].as_slice(),
    ]
    .concat();
    for (kind, body, code) in [
        ("application/vnd.ms-outlook", msg, "msg-unsupported"),
        (
            "application/ms-tnef",
            vec![0x78, 0x9f, 0x3e, 0x22, 1, 2],
            "tnef-unsupported",
        ),
        ("application/pkcs7-mime", pkcs7, "smime-opaque"),
        ("application/gzip", b"unused".to_vec(), "empty-report"),
        ("text/plain", b"unused\r\n".to_vec(), "empty-report"),
        ("application/zip", Vec::new(), "empty-report"),
        (
            "application/zip",
            b"\xf3\xa5\x1aE garbage".to_vec(),
            "attachment-unreadable",
        ),
    ] {
        let header = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64");
        assert_eq!(
            outline(&mail(&header, &encode(&body))),
            [format!("1:{code}")],
            "{kind}"
        );
    }
}

#[test]
fn plain_mail_bounces_and_complaints_hold_no_report() {
    let gz = encode(&packed());
    let original = format!(
        "Content-Type: message/rfc822\r\n\r\n{}",
        mail("Content-Transfer-Encoding: base64", &gz)
    );
    let status = "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net";
    let complaint =
        "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1";
    for (what, mail) in [
        ("plain", mail("Content-Type: text/plain", "Hello")),
        (
            "bounce",
            multipart("report; report-type=delivery-status", &[status, &original]),
        ),
        (
            "bounce without report-type",
            multipart("mixed", &[status, &original]),
        ),
        (
            "bounce in words",
            mail("", &gz).replace("reports@", "MAILER-DAEMON@"),
        ),
        (
            "complaint",
            multipart(
                "report; report-type=feedback-report",
                &[complaint, &original],
            ),
        ),
        ("empty", String::new()),
    ] {
        assert_eq!(outline(&mail), Vec::<String>::new(), "{what}");
        assert!(!may_hold_report(mail.as_bytes()), "{what}");
    }
}

#[test]
fn depth_parts_header_and_part_size_are_bounded() {
    let mut deep = format!("Content-Type: text/xml\r\n\r\n{XML}");
    for level in 0..12 {
        deep = format!(
            "Content-Type: multipart/mixed; boundary=d{level}\r\n\r\n--d{level}\r\n{deep}\r\n--d{level}--"
        );
    }
    let last = |mail: &str| outline(mail).last().cloned().unwrap_or_default();
    assert!(last(&format!("From: a@example.com\r\n{deep}")).ends_with("limit-mime-depth"));
    let one = format!("Content-Type: text/xml\r\n\r\n{XML}");
    let many = outline(&multipart("mixed", &vec![one.as_str(); 200]));
    assert_eq!(many.len(), 100);
    assert_eq!(many.last().unwrap(), ":limit-parts");
    assert!(
        last(&mail(&format!("X-Long: {}", "x".repeat(300 << 10)), XML))
            .ends_with("limit-header-bytes")
    );
    let limits = Limits {
        part_bytes: 10,
        ..Limits::default()
    };
    let refused = parts(mail("", XML).as_bytes(), &limits);
    assert!(matches!(&refused[0], Err((_, refusal)) if refusal.code == "limit-part-bytes"));
}

#[test]
fn nested_messages_without_end_cost_neither_stack_nor_time() {
    let bomb = "Content-Type: message/rfc822\r\n\r\n".repeat(500_000);
    assert_eq!(outline(&bomb).len(), 1);
    let bomb = "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n".repeat(200_000);
    assert!(outline(&bomb).len() <= 1);
}

#[test]
fn header_gives_the_envelope_facts() {
    let text = "From: Reports <reports@example.net>\r\nSubject: =?utf-8?q?Report_f=C3=BCr?=\r\n\
                Message-ID: <1@example.net>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\nbody";
    let facts = header(text.as_bytes());
    assert_eq!(facts.mail_from.as_deref(), Some("reports@example.net"));
    assert_eq!(facts.subject.as_deref(), Some("Report für"));
    assert_eq!(facts.message_id.as_deref(), Some("1@example.net"));
    assert_eq!(facts.date_utc_secs, Some(1_700_000_000));
    assert!(facts.headers.unwrap().ends_with("+0000\r\n"));
    assert_eq!(
        header(b"\x1f\x8b\x08 no mail"),
        crate::model::item::MailHeader::default()
    );
    assert!(!is_mail(XML.as_bytes()));
}

//! Failure reports, in fields and in words.

use super::*;

#[test]
fn failure_report_is_composed_without_the_body_of_the_reported_mail() {
    let fields = "Feedback-Type: auth-failure\r\nVersion: 1\r\nSource-IP: 192.0.2.1\r\nReported-Domain: example.com";
    let reported =
        "Content-Type: message/rfc822\r\n\r\nFrom: a@example.com\r\nSubject: x\r\n\r\nsecret";
    let headers = "Content-Type: text/rfc822-headers\r\n\r\nFrom: a@example.com\r\nSubject: x";
    let plain = format!("Content-Type: message/feedback-report\r\n\r\n{fields}");
    let encoded = format!(
        "Content-Type: message/feedback-report; name=\"ATT00001\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n{}",
        encode(fields.as_bytes())
    );
    for (what, mail) in [
        (
            "message",
            multipart("report; report-type=feedback-report", &[&plain, reported]),
        ),
        (
            "header",
            multipart("report; report-type=feedback-report", &[&plain, headers]),
        ),
        ("encoded, mixed", multipart("mixed", &[&encoded, reported])),
    ] {
        let all = bytes_of(&mail);
        assert_eq!(all.len(), 1, "{what}");
        let text = String::from_utf8(all[0].clone()).unwrap();
        assert!(
            text.starts_with("Feedback-Type: auth-failure\r\n"),
            "{what}: {text}"
        );
        assert!(
            text.contains("example.com\n\nFrom: a@example.com\r\n"),
            "{what}: {text}"
        );
        assert!(!text.contains("secret"), "{what}: {text}");
    }
}

#[test]
fn failure_report_in_words_is_put_into_fields() {
    let words = "A message has failed.\r\n\r\n  Sender Domain: example.com\r\n  Sender IP Address: 192.0.2.1\r\n  \
                 SPF Alignment: no\r\n  DKIM Alignment: yes\r\n  DMARC Results: None, Accept\r\n\r\n------ copy\r\n\r\n\
                 From: <a@example.com>\r\nSubject: x\r\n\r\nsecret\r\n";
    let all = bytes_of(&multipart(
        "report",
        &[&format!("Content-Type: text/plain\r\n\r\n{words}")],
    ));
    let text = String::from_utf8(all[0].clone()).unwrap();
    for line in [
        "Feedback-Type: auth-failure\n",
        "Source-IP: 192.0.2.1\n",
        "Identity-Alignment: spf\n",
        "\n\nFrom: <a@",
    ] {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    assert!(!text.contains("secret"));
}

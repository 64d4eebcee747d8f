//! Whatever strangers write, a message keeps its form.

use proptest::prelude::*;
use serde_json::json;

use super::letter::Letter;
use super::*;
use crate::model::alert::{Alert, Severity};
use crate::model::channel::{MailWay, Mailbox};
use crate::model::inbox::TlsMode;
use crate::model::notice::{AlertNotice, Notice, Occasion, TextNotice, Told};

/// Headers that a mail about an alert has.
const HEADERS: [&str; 12] = [
    "From",
    "Message-ID",
    "Date",
    "Subject",
    "To",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Importance",
    "MIME-Version",
    "Content-Type",
];

fn way() -> MailWay {
    let mailbox = |address: &str| Mailbox {
        name: None,
        address: address.to_owned(),
    };
    MailWay {
        host: "mail.example.com".to_owned(),
        port: 465,
        tls: TlsMode::Implicit,
        ca_file: None,
        login: None,
        from: mailbox("dmarc@example.com"),
        to: vec![mailbox("a@example.com")],
        timeout_secs: 30,
    }
}

fn alerts(text: &str, count: usize) -> Notice {
    let alert = Alert {
        id: text.to_owned(),
        domain: Some(text.to_owned()),
        subject: text.to_owned(),
        severity: Severity::Critical,
        title: text.to_owned(),
        facts: [(text.to_owned(), json!([text, {text: text}]))].into(),
        advice: vec![text.to_owned()],
        ..Alert::default()
    };
    let told = Told {
        alert,
        occasion: Occasion::New,
        url: Some("https://dmarc.example.com/alerts/1".to_owned()),
    };
    Notice::Alerts(AlertNotice {
        key: "0123456789abcdef0123456789abcdef".to_owned(),
        at_utc_secs: 1_710_057_600,
        alerts: vec![told; count],
        more: 0,
    })
}

fn summary(text: &str) -> Notice {
    Notice::Text(TextNotice {
        key: "0123456789abcdef0123456789abcdef".to_owned(),
        at_utc_secs: i64::MAX,
        title: text.to_owned(),
        text: text.to_owned(),
    })
}

/// Names of the headers in front of the parts.
fn header_names(mail: &str) -> Vec<&str> {
    mail.split("\r\n")
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default())
        .collect()
}

/// Marks, controls and what is not seen, among everything else.
fn anything() -> impl Strategy<Value = String> {
    let odd = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("=?utf-8?b?DQo=?=".to_owned()),
        Just("</code></pre>".to_owned()),
        Just("```".to_owned()),
        Just("<!channel>".to_owned()),
        Just("://www.".to_owned()),
        Just("\u{202e}\u{2028}\0".to_owned()),
        Just("\n--=_alternative-0123456789abcdef0123456789abcdef--\n".to_owned()),
        any::<String>(),
        "[ -~]{0,300}",
    ];
    proptest::collection::vec(odd, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_mail_has_its_headers_and_its_parts_and_no_others(text in anything(), count in 1_usize..4) {
        for notice in [alerts(&text, count), summary(&text)] {
            let mail = String::from_utf8(mail::message(&way(), &notice).unwrap()).unwrap();
            prop_assert!(mail.is_ascii());
            prop_assert!(mail.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n', '\0'])));
            let names = header_names(&mail);
            prop_assert!(names.iter().all(|name| HEADERS.contains(name)), "{:?}", names);
            prop_assert_eq!(names.iter().filter(|name| **name == "Subject").count(), 1);
            let boundary = format!("\r\n--=_alternative-{}", notice.key());
            prop_assert_eq!(mail.matches(&boundary).count(), 3);
        }
    }

    #[test]
    fn a_chat_message_fits_and_closes_what_it_opens(text in anything(), count in 1_usize..40) {
        for notice in [alerts(&text, count), summary(&text)] {
            let letter = Letter::of(&notice);
            let html = telegram::text(&letter);
            prop_assert!(chat::units(&html) <= 4096);
            for tag in ["b", "code", "pre", "a"] {
                let open = html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
                prop_assert_eq!(open, html.matches(&format!("</{tag}>")).count());
            }
            let slack = webhook::slack(&letter);
            let slack = slack["text"].as_str().unwrap_or_default();
            prop_assert!(chat::units(slack) <= 4000);
            prop_assert!(slack.split('<').skip(1).all(|piece| piece.starts_with("https://dmarc.example.com/")));
            prop_assert_eq!(slack.matches('`').count() % 2, 0);
            let discord = webhook::discord(&letter);
            let discord = discord["content"].as_str().unwrap_or_default();
            prop_assert!(!discord.is_empty() && chat::units(discord) <= 2000);
            prop_assert!(!discord.contains("@everyone"));
        }
    }
}

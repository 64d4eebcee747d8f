//! What is said of alerts.

use serde_json::json;

use super::super::*;
use super::{catalogue, day};
use crate::model::alert::Alert;

fn alert(rule: &str, facts: &[(&str, serde_json::Value)]) -> Alert {
    Alert {
        rule: rule.to_owned(),
        domain: Some("example.com".to_owned()),
        subject: "203.0.113.1".to_owned(),
        messages: 1_234_567,
        first_day: day("01-10"),
        last_day: day("01-12"),
        facts: facts
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        ..Alert::default()
    }
}

#[test]
fn a_title_is_one_line_whatever_strangers_call_themselves() {
    let mut hostile = alert(
        "r",
        &[
            ("who", json!("{subject}")),
            ("count", json!(1000)),
            ("none", json!(null)),
        ],
    );
    hostile.subject = "a\r\nBcc: x\u{7}{domain}".to_owned();
    for (template, expect) in [
        (
            "{subject} sent {messages}",
            "a  Bcc: x {domain} sent 1\u{202f}234\u{202f}567",
        ),
        (
            "{who} {count} {none} {unknown}",
            "{subject} 1\u{202f}000 none {unknown}",
        ),
        // A stranger's text is no place to fill in, wherever it stands.
        (
            "{subject} reports on {domain}, {messages} times",
            "a  Bcc: x {domain} reports on example.com, 1\u{202f}234\u{202f}567 times",
        ),
        ("{first_day} to {last_day}", "2026-01-10 to 2026-01-12"),
        ("{", "{"),
    ] {
        assert_eq!(title(template, &hostile, None), expect, "{template}");
    }
    hostile.subject = "ü".repeat(1_000);
    assert_eq!(title("{subject}", &hostile, None).chars().count(), 201);
}

#[test]
fn a_known_sender_is_called_by_its_name_and_an_address_by_itself() {
    let catalogue = catalogue();
    for rule in [
        "known_sender_failing",
        "new_source",
        "policy_applied",
        "unknown_sender_failing",
    ] {
        let template = &catalogue.queries[rule].rule.as_ref().unwrap().title;
        let mut found = alert(rule, &[]);
        let text = title(template, &found, None);
        assert!(text.contains("203.0.113.1"), "{text}");
        found.subject = "mailer".to_owned();
        let text = title(template, &found, Some("Mailer of Example"));
        assert!(text.contains("Mailer of Example"), "{text}");
    }
}

#[test]
fn advice_fits_rule_cause_and_sender() {
    let catalogue = catalogue();
    let service = Sender {
        name: "Mailer".to_owned(),
        is_service: true,
        spf_include: Some("spf.mailer.example".to_owned()),
        aligns_spf: Some("no".to_owned()),
        aligns_dkim: Some("yes".to_owned()),
    };
    for (rule, facts, sender, words) in [
        (
            "unknown_sender_failing",
            &[
                ("category", json!("threat")),
                ("rejected", json!(1_234_567)),
            ][..],
            None,
            &["could be authenticated", "receivers rejected all of it"][..],
        ),
        (
            "unknown_sender_failing",
            &[("category", json!("unknown")), ("rejected", json!(3))],
            None,
            &[
                "passed for another domain",
                "policy of quarantine or reject",
            ],
        ),
        (
            "unknown_sender_failing",
            &[
                ("category", json!("known_unapproved")),
                ("fail_cause", json!("spf_pass_unaligned")),
            ],
            Some(&service),
            &[
                "known_senders.example.com",
                "uses Mailer to send",
                "include:spf.mailer.example",
                "With Mailer, SPF never aligns: DKIM is the way",
            ],
        ),
        (
            "known_sender_failing",
            &[
                ("fail_cause", json!("own_signature_broken")),
                ("quarantined", json!(2_000)),
                ("rejected", json!(3_000)),
            ],
            None,
            &["does not verify", "rejected 5\u{202f}000 of these"],
        ),
        (
            "known_sender_failing",
            &[("fail_cause", json!("dkim_pass_unaligned"))],
            None,
            &["sign with d=example.com"],
        ),
        (
            "known_sender_failing",
            &[("fail_cause", json!("both_pass_none_aligned"))],
            None,
            &["one of the two"],
        ),
        (
            "known_sender_failing",
            &[("fail_cause", json!("no_authentication"))],
            None,
            &["Neither SPF nor DKIM"],
        ),
        (
            "policy_applied",
            &[("category", json!("misconfigured"))],
            None,
            &["may send for example.com"],
        ),
        (
            "new_source",
            &[("is_approved", json!(true))],
            None,
            &["nothing to do"],
        ),
        (
            "new_source",
            &[("is_approved", json!(false))],
            Some(&service),
            &["who set up Mailer", "put 203.0.113.1 under `services`"],
        ),
        ("new_source", &[], None, &["in the SPF record"]),
        (
            "policy_changed",
            &[("before", json!("p=none"))],
            None,
            &["it was p=none before"],
        ),
        (
            "reporter_missing",
            &[],
            None,
            &["Do not make the policy stricter"],
        ),
        ("intake_refusals", &[], None, &["/intake"]),
        ("mailbox_unreachable", &[], None, &["/inboxes"]),
        ("rule_failed", &[], None, &["sentinel check"]),
        (
            "high_failure_rate",
            &[],
            None,
            &["each sender that is yours"],
        ),
        ("reporter_first_seen", &[], None, &["nothing to do"]),
    ] {
        let query = &catalogue.queries[rule];
        let text = advice(query, &alert(rule, facts), sender).join("\n");
        for word in words {
            assert!(
                text.contains(word),
                "{rule} {facts:?}: `{word}` is not in\n{text}"
            );
        }
        assert!(!text.contains("malicious"), "{text}");
        // Mails have it without the page, and each sentence is an item of a list.
        assert!(!text.contains("records below"), "{text}");
        assert!(text.lines().all(|line| line.ends_with('.')), "{text}");
    }
}

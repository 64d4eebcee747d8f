//! How alerts stand after evidence and actions, what is judged again, and what is said of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::*;
use crate::model::alert::{Acted, Action, Alert, Evidence, Reason, RuleSettings, Severity, Status};
use crate::model::day::Day;
use crate::query::Catalogue;

fn day(text: &str) -> Day {
    format!("2026-{text}").parse().unwrap()
}

/// `01-10 w` for a warning, `c` for critical; `01-10 w>01-12` where it ended.
fn evidence(days: &[&str]) -> Vec<Evidence> {
    let one = |text: &&str| {
        let (at, word) = text.split_once(' ').unwrap();
        let (word, ended) = word
            .split_once('>')
            .map_or((word, None), |(word, ended)| (word, Some(day(ended))));
        Evidence {
            day: day(at),
            severity: if word == "c" {
                Severity::Critical
            } else {
                Severity::Warning
            },
            messages: 1,
            ended_day: ended,
        }
    };
    days.iter().map(one).collect()
}

/// `ack w 01-10`: at a severity, with evidence up to a day.
fn actions(words: &[&str]) -> Vec<Acted> {
    let one = |(seq, text): (u64, &&str)| {
        let parts: Vec<&str> = text.split(' ').collect();
        let action = Action::ALL.into_iter().find(|a| a.as_str() == parts[0]);
        Acted {
            seq,
            at_utc_secs: 0,
            action: action.unwrap(),
            severity: if parts[1] == "c" {
                Severity::Critical
            } else {
                Severity::Warning
            },
            last_day: day(parts[2]),
            note: None,
        }
    };
    (1..).zip(words).map(one).collect()
}

#[test]
fn an_alert_stands_as_its_days_and_its_actions_say() {
    use Reason::{Ended, Person, Quiet, Withdrawn};
    use Status::{Acknowledged, Open, Resolved};
    // evidence, actions, as of; status, reason, days that it is about, occurrences
    for (days, acts, as_of, expect) in [
        (&["01-10 w"][..], &[][..], "01-11", (Open, None, 0..1, 1)),
        // Known until it gets graver.
        (
            &["01-10 w"],
            &["ack w 01-10"],
            "01-11",
            (Acknowledged, None, 0..1, 1),
        ),
        (
            &["01-10 w", "01-12 w"],
            &["ack w 01-10"],
            "01-13",
            (Acknowledged, None, 0..2, 1),
        ),
        (
            &["01-10 w", "01-12 c"],
            &["ack w 01-10"],
            "01-13",
            (Open, None, 0..2, 1),
        ),
        (
            &["01-10 c", "01-12 w"],
            &["ack c 01-10"],
            "01-13",
            (Acknowledged, None, 0..2, 1),
        ),
        (
            &["01-10 w", "01-12 c"],
            &["ack w 01-10", "ack c 01-12"],
            "01-13",
            (Acknowledged, None, 0..2, 1),
        ),
        // Done with, up to the day that was covered.
        (
            &["01-10 w"],
            &["resolve w 01-10"],
            "01-11",
            (Resolved, Some(Person), 0..1, 1),
        ),
        (
            &["01-10 w", "01-11 w"],
            &["resolve w 01-10"],
            "01-12",
            (Open, None, 1..2, 2),
        ),
        (
            &["01-09 w", "01-10 w"],
            &["resolve w 01-10"],
            "01-12",
            (Resolved, Some(Person), 0..2, 1),
        ),
        (
            &["01-10 w", "01-11 w"],
            &["ack w 01-10", "resolve w 01-10"],
            "01-12",
            (Open, None, 1..2, 2),
        ),
        (
            &["01-10 w", "01-11 w"],
            &["resolve w 01-10", "ack w 01-11"],
            "01-12",
            (Acknowledged, None, 1..2, 2),
        ),
        (
            &["01-10 w", "01-11 w"],
            &["ack w 01-10", "resolve w 01-11"],
            "01-12",
            (Resolved, Some(Person), 0..2, 1),
        ),
        // A late report takes the newer evidence away again.
        (
            &["01-10 w"],
            &["resolve w 01-10", "ack w 01-11"],
            "01-12",
            (Resolved, Some(Person), 0..1, 1),
        ),
        // Taken back.
        (
            &["01-10 w"],
            &["ack w 01-10", "reopen w 01-10"],
            "01-11",
            (Open, None, 0..1, 1),
        ),
        (
            &["01-10 w"],
            &["resolve w 01-10", "reopen w 01-10"],
            "01-11",
            (Open, None, 0..1, 1),
        ),
        (
            &["01-10 w"],
            &["resolve w 01-10", "reopen w 01-10", "resolve w 01-10"],
            "01-11",
            (Resolved, Some(Person), 0..1, 1),
        ),
        // Time: more than thirty days without evidence.
        (&["01-10 w"], &[], "02-09", (Open, None, 0..1, 1)),
        (&["01-10 w"], &[], "02-10", (Resolved, Some(Quiet), 0..1, 1)),
        (
            &["01-10 w"],
            &["ack w 01-10"],
            "02-10",
            (Resolved, Some(Quiet), 0..1, 1),
        ),
        (
            &["01-10 w"],
            &["reopen w 01-10"],
            "02-10",
            (Open, None, 0..1, 1),
        ),
        (
            &["01-10 w", "02-09 w"],
            &["ack w 01-10"],
            "02-10",
            (Acknowledged, None, 0..2, 1),
        ),
        (
            &["01-10 w", "02-10 w"],
            &["ack w 01-10"],
            "02-11",
            (Open, None, 1..2, 2),
        ),
        (
            &["01-10 c", "02-10 w", "02-11 w"],
            &[],
            "02-11",
            (Open, None, 1..3, 2),
        ),
        // The rule says that it is over.
        (&["01-10 w>01-12"], &[], "01-11", (Open, None, 0..1, 1)),
        (
            &["01-10 w>01-12"],
            &[],
            "01-12",
            (Resolved, Some(Ended), 0..1, 1),
        ),
        (
            &["01-10 w>01-12", "01-20 w"],
            &[],
            "01-21",
            (Open, None, 0..2, 1),
        ),
        // Later reports took all evidence away.
        (
            &[],
            &["ack w 01-10"],
            "01-11",
            (Resolved, Some(Withdrawn), 0..0, 0),
        ),
    ] {
        let state = fold(&evidence(days), &actions(acts), day(as_of), 30);
        let got = (state.status, state.reason, state.days, state.occurrences);
        assert_eq!(got, expect, "{days:?} {acts:?} {as_of}");
    }
    let state = fold(&evidence(&["01-10 w"]), &[], day("12-31"), 0);
    assert_eq!(state.status, Status::Open, "time resolves nothing");
}

#[test]
fn severity_is_that_of_the_present_occurrence() {
    for (days, acts, expect) in [
        (&["01-10 c", "01-11 w"][..], &[][..], Severity::Critical),
        (
            &["01-10 c", "01-11 w"],
            &["resolve c 01-10"],
            Severity::Warning,
        ),
        (&["01-10 c", "03-11 w"], &[], Severity::Warning),
    ] {
        let state = fold(&evidence(days), &actions(acts), day("03-12"), 30);
        assert_eq!(state.severity, expect, "{days:?} {acts:?}");
    }
}

#[test]
fn an_id_tells_rule_domain_and_subject_apart() {
    let ids: BTreeSet<String> = [
        ("rule", Some("a"), "b"),
        ("rule", Some("ab"), ""),
        ("rulea", Some(""), "b"),
        ("rule", None, "ab"),
        ("rule", Some("a"), "c"),
    ]
    .into_iter()
    .map(|(rule, domain, subject)| id(rule, domain, subject))
    .collect();
    assert_eq!(ids.len(), 5);
    assert!(ids.iter().all(|id| is_id(id)));
    assert_eq!(id("rule", Some("a"), "b"), id("rule", Some("a"), "b"));
    for text in [
        "",
        "fbc8ef5f",
        &"F".repeat(32),
        &"g".repeat(32),
        &"a".repeat(33),
    ] {
        assert!(!is_id(text), "{text}");
    }
}

fn catalogue() -> Catalogue {
    Catalogue::load(None).unwrap()
}

fn rules(yaml: &[(&str, RuleSettings)]) -> Result<Rules, Vec<RuleProblem>> {
    let settings: BTreeMap<String, RuleSettings> = yaml
        .iter()
        .map(|(name, settings)| ((*name).to_owned(), settings.clone()))
        .collect();
    Rules::new(&catalogue(), &settings, 30)
}

fn with(params: &[(&str, &str)]) -> RuleSettings {
    let param = |(name, text): &(&str, &str)| ((*name).to_owned(), 7, (*text).to_owned());
    RuleSettings {
        line: 6,
        params: params.iter().map(param).collect(),
        ..RuleSettings::default()
    }
}

#[test]
fn every_rule_of_the_design_is_there_and_can_be_switched_off() {
    let names = |rules: &Rules| -> Vec<String> {
        rules
            .rules
            .iter()
            .map(|rule| rule.query.name.clone())
            .collect()
    };
    let all = names(&rules(&[]).unwrap());
    assert_eq!(
        all,
        [
            "high_failure_rate",
            "intake_refusals",
            "known_sender_failing",
            "mailbox_unreachable",
            "new_source",
            "policy_applied",
            "policy_changed",
            "reporter_first_seen",
            "reporter_missing",
            "unknown_sender_failing"
        ]
    );
    for name in &all {
        let off = RuleSettings {
            is_off: true,
            ..RuleSettings::default()
        };
        let left = rules(&[(name, off)]).unwrap();
        assert_eq!(left.rules.len(), all.len() - 1);
        assert!(left.get(name).is_none(), "{name}");
    }
}

#[test]
fn thresholds_of_the_configuration_are_checked_by_name_and_kind() {
    let found = rules(&[(
        "unknown_sender_failing",
        with(&[("min_messages", "5"), ("days", "3")]),
    )]);
    let found = found.unwrap();
    let rule = found.get("unknown_sender_failing").unwrap();
    assert_eq!(rule.reach, Some(Reach::Days(3)));
    assert_ne!(found.hash(), rules(&[]).unwrap().hash());
    for (name, params, path, message) in [
        (
            "unknown_sender",
            &[][..],
            "unknown_sender",
            "there is no such rule",
        ),
        (
            "new_source",
            &[("min_mesages", "5")],
            "new_source.min_mesages",
            "the rule has no such value",
        ),
        (
            "new_source",
            &[("since", "2026-01-01")],
            "new_source.since",
            "the rule has no such value",
        ),
        (
            "new_source",
            &[("min_messages", "many")],
            "new_source.min_messages",
            "`many` is no whole number",
        ),
        (
            "new_source",
            &[("min_messages", "-1")],
            "new_source.min_messages",
            "`-1` is no whole number",
        ),
        (
            "policy_applied",
            &[("strangers", "perhaps")],
            "policy_applied.strangers",
            "`perhaps` is no true or false",
        ),
        (
            "policy_applied",
            &[("days", "0")],
            "policy_applied.days",
            "`0` is no number of days from 1 to 3660",
        ),
    ] {
        let problems = rules(&[(name, with(params))]).unwrap_err();
        let [problem] = problems.as_slice() else {
            panic!("{name}: {problems:?}");
        };
        assert_eq!(
            (problem.path.as_str(), problem.message.as_str()),
            (path, message)
        );
    }
}

fn touched(days: &[(&str, &str)]) -> Touched {
    let mut touched = Touched::new();
    for (domain, at) in days {
        touched
            .entry((*domain).to_owned())
            .or_default()
            .insert(day(at));
    }
    touched
}

#[test]
fn only_what_a_day_reaches_is_judged_again() {
    let rules = rules(&[]).unwrap();
    let until = day("03-01");
    let ranges = |name: &str, days: &[(&str, &str)]| -> Vec<(String, Day, Day)> {
        let found = scopes(rules.get(name).unwrap(), &touched(days), until);
        found
            .into_iter()
            .map(|scope| {
                (
                    scope.domains.unwrap_or_default().join(" "),
                    scope.since,
                    scope.until,
                )
            })
            .collect()
    };
    let span = |names: &str, since: &str, until: &str| (names.to_owned(), day(since), day(until));
    let near = "unknown_sender_failing";
    for (days, expect) in [
        (&[][..], vec![]),
        (&[("a", "01-20")], vec![span("a", "01-13", "01-28")]),
        // Close together: one question. Far apart: two.
        (
            &[("a", "01-20"), ("b", "01-30")],
            vec![span("a b", "01-13", "02-07")],
        ),
        (
            &[("a", "01-10"), ("b", "02-10")],
            vec![span("a", "01-03", "01-18"), span("b", "02-03", "02-18")],
        ),
        // Nothing behind the day of judgement.
        (
            &[("a", "02-27"), ("b", "04-27")],
            vec![span("a", "02-20", "03-01")],
        ),
    ] {
        assert_eq!(ranges(near, days), expect, "{days:?}");
    }
    let far = ranges("reporter_missing", &[("a", "01-20"), ("b", "01-30")]);
    assert_eq!(far, [("a b".to_owned(), Day::MIN, until)]);
    let whole = ranges("intake_refusals", &[]);
    assert_eq!(whole, [(String::new(), Day::MIN, until)]);
}

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
            "a  Bcc: x {domain} sent 1,234,567",
        ),
        (
            "{who} {count} {none} {unknown}",
            "{subject} 1,000 none {unknown}",
        ),
        ("{first_day} to {last_day}", "2026-01-10 to 2026-01-12"),
        ("{", "{"),
    ] {
        assert_eq!(title(template, &hostile), expect, "{template}");
    }
    hostile.subject = "ü".repeat(1_000);
    assert_eq!(title("{subject}", &hostile).chars().count(), 201);
}

#[test]
fn advice_fits_rule_cause_and_sender() {
    let catalogue = catalogue();
    let service = Sender {
        is_service: true,
        spf_include: Some("spf.mailer.example".to_owned()),
        aligns_spf: Some("no".to_owned()),
        aligns_dkim: Some("yes".to_owned()),
    };
    for (rule, facts, sender, words) in [
        (
            "unknown_sender_failing",
            &[("category", json!("threat")), ("refused", json!(1_234_567))][..],
            None,
            &["could be authenticated", "receivers refused all of it"][..],
        ),
        (
            "unknown_sender_failing",
            &[("category", json!("unknown")), ("refused", json!(3))],
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
                "include:spf.mailer.example",
                "DKIM is the way",
            ],
        ),
        (
            "known_sender_failing",
            &[
                ("fail_cause", json!("own_signature_broken")),
                ("refused", json!(5)),
            ],
            None,
            &["does not verify", "rejected 5 of these"],
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
            &["under `services`"],
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
    }
}

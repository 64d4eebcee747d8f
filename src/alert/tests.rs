//! How alerts stand after evidence and actions, what is judged again, and what is said of them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::model::alert::{Acted, Action, Evidence, Reason, RuleSettings, Severity, Status};
use crate::model::day::Day;
use crate::query::Catalogue;

mod stories;
mod words;

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

/// `ack w 01-10`: at a severity, with evidence up to a day; `reopen w 01-10 open`: as it stood.
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
            status: parts.get(3).map(|status| match *status {
                "open" => Status::Open,
                "acknowledged" => Status::Acknowledged,
                "resolved" => Status::Resolved,
                other => panic!("{other}"),
            }),
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
        // A word on what is open, or known, does not keep it open; reopening what is held open does not let it go.
        (
            &["01-10 w"],
            &["reopen w 01-10 open"],
            "02-10",
            (Resolved, Some(Quiet), 0..1, 1),
        ),
        (
            &["01-10 w"],
            &["ack w 01-10 open", "reopen w 01-10 acknowledged"],
            "02-10",
            (Resolved, Some(Quiet), 0..1, 1),
        ),
        (
            &["01-10 w>01-12"],
            &["reopen w 01-10 open"],
            "01-12",
            (Resolved, Some(Ended), 0..1, 1),
        ),
        (
            &["01-10 w"],
            &["reopen w 01-10 resolved", "reopen w 01-10 open"],
            "02-10",
            (Open, None, 0..1, 1),
        ),
        // Nor does it keep a later occurrence open.
        (
            &["01-10 w", "02-20 w"],
            &["reopen w 01-10 resolved"],
            "03-23",
            (Resolved, Some(Quiet), 1..2, 2),
        ),
        (
            &["01-10 w", "02-20 w"],
            &["reopen w 01-10 resolved", "reopen w 02-20 resolved"],
            "03-30",
            (Open, None, 1..2, 2),
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
            "rule_failed",
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
        (
            "known_sender_failing",
            &[("min_percent", "101")],
            "known_sender_failing.min_percent",
            "`101` is no whole number from 0 to 100",
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
    // From the first day on; what is late is asked about apart from what is not.
    let far = "new_source";
    for (days, expect) in [
        (
            &[("a", "01-20"), ("b", "01-30")][..],
            vec![span("a b", "01-13", "03-01")],
        ),
        (
            &[("a", "02-20"), ("a", "02-26")],
            vec![span("a", "02-13", "03-01")],
        ),
    ] {
        assert_eq!(ranges(far, days), expect, "{days:?}");
    }
    let late = Touched::from([
        ("a".to_owned(), BTreeSet::from([day("02-27")])),
        (
            "b".to_owned(),
            BTreeSet::from(["2025-03-10".parse().unwrap()]),
        ),
    ]);
    let found = scopes(rules.get(far).unwrap(), &late, until);
    let since: Vec<String> = found.iter().map(|scope| scope.since.to_string()).collect();
    assert_eq!(since, ["2025-03-03", "2026-02-20"]);
    let whole = ranges("intake_refusals", &[]);
    assert_eq!(whole, [(String::new(), Day::MIN, until)]);
}

#[test]
fn the_example_configuration_states_the_thresholds_that_the_rules_have() {
    let text = include_str!("../../config/config.example.yml");
    let variable = |name: &str| (!name.ends_with("_FILE")).then(|| "x".to_owned());
    let config = crate::config::Config::parse("c.yml", text, &variable).unwrap();
    let stated = Rules::new(
        &catalogue(),
        &config.alerts.rules,
        config.alerts.resolve_after_days,
    );
    assert_eq!(stated.unwrap().hash(), rules(&[]).unwrap().hash());
    let named: Vec<&String> = config.alerts.rules.keys().collect();
    let known = rules(&[]).unwrap();
    let known: Vec<&String> = known.rules.iter().map(|rule| &rule.query.name).collect();
    assert_eq!(named, known);
    for rule in rules(&[]).unwrap().rules {
        let stated = &config.alerts.rules[&rule.query.name].params;
        let stated: BTreeSet<&String> = stated.iter().map(|(name, ..)| name).collect();
        assert_eq!(stated, rule.params.keys().collect(), "{}", rule.query.name);
    }
}

//! Evidence and actions as they follow each other, and how the alert stands after each of them.

use super::*;

/// Evidence that is there, and actions that were done.
#[derive(Default)]
struct Story {
    evidence: Vec<Evidence>,
    actions: Vec<Acted>,
}

impl Story {
    /// `+21 w`: evidence of a day comes; `-21`: it is taken away; else an action by somebody who sees what there is.
    fn step(&mut self, step: &str) -> String {
        if let Some(text) = step.strip_prefix('+') {
            self.evidence
                .extend(evidence(&[format!("01-{text}").as_str()]));
            self.evidence.sort_by_key(|day| day.day);
        } else if let Some(text) = step.strip_prefix('-') {
            let gone = day(&format!("01-{text}"));
            self.evidence.retain(|day| day.day != gone);
        } else {
            let state = self.state();
            let action = Action::ALL.into_iter().find(|a| a.as_str() == step);
            self.actions.push(Acted {
                seq: self.actions.len() as u64 + 1,
                at_utc_secs: 0,
                action: action.unwrap(),
                severity: state.severity,
                status: Some(state.status),
                last_day: self.evidence.last().unwrap().day,
                note: Some("so it is".to_owned()),
            });
        }
        let state = self.state();
        let days: Vec<String> = self.evidence[state.days.clone()]
            .iter()
            .map(|day| day.day.format("%d").to_string())
            .collect();
        let status = state.reason.map_or(state.status.as_str(), Reason::as_str);
        format!("{status} {} x{}", days.join(","), state.occurrences)
    }

    fn state(&self) -> State {
        fold(&self.evidence, &self.actions, day("01-31"), 30)
    }
}

/// Runs a story: steps, and how the alert stands after each.
fn tell(story: &[(&str, &str)]) {
    let mut told = Story::default();
    for (number, (step, expect)) in story.iter().enumerate() {
        let got = told.step(step);
        assert_eq!(
            got,
            *expect,
            "after step {} of {:?}",
            number + 1,
            story.iter().map(|(step, _)| *step).collect::<Vec<_>>()
        );
    }
}

#[test]
fn one_reopening_opens_whatever_was_said_while_it_was_resolved() {
    tell(&[
        ("+21 w", "open 21 x1"),
        ("resolve", "person 21 x1"),
        ("resolve", "person 21 x1"),
        ("resolve", "person 21 x1"),
        ("reopen", "open 21 x1"),
        ("resolve", "person 21 x1"),
        ("reopen", "open 21 x1"),
    ]);
}

#[test]
fn what_was_resolved_before_stays_resolved() {
    for last in ["ack", "reopen", "resolve"] {
        tell(&[
            ("+20 w", "open 20 x1"),
            ("+21 w", "open 20,21 x1"),
            ("resolve", "person 20,21 x1"),
            ("+25 w", "open 25 x2"),
            // A word on what is open already.
            ("reopen", "open 25 x2"),
            ("ack", "acknowledged 25 x2"),
            // Taken back, and nothing else with it.
            ("reopen", "open 25 x2"),
            ("resolve", "person 25 x2"),
            ("reopen", "open 25 x2"),
            (
                last,
                match last {
                    "ack" => "acknowledged 25 x2",
                    "reopen" => "open 25 x2",
                    _ => "person 25 x2",
                },
            ),
        ]);
    }
}

#[test]
fn each_resolution_ends_an_occurrence() {
    tell(&[
        ("+10 w", "open 10 x1"),
        ("resolve", "person 10 x1"),
        ("+12 w", "open 12 x2"),
        ("resolve", "person 12 x2"),
        ("+14 c", "open 14 x3"),
        ("+15 w", "open 14,15 x3"),
        ("resolve", "person 14,15 x3"),
        ("reopen", "open 14,15 x3"),
    ]);
}

#[test]
fn late_evidence_of_a_time_that_is_resolved_opens_nothing() {
    tell(&[
        ("+10 w", "open 10 x1"),
        ("+14 w", "open 10,14 x1"),
        ("resolve", "person 10,14 x1"),
        ("+12 c", "person 10,12,14 x1"),
        ("+15 w", "open 15 x2"),
        ("+13 w", "open 15 x2"),
    ]);
}

#[test]
fn evidence_that_is_taken_away_leaves_what_was_said_of_the_rest() {
    tell(&[
        ("+21 w", "open 21 x1"),
        ("resolve", "person 21 x1"),
        ("+25 w", "open 25 x2"),
        ("resolve", "person 25 x2"),
        ("-25", "person 21 x1"),
        ("reopen", "open 21 x1"),
        ("+25 w", "open 21,25 x1"),
    ]);
    tell(&[
        ("+21 w", "open 21 x1"),
        ("ack", "acknowledged 21 x1"),
        ("-21", "withdrawn  x0"),
        ("+21 w", "acknowledged 21 x1"),
        ("+22 c", "open 21,22 x1"),
        ("ack", "acknowledged 21,22 x1"),
        ("-22", "acknowledged 21 x1"),
    ]);
}

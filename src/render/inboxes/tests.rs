//! The page in all its states, and with hostile names in every field.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::super::fixture::HOSTILE;
use super::super::markup::{check_accessible, check_balance, check_policy};
use super::*;
use crate::model::standing::{Folder, Health, JobState, Mailbox, MailboxState};

fn at(secs: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_763_600_000 + secs, 0).unwrap()
}

fn mailbox(name: &str) -> Mailbox {
    Mailbox {
        name: name.to_owned(),
        state: MailboxState::Watching,
        failures: 0,
        last_success: Some(at(-60)),
        last_error: None,
        next_try: Some(at(840)),
        is_watched: true,
        folders: vec![Folder {
            name: "DMARC".to_owned(),
            uidvalidity: 1_700_000_001,
            uid: 12_345,
            messages: 12_000,
        }],
    }
}

fn job(id: &str, state: JobState) -> Job {
    Job {
        id: id.to_owned(),
        kind: "run".to_owned(),
        parameters: BTreeMap::new(),
        state,
        requested: None,
        started: Some(at(-75)),
        duration_ms: 2_340,
        seen: 1_240,
        wanted: None,
        archived: 0,
        outcomes: [1_200, 30, 1, 2, 3, 0, 0, 4],
        error: None,
        detail: None,
    }
}

fn fine() -> Standing {
    let mut second = mailbox("archive");
    second.state = MailboxState::Waiting;
    second.is_watched = false;
    second.folders.push(Folder {
        name: "Büro/DMARC".to_owned(),
        uidvalidity: 7,
        uid: 9,
        messages: 4,
    });
    Standing {
        mailboxes: vec![mailbox("reports"), second],
        ..Standing::default()
    }
}

fn failing() -> Standing {
    let mut broken = mailbox("reports");
    broken.state = MailboxState::Failing;
    broken.failures = 3;
    broken.last_success = None;
    broken.last_error = Some((at(-30), "the server refuses the password".to_owned()));
    broken.folders.clear();
    Standing {
        health: Health::Failing,
        mailboxes: vec![broken, Mailbox::named("new")],
        disk_error: Some("permission denied".to_owned()),
        low_disk: Some("120 MiB are left, 512 MiB are needed".to_owned()),
        run_failures: 2,
        run_error: Some((at(-40), "writing the archive: no space".to_owned())),
        heartbeat_error: Some("it answers with status 404".to_owned()),
        ..Standing::default()
    }
}

fn running() -> Standing {
    let mut backlog = job("20251120-005240-000001", JobState::Running);
    backlog.kind = "backlog".to_owned();
    backlog.parameters = [
        ("inbox", "reports"),
        ("since", "2025-01-01"),
        ("reprocess", "true"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    (backlog.wanted, backlog.archived) = (Some(20_000), 5_000);
    Standing {
        owed_jobs: 2,
        running: Some(backlog),
        ..fine()
    }
}

fn drawn(
    standing: &Standing,
    jobs: Option<&[Job]>,
    change: impl FnOnce(&mut InboxesView),
) -> String {
    let mut view = InboxesView {
        standing,
        jobs,
        all_jobs: jobs.map_or(0, <[Job]>::len),
        now: at(0),
        asked: Some("4"),
        refused: None,
        may_refresh: true,
    };
    change(&mut view);
    let page = page(&Skin::new("/base").unwrap(), &view).unwrap();
    String::from_utf8(page).unwrap()
}

fn jobs() -> Vec<Job> {
    let mut failed = job("2", JobState::Failed);
    failed.error = Some("inbox \"reports\": the connection broke".to_owned());
    let mut tried = job("3", JobState::Done);
    tried.kind = "backlog".to_owned();
    tried.parameters = BTreeMap::from([("dry_run".to_owned(), "true".to_owned())]);
    tried.detail = Some("dry run of 7 messages: accepted 7".to_owned());
    let mut waiting = job("4", JobState::Waiting);
    waiting.kind = "process-now".to_owned();
    (waiting.requested, waiting.started) = (Some(at(-5)), None);
    (waiting.seen, waiting.duration_ms, waiting.outcomes) = (0, 0, [0; 8]);
    vec![waiting, tried, failed, job("1", JobState::Done)]
}

fn check_snapshot(name: &str, file: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, file.replace("><", ">\n<"));
    });
}

#[test]
fn each_state_looks_as_it_did() {
    let jobs = jobs();
    let without = Standing::default();
    for (name, standing, jobs) in [
        ("inboxes_fine", fine(), Some(&jobs[1..])),
        ("inboxes_failing", failing(), Some(&jobs[2..])),
        ("inboxes_running", running(), Some(&jobs[..])),
        ("inboxes_none", without, Some(&[][..])),
    ] {
        let html = drawn(&standing, jobs, |_| {});
        check_balance(name, &html);
        check_accessible(name, &html);
        check_policy(name, &html);
        check_snapshot(name, &html);
    }
}

#[test]
fn words_of_strangers_are_escaped_in_every_field() {
    let hostile = || HOSTILE.to_owned();
    let mut standing = running();
    for mailbox in &mut standing.mailboxes {
        mailbox.name = hostile();
        mailbox.last_error = Some((at(0), hostile()));
        mailbox.folders[0].name = hostile();
    }
    let hostile_job = |job: &mut Job| {
        (job.kind, job.id) = (hostile(), hostile());
        job.parameters = BTreeMap::from([(hostile(), hostile())]);
        (job.error, job.detail) = (Some(hostile()), Some(hostile()));
    };
    hostile_job(standing.running.as_mut().unwrap());
    standing.low_disk = Some(hostile());
    standing.disk_error = Some(hostile());
    standing.run_error = Some((at(0), hostile()));
    standing.heartbeat_error = Some(hostile());
    let mut jobs = jobs();
    jobs.truncate(1);
    jobs.iter_mut().for_each(hostile_job);
    let html = drawn(&standing, Some(&jobs), |view| {
        view.asked = Some(HOSTILE);
        view.refused = Some(HOSTILE);
    });
    check_balance("hostile", &html);
    check_accessible("hostile", &html);
    check_policy("hostile", &html);
    assert!(html.matches("&lt;script&gt;").count() > 15, "{html}");
    assert!(!html.contains(['\u{202e}', '\u{200b}', '\0']));
    assert!(
        !html.contains("49 "),
        "the template engine read a stranger's words"
    );
}

#[test]
fn the_page_loads_itself_anew_only_while_something_is_going_on() {
    let refresh = "http-equiv=\"refresh\"";
    assert!(!drawn(&fine(), Some(&[]), |_| {}).contains(refresh));
    assert!(!drawn(&failing(), Some(&[]), |_| {}).contains(refresh));
    let mut looking = fine();
    looking.mailboxes[1].state = MailboxState::Looking;
    for busy in [running(), looking] {
        assert!(drawn(&busy, Some(&[]), |_| {}).contains(refresh));
        let stopped = drawn(&busy, Some(&[]), |view| view.may_refresh = false);
        assert!(!stopped.contains(refresh) && stopped.contains("href=\"/base/inboxes\""));
        let refused = drawn(&busy, Some(&[]), |view| view.refused = Some("`limit` is 0"));
        assert!(!refused.contains(refresh) && refused.contains("`limit` is 0"));
    }
}

#[test]
fn what_was_asked_for_is_told_of_on_top() {
    let mut jobs = jobs();
    for (state, words) in [
        (JobState::Waiting, "Taken on, and waiting its turn:"),
        (JobState::Running, "Going on:"),
        (JobState::Done, "Done:"),
        (JobState::Failed, "Failed:"),
    ] {
        jobs[0].state = state;
        let html = drawn(&fine(), Some(&jobs), |_| {});
        assert!(html.contains(words) && html.contains("<tr class=\"asked\" id=\"job-4\">"));
    }
    let other = drawn(&fine(), Some(&jobs), |view| view.asked = Some("none"));
    assert!(!other.contains("role=\"status\"") && !other.contains("class=\"asked\""));
}

#[test]
fn jobs_that_cannot_be_read_are_said_to_be_so() {
    let html = drawn(&fine(), None, |_| {});
    assert!(html.contains("The jobs cannot be read."));
    assert!(!html.contains("<table"));
    let html = drawn(&fine(), Some(&jobs()), |view| view.all_jobs = 4_321);
    assert!(html.contains("The newest 4 of 4\u{202f}321."));
}

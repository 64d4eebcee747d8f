//! The plan by itself: what is begun when, and what is not begun twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use super::Pages;
use super::drive::Message;
use super::plan::{Action, Doing, Looked, Piece, Plan};
use super::time::Time;
use super::timetable::Timetable;
use super::worker::{Task, Worked, Worker};
use crate::alert::Rules;
use crate::job::disk::Room;
use crate::job::folders::Folders;
use crate::ledger::JobRequest;
use crate::model::inbox::Schedule;
use crate::model::limits::Limits;
use crate::source::imap::Tokens;
use crate::store::settings::StoreConfig;

fn at(minutes: i64) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2024-03-10T08:00:00Z".parse().unwrap();
    start + Duration::minutes(minutes)
}

/// Two mailboxes, looked into every 15 minutes; the work of the day is done.
fn plan() -> Plan {
    let table = || Timetable::new(&Schedule::Every(900), Tz::UTC, at(0)).unwrap();
    let mut plan = Plan::new(vec![("a".into(), table()), ("b".into(), table())], at(0));
    assert_eq!(
        plan.next(at(0)),
        [Action::Look(0), Action::Look(1), Action::Maintain]
    );
    plan.maintained(true, at(0));
    for index in [0, 1] {
        plan.looked(index, Looked::Nothing, at(0));
    }
    assert_eq!(plan.next(at(0)), [Action::Beat]);
    plan
}

fn failed() -> Looked {
    Looked::Failed {
        error: "no answer".into(),
        needs_a_person: false,
    }
}

fn job(kind: &str, inbox: Option<&str>) -> JobRequest {
    let inbox = inbox.map(|inbox| ("inbox".to_owned(), inbox.to_owned()));
    JobRequest {
        id: format!("{kind} {inbox:?}"),
        kind: kind.to_owned(),
        parameters: BTreeMap::from_iter(inbox),
    }
}

#[test]
fn every_mailbox_is_looked_into_when_its_time_comes_and_not_before() {
    let mut plan = plan();
    assert_eq!(plan.next(at(14)), []);
    assert_eq!(plan.wake_at(at(14)), at(15));
    assert_eq!(plan.next(at(15)), [Action::Look(0), Action::Look(1)]);
    assert_eq!(plan.next(at(16)), [], "they are being looked into");
    plan.looked(0, Looked::Nothing, at(17));
    assert_eq!(plan.next(at(29)), [Action::Beat]);
    assert_eq!(
        plan.next(at(30)),
        [Action::Look(0)],
        "the other still hangs"
    );
}

#[test]
fn what_is_found_while_the_worker_is_busy_is_fetched_in_one_run() {
    let mut plan = plan();
    plan.next(at(15));
    plan.looked(0, Looked::Something, at(15));
    assert_eq!(plan.next(at(15)), [Action::Fetch(vec![0], None)]);
    plan.looked(1, Looked::Something, at(15));
    plan.news(0);
    plan.news(0);
    plan.news(1);
    assert_eq!(plan.next(at(16)), [], "there is one worker");
    plan.fetched(vec![(0, Looked::Nothing)], at(17));
    // Three pieces of news are one look; the other mailbox is queued and looked into behind its run.
    assert_eq!(
        plan.next(at(17)),
        [Action::Beat, Action::Look(0), Action::Fetch(vec![1], None)]
    );
    plan.looked(0, Looked::Something, at(17));
    plan.fetched(vec![(1, Looked::Nothing)], at(18));
    assert_eq!(
        plan.next(at(18)),
        [Action::Beat, Action::Look(1), Action::Fetch(vec![0], None)]
    );
}

#[test]
fn a_mailbox_that_fails_waits_longer_each_time_and_the_other_keeps_its_rhythm() {
    let mut plan = plan();
    plan.next(at(15));
    let mut now = at(15);
    let mut waits = Vec::new();
    for failures in 1..=9 {
        plan.looked(0, failed(), now);
        let status = &plan.status(now)[0];
        assert_eq!((status.failures, status.doing), (failures, Doing::Waiting));
        plan.news(0);
        assert!(
            !plan.next(now).contains(&Action::Look(0)),
            "news do not help it"
        );
        waits.push((plan.status(now)[0].next_try - now).num_seconds());
        now = plan.status(now)[0].next_try;
        assert!(plan.next(now).contains(&Action::Look(0)));
    }
    assert!(
        waits.windows(2).take(6).all(|two| two[1] > two[0]),
        "{waits:?}"
    );
    assert!(waits[8] >= 2880 && waits[8] <= 4320, "{waits:?}");
    plan.looked(0, Looked::Nothing, now);
    assert_eq!(plan.status(now)[0].failures, 0);
    assert_eq!(plan.status(now)[1].failures, 0);
}

#[test]
fn somebody_who_asks_is_not_kept_waiting_by_failures_and_the_job_ends_with_its_look() {
    let mut plan = plan();
    plan.next(at(15));
    plan.looked(0, failed(), at(15));
    plan.looked(1, Looked::Nothing, at(15));
    let (one, all) = (job("process-now", Some("a")), job("process-now", None));
    plan.request(one.clone());
    plan.request(all.clone());
    assert_eq!(plan.next(at(15)), [Action::Look(0), Action::Look(1)]);
    plan.looked(0, failed(), at(16));
    let reason = "inbox \"a\": no answer".to_owned();
    assert_eq!(plan.next(at(16)), [Action::End(one, Err(reason.clone()))]);
    plan.looked(1, Looked::Something, at(16));
    assert_eq!(
        plan.next(at(16)),
        [Action::Fetch(vec![1], Some(all.clone()))]
    );
    plan.fetched(vec![(1, Looked::Nothing)], at(16));
    assert_eq!(plan.next(at(16)), [Action::End(all, Err(reason))]);
    let gone = job("process-now", Some("c"));
    plan.request(gone.clone());
    assert!(matches!(plan.next(at(16)).as_slice(), [Action::End(job, Err(_))] if *job == gone));
}

#[test]
fn a_look_that_began_before_the_wish_does_not_fulfil_it() {
    let mut plan = plan();
    plan.next(at(15));
    let wish = job("process-now", Some("a"));
    plan.request(wish.clone());
    plan.looked(0, Looked::Nothing, at(16));
    assert_eq!(plan.next(at(16)), [Action::Beat, Action::Look(0)]);
    plan.looked(0, Looked::Nothing, at(17));
    assert_eq!(
        plan.next(at(17)),
        [Action::End(wish, Ok(None)), Action::Beat]
    );
}

#[test]
fn new_mail_and_a_new_day_go_between_the_pieces_of_a_backlog() {
    let mut plan = plan();
    let old = job("backlog", Some("a"));
    plan.request(old.clone());
    assert_eq!(plan.next(at(1)), [Action::Backlog(old.clone())]);
    plan.news(1);
    assert_eq!(plan.next(at(2)), [Action::Look(1)]);
    plan.looked(1, Looked::Something, at(2));
    plan.backlog_went_on(Piece::More);
    assert_eq!(plan.next(at(3)), [Action::Fetch(vec![1], None)]);
    plan.fetched(vec![(1, Looked::Nothing)], at(4));
    let midnight: DateTime<Utc> = "2024-03-11T00:01:00Z".parse().unwrap();
    assert!(plan.next(midnight).contains(&Action::Maintain));
    plan.maintained(true, midnight);
    assert_eq!(plan.next(midnight), [Action::Backlog(old.clone())]);
    plan.backlog_went_on(Piece::Last(Ok(None)));
    assert_eq!(plan.next(midnight), [Action::End(old, Ok(None))]);
    let next = midnight + Duration::days(1);
    for index in [0, 1] {
        plan.looked(index, Looked::Nothing, midnight);
    }
    assert!(plan.wake_at(midnight) <= next);
    assert!(plan.next(next).contains(&Action::Maintain));
}

fn full(is_enough_to_tidy: bool) -> Room {
    Room {
        shortage: Some("1 MiB is left".into()),
        is_enough_to_tidy,
    }
}

#[test]
fn a_full_disk_does_not_stop_what_may_free_some_of_it() {
    let mut plan = plan();
    plan.disk(full(false));
    let due = at(60 * 24 * 7);
    assert_eq!(plan.next(due), []);
    plan.disk(full(true));
    assert_eq!(plan.next(due), [Action::Maintain]);
    assert_eq!(plan.next(due), [], "one at a time");
    plan.maintained(true, due);
    assert_eq!(plan.next(due), []);
}

#[test]
fn a_full_disk_stops_everything_but_the_end_of_jobs() {
    let mut plan = plan();
    plan.disk(full(false));
    plan.request(job("process-now", None));
    assert_eq!(plan.next(at(60)), []);
    assert_eq!(plan.wake_at(at(60)), at(61));
    plan.disk(Room::default());
    assert_eq!(plan.next(at(61)), [Action::Look(0), Action::Look(1)]);
}

#[test]
fn a_clock_that_is_set_back_leaves_no_mailbox_alone() {
    let mut plan = plan();
    let far = at(60 * 24 * 365);
    assert_eq!(
        plan.next(far),
        [Action::Look(0), Action::Look(1), Action::Maintain]
    );
    plan.looked(1, failed(), far);
    plan.looked(0, Looked::Nothing, far);
    plan.maintained(true, far);
    assert_eq!(plan.next(far), []);
    assert_eq!(plan.next(at(0)), [], "nothing is begun twice for it");
    assert_eq!(plan.status(at(0))[0].next_try, at(15));
    assert!(plan.next(at(15)).contains(&Action::Look(0)));
    assert!(plan.status(at(0))[1].next_try <= at(72));
    let next_day: DateTime<Utc> = "2024-03-11T00:01:00Z".parse().unwrap();
    assert!(plan.next(next_day).contains(&Action::Maintain));
}

/// A clock that stops whoever looks at it.
struct Broken;

impl Time for Broken {
    fn now(&self) -> DateTime<Utc> {
        panic!("a defect")
    }

    fn patience(&self, _: DateTime<Utc>) -> Option<std::time::Duration> {
        None
    }
}

#[test]
fn a_defect_in_a_task_is_told_of_and_the_worker_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let worker = Worker {
        data: data.path().to_owned(),
        store: StoreConfig {
            path: Folders::new(data.path()).database(),
            memory_limit_bytes: 128 << 20,
            threads: 1,
            code_hash: "code".to_owned(),
            config_hash: "config".to_owned(),
            load_hash: "load".to_owned(),
            domains: None,
            known_senders: Vec::new(),
            services: Vec::new(),
            limits: Limits::default(),
            retention_months: None,
            retention: None,
            elsewhere: Default::default(),
        },
        pages: Pages {
            rules: Rules::default(),
            draw: Box::new(|_| Ok(())),
        },
        inboxes: Vec::new(),
        tokens: Tokens::default(),
        min_free_bytes: 0,
        time: Arc::new(Broken),
        stop: Arc::default(),
    };
    let (tasks, to_worker) = channel();
    let (tell, told) = channel();
    for task in [
        Task::Maintain,
        Task::Backlog(job("backlog", None)),
        Task::Fetch(Vec::new(), None),
    ] {
        tasks.send(task).unwrap();
    }
    drop(tasks);
    worker.work(&to_worker, &tell);
    drop(tell);
    let told: Vec<Message> = told.iter().collect();
    assert!(matches!(
        told.as_slice(),
        [
            Message::Worked(Worked::Maintain(Err(_))),
            Message::Worked(Worked::Backlog(Piece::Last(Err(_)))),
            Message::Worked(Worked::Fetch(_, Err(_))),
        ]
    ));
}

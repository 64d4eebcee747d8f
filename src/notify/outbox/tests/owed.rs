//! Messages that wait: what becomes of their alerts meanwhile, and of what is found meanwhile.

use super::*;
use crate::ledger::ChannelNotices;

fn break_chat(world: &mut World) {
    let error = SendError::soon("no answer");
    world.broken.insert("chat".to_owned(), error);
}

fn told(world: &World) -> ChannelNotices {
    let (entries, _) = world.ledger().read(None).unwrap();
    Notices::fold(&entries).of("chat")
}

/// A day on which the channel is broken; the evidence goes on.
fn broken_day(world: &mut World) {
    world.pass();
    world.wait(24 * 60);
    world.as_of = world.now.get().date_naive();
}

#[test]
fn an_alert_that_somebody_took_care_of_meanwhile_is_not_told_of() {
    for status in [Status::Acknowledged, Status::Resolved] {
        let mut world = World::new("2024-03-10T08:00:00Z");
        break_chat(&mut world);
        world.alert("a", Severity::Critical, "2024-03-09");
        world.alert("b", Severity::Warning, "2024-03-09");
        world.pass();
        let planned = told(&world).owed[0].key.clone();
        world.alerts[0].status = status;
        world.broken.clear();
        world.wait(1);
        let (passed, sent) = world.pass();
        assert_eq!(sent[0].ids(), ["b"]);
        assert_eq!((passed.sent, passed.channels[0].waiting), (1, 0));
        let key = sent[0].notice.key();
        assert_eq!(key, planned, "somebody may have it already");
        assert_eq!(told(&world).owed, []);
        world.alerts[0].status = Status::Open;
        world.wait(60);
        assert_eq!(world.pass().1, [], "it may be with somebody");
    }
}

#[test]
fn of_a_message_that_waited_and_was_never_tried_only_what_is_left_is_told() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    break_chat(&mut world);
    world.alert("a", Severity::Warning, "2024-03-09");
    assert_eq!(world.pass().0.failed, 1);
    world.wait(10);
    world.alert("b", Severity::Warning, "2024-03-09");
    world.alert("c", Severity::Warning, "2024-03-09");
    let error = SendError::needs_person("401: is the token right?");
    world.memory.failed("chat", &error, world.now.get());
    assert_eq!(world.pass().0.channels[0].waiting, 3);
    let held = told(&world).owed[1].clone();
    assert!(held.held);
    world.alerts[1].status = Status::Acknowledged;
    world.broken.clear();
    world.wait(60);
    let sent = world.pass().1;
    assert_eq!((sent[0].ids(), sent[1].ids()), (vec!["a"], vec!["c"]));
    assert_ne!(sent[1].notice.key(), held.key);
    assert_eq!(told(&world).told.keys().collect::<Vec<_>>(), ["a", "c"]);
}

#[test]
fn what_may_be_with_some_people_keeps_its_key_and_is_not_made_one_with_others() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    let mut error = SendError::soon("one mailbox is full");
    error.is_partial = true;
    world.broken.insert("chat".to_owned(), error);
    world.alert("a", Severity::Warning, "2024-03-09");
    world.pass();
    world.wait(10);
    world.alert("b", Severity::Warning, "2024-03-09");
    world.pass();
    world.wait(10);
    world.alert("c", Severity::Warning, "2024-03-09");
    world.pass();
    let first = told(&world).owed[0].clone();
    // Another start: what was tried is known from the ledger alone.
    world.memory = Memory::default();
    world.broken.clear();
    let sent = world.pass().1;
    let ids: Vec<Vec<&str>> = sent.iter().map(Sent::ids).collect();
    assert_eq!(ids, [vec!["a"], vec!["b", "c"]]);
    assert_eq!(sent[0].notice.key(), first.key);
}

#[test]
fn a_message_that_was_tried_keeps_its_key_when_one_of_its_rules_fails() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    break_chat(&mut world);
    world.alert("a", Severity::Critical, "2024-03-09");
    world.alert("b", Severity::Critical, "2024-03-09");
    world.alerts[1].rule = "another_rule".to_owned();
    world.pass();
    let tried = told(&world).owed[0].key.clone();
    let hidden = world.alerts.remove(0);
    world.failing_rules.insert(hidden.rule.clone());
    for _ in 0..3 {
        world.wait(60);
        assert_eq!(world.pass().0.failed, 1);
        assert_eq!(told(&world).owed.len(), 1, "nothing is planned in vain");
    }
    world.broken.clear();
    world.wait(60);
    let sent = world.pass().1;
    assert_eq!((sent[0].ids(), sent.len()), (vec!["b"], 1));
    assert_eq!(sent[0].notice.key(), tried);
    world.failing_rules.clear();
    world.alerts.push(hidden);
    world.wait(60);
    assert_eq!(world.pass().1[0].ids(), ["a"]);
    world.wait(60);
    assert_eq!(world.pass().1, []);
}

#[test]
fn a_rule_that_cannot_be_asked_for_weeks_keeps_its_messages_waiting() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    break_chat(&mut world);
    world.alert("a", Severity::Critical, "2024-03-09");
    world.alert("b", Severity::Critical, "2024-03-09");
    world.alerts[1].rule = "another_rule".to_owned();
    world.pass();
    // The rule fails: it has no alerts at all.
    let hidden = world.alerts.remove(0);
    world.failing_rules.insert(hidden.rule.clone());
    world.broken.clear();
    for ids in [vec![vec!["b"]], vec![], vec![]] {
        world.wait(24 * 60);
        let (passed, sent) = world.pass();
        assert_eq!(sent.iter().map(Sent::ids).collect::<Vec<_>>(), ids);
        assert_eq!(passed.channels[0].waiting, 1);
    }
    world.wait(20 * 24 * 60);
    world.as_of = world.now.get().date_naive();
    world.failing_rules.clear();
    world.alerts.push(hidden);
    assert_eq!(world.pass().1[0].ids(), ["a"]);
    world.wait(60);
    let (passed, sent) = world.pass();
    assert_eq!((sent.len(), passed.channels[0].waiting), (0, 0));
}

#[test]
fn a_message_of_which_nothing_is_left_is_not_sent_and_that_is_noted() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    break_chat(&mut world);
    world.alert("a", Severity::Critical, "2024-03-09");
    world.pass();
    let withdrawn = world.alerts.pop().unwrap();
    world.broken.clear();
    world.wait(1);
    let (passed, sent) = world.pass();
    assert_eq!(
        (sent, passed.sent, passed.channels[0].waiting),
        (vec![], 0, 0)
    );
    let told = told(&world);
    assert_eq!((told.owed.len(), told.told.len()), (0, 0));
    assert_eq!(told.last_sent_utc_secs, None);
    // Nobody was told of it: when it is back, it is new.
    world.alerts.push(withdrawn);
    world.wait(1);
    let sent = world.pass().1;
    assert_eq!(sent[0].alerts().alerts[0].occasion, Occasion::New);
}

#[test]
fn what_was_told_before_a_message_that_is_not_sent_stays_told() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-09");
    assert_eq!(world.pass().1.len(), 1);
    world.wait(60);
    break_chat(&mut world);
    world.alerts[0].severity = Severity::Critical;
    assert_eq!(world.pass().0.failed, 1);
    world.alerts[0].severity = Severity::Warning;
    world.alerts[0].status = Status::Acknowledged;
    world.broken.clear();
    world.wait(1);
    assert_eq!(world.pass().1, []);
    world.alerts[0].status = Status::Open;
    assert_eq!(world.pass().1, [], "it is as grave as it was told");
    world.alerts[0].severity = Severity::Critical;
    let sent = world.pass().1;
    assert_eq!(sent[0].alerts().alerts[0].occasion, Occasion::Graver);
}

#[test]
fn those_that_a_message_only_counts_are_looked_at_too() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.channels[0].most_alerts = 2;
    break_chat(&mut world);
    for id in ["a", "b", "c", "d", "e"] {
        world.alert(id, Severity::Warning, "2024-03-09");
    }
    world.pass();
    world
        .alerts
        .retain(|alert| alert.id != "a" && alert.id != "e");
    world.broken.clear();
    world.wait(1);
    let sent = world.pass().1;
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].ids(), sent[0].alerts().more), (vec!["b", "c"], 1));
}

#[test]
fn alerts_that_cannot_be_read_are_told_of_later() {
    let mut world = World::new("2024-03-10T08:00:00Z");
    world.alert("a", Severity::Warning, "2024-03-09");
    world.is_unreadable = true;
    let (passed, sent) = world.pass();
    assert_eq!(
        (sent.len(), passed.failed, passed.channels[0].waiting),
        (0, 1, 1)
    );
    world.is_unreadable = false;
    world.wait(1);
    assert_eq!(world.pass().1[0].ids(), ["a"]);
}

#[test]
fn a_channel_that_was_broken_for_weeks_tells_of_all_that_arose_in_two_messages() {
    let mut world = World::new("2024-03-01T08:00:00Z");
    break_chat(&mut world);
    for day in 1..=28 {
        let severity = if day == 20 {
            Severity::Critical
        } else {
            Severity::Warning
        };
        world.alert(
            &format!("a{day:02}"),
            severity,
            &format!("2024-03-{day:02}"),
        );
        // Another start each day, as with a job that cron begins.
        world.memory = Memory::default();
        let waiting = world.pass().0.channels[0].waiting;
        assert_eq!(waiting, day, "those behind the first count");
        broken_day(&mut world);
    }
    world.broken.clear();
    let (passed, sent) = world.pass();
    assert_eq!((passed.sent, sent.len()), (2, 2));
    assert_eq!(sent[0].ids(), ["a01"]);
    let second = sent[1].alerts();
    assert_eq!(
        (sent[1].ids()[..3].to_vec(), second.more),
        (vec!["a20", "a28", "a27"], 7)
    );
    assert_eq!(passed.channels[0].waiting, 0);
    world.wait(60);
    assert_eq!(world.pass().1, []);
}

#[test]
fn an_alert_that_arises_while_the_channel_is_tried_again_is_not_lost_when_it_works_after_a_week() {
    let mut world = World::new("2024-03-01T08:00:00Z");
    let error = SendError::needs_person("401: is the token right?");
    world.broken.insert("chat".to_owned(), error);
    world.alert("first", Severity::Warning, "2024-03-01");
    assert!(world.pass().0.channels[0].needs_a_person);
    world.wait(10);
    world.alert("second", Severity::Warning, "2024-03-01");
    assert_eq!(world.pass().0.channels[0].waiting, 2);
    for _ in 0..10 {
        broken_day(&mut world);
    }
    world.broken.clear();
    let sent = world.pass().1;
    let ids: Vec<&str> = sent.iter().flat_map(Sent::ids).collect();
    assert_eq!(ids, ["first", "second"]);
}

#[test]
fn what_may_pass_quiet_hours_and_failed_once_does_not_wait_behind_what_may_not() {
    let mut world = World::new("2024-01-10T20:30:00Z");
    world.channels[0].quiet_hours = quiet_hours(true);
    world.alert("mild", Severity::Warning, "2024-01-10");
    break_chat(&mut world);
    assert_eq!(world.pass().0.failed, 1);
    world.at("2024-01-10T22:00:00Z");
    world.alert("grave", Severity::Critical, "2024-01-10");
    assert_eq!(world.pass().0.failed, 1);
    world.broken.clear();
    world.at("2024-01-10T23:00:00Z");
    assert_eq!(world.pass().1[0].ids(), ["grave"]);
    world.at("2024-01-11T06:00:00Z");
    assert_eq!(world.pass().1[0].ids(), ["mild"]);
}

#[test]
fn what_may_pass_quiet_hours_does_not_wait_behind_what_may_not() {
    let mut world = World::new("2024-01-10T20:30:00Z");
    world.channels[0].quiet_hours = quiet_hours(true);
    world.alert("mild", Severity::Warning, "2024-01-10");
    break_chat(&mut world);
    assert_eq!(world.pass().0.failed, 1);
    world.broken.clear();
    world.at("2024-01-10T22:00:00Z");
    let (passed, sent) = world.pass();
    assert_eq!((sent.len(), passed.channels[0].waiting), (0, 1));
    assert_eq!(passed.next, Some("2024-01-11T06:00:00Z".parse().unwrap()));
    world.alert("grave", Severity::Critical, "2024-01-10");
    assert_eq!(world.pass().1[0].ids(), ["grave"]);
    world.at("2024-01-11T06:00:00Z");
    assert_eq!(world.pass().1[0].ids(), ["mild"]);
}

//! Digests in fast motion.

use chrono::Weekday;

use super::*;
use crate::model::notice::NoticeKind;

#[test]
fn a_digest_comes_once_at_its_time_and_after_downtime_the_last_alone() {
    let mut world = World::new("2024-03-29T06:00:00Z");
    world.channels[0].digest.daily = Some(7 * 60);
    let sent = world.pass().1;
    assert_eq!(sent[0].digest().last_day.to_string(), "2024-03-28");
    assert_eq!(sent[0].notice.at_utc_secs(), world.now.get().timestamp());
    assert_eq!(
        world.pass().0.next,
        Some("2024-03-30T06:00:00Z".parse().unwrap())
    );
    for (now, count) in [
        ("2024-03-30T05:59:59Z", 0),
        ("2024-03-30T06:00:00Z", 1),
        // Clocks went forward.
        ("2024-03-31T04:59:59Z", 0),
        ("2024-03-31T05:00:00Z", 1),
        ("2024-03-31T23:00:00Z", 0),
        // Nobody was there for four days.
        ("2024-04-04T20:00:00Z", 1),
    ] {
        world.at(now);
        world.memory = Memory::default();
        let sent = world.pass().1;
        assert_eq!(sent.len(), count, "{now}");
        assert!(
            sent.iter()
                .all(|sent| sent.digest().kind == NoticeKind::Daily)
        );
    }
    world.channels[0].digest.daily = Some(21 * 60);
    assert_eq!(
        world.pass().1,
        [],
        "another time of the same day is no other digest"
    );
}

#[test]
fn a_weekly_digest_is_about_the_seven_days_before() {
    let mut world = World::new("2024-03-11T06:00:00Z");
    world.channels[0].digest.weekly = Some((Weekday::Mon, 7 * 60));
    let sent = world.pass().1;
    let digest = sent[0].digest();
    let days = (digest.first_day.to_string(), digest.last_day.to_string());
    assert_eq!(days, ("2024-03-04".to_owned(), "2024-03-10".to_owned()));
    for _ in 0..6 {
        world.wait(24 * 60);
        assert_eq!(world.pass().1, []);
    }
    world.wait(24 * 60);
    assert_eq!(world.pass().1.len(), 1);
}

#[test]
fn quiet_days_have_a_digest_where_they_shall() {
    for (on_quiet_days, is_quiet, count) in [(true, true, 1), (false, true, 0), (false, false, 1)] {
        let mut world = World::new("2024-03-11T06:00:00Z");
        world.is_quiet = is_quiet;
        world.channels[0].digest.daily = Some(7 * 60);
        world.channels[0].digest.on_quiet_days = on_quiet_days;
        assert_eq!(world.pass().1.len(), count);
        world.is_quiet = false;
        assert_eq!(world.pass().1, [], "a day that was passed over is over");
    }
}

#[test]
fn a_digest_that_failed_is_sent_later_about_the_same_days() {
    let mut world = World::new("2024-03-11T06:00:00Z");
    world.channels[0].digest.daily = Some(7 * 60);
    world
        .broken
        .insert("chat".to_owned(), SendError::soon("no answer"));
    assert_eq!(world.pass().0.failed, 1);
    world.broken.clear();
    world.at("2024-03-12T05:00:00Z");
    let sent = world.pass().1;
    assert_eq!(sent[0].digest().last_day.to_string(), "2024-03-10");
    assert_eq!(sent.len(), 1);
}

#[test]
fn a_digest_that_cannot_be_made_keeps_no_alert_from_anybody() {
    let mut world = World::new("2024-03-11T06:00:00Z");
    world.channels[0].digest.daily = Some(7 * 60);
    world.has_numbers = false;
    for number in 0..5 {
        world.alert(&format!("a{number}"), Severity::Warning, "2024-03-10");
        let sent = world.pass().1;
        assert_eq!(sent[0].ids(), [format!("a{number}")]);
        world.wait(10);
    }
    let passed = world.pass().0;
    let status = &passed.channels[0];
    assert!(status.failures > 2, "{status:?}");
    assert!(status.last_error.as_ref().unwrap().1.contains("no numbers"));
    world.has_numbers = true;
    world.wait(60);
    let (passed, sent) = world.pass();
    assert_eq!(sent[0].digest().last_day.to_string(), "2024-03-10");
    let status = &passed.channels[0];
    assert_eq!((status.failures, &status.last_error), (0, &None));
}

#[test]
fn a_digest_is_about_the_last_utc_day_that_is_over_wherever_people_are() {
    for (zone, now, last_day) in [
        // Seven in the morning there, the evening of the 21st in UTC.
        ("Pacific/Auckland", "2026-11-21T18:00:00Z", "2026-11-20"),
        ("Asia/Tokyo", "2026-11-21T22:00:00Z", "2026-11-20"),
        ("Asia/Kolkata", "2026-11-22T01:30:00Z", "2026-11-21"),
        ("UTC", "2026-11-22T07:00:00Z", "2026-11-21"),
        ("Europe/Berlin", "2026-11-22T06:00:00Z", "2026-11-21"),
        ("America/Los_Angeles", "2026-11-22T15:00:00Z", "2026-11-21"),
        ("Pacific/Honolulu", "2026-11-22T17:00:00Z", "2026-11-21"),
    ] {
        let mut world = World::new(now);
        world.zone = zone.parse().unwrap();
        world.channels[0].digest.daily = Some(7 * 60);
        let sent = world.pass().1;
        assert_eq!(sent[0].digest().last_day.to_string(), last_day, "{zone}");
        for _ in 0..4 {
            world.wait(24 * 60);
            let before = sent[0].digest().last_day;
            let next = world.pass().1;
            assert_eq!(next.len(), 1);
            assert!(next[0].digest().last_day > before, "{zone}");
        }
    }
}

#[test]
fn a_weekly_digest_east_of_greenwich_is_about_seven_days_that_are_over() {
    let mut world = World::new("2026-11-22T18:00:00Z");
    world.zone = "Pacific/Auckland".parse().unwrap();
    world.channels[0].digest.weekly = Some((Weekday::Mon, 7 * 60));
    let sent = world.pass().1;
    let digest = sent[0].digest();
    let days = (digest.first_day.to_string(), digest.last_day.to_string());
    assert_eq!(days, ("2026-11-15".to_owned(), "2026-11-21".to_owned()));
}

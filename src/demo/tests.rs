//! The invented data holds what the demo promises.

use std::collections::BTreeSet;

use super::*;

fn plan(reports: u64, days: u32, seed: u64) -> DemoPlan {
    DemoPlan {
        reports,
        days,
        end: Day::from_ymd_opt(2026, 3, 9).unwrap(),
        seed,
    }
}

fn files(plan: &DemoPlan) -> Vec<File> {
    generate(plan).map(Result::unwrap).collect()
}

#[test]
fn same_seed_gives_the_same_bytes_and_another_seed_others() {
    assert_eq!(files(&plan(200, 10, 7)), files(&plan(200, 10, 7)));
    assert_ne!(files(&plan(200, 10, 7)), files(&plan(200, 10, 8)));
}

#[test]
fn as_many_reports_as_asked_for_in_any_plan() {
    for (reports, days) in [(1, 1), (7, 3), (600, 60), (3_000, 20), (50, 60)] {
        let files = files(&plan(reports, days, 1));
        let names = |file: &&File| {
            file.name.matches('!').count() == 3 && !file.name.starts_with("copy-of-")
        };
        assert_eq!(
            files.iter().filter(names).count() as u64,
            reports,
            "{reports} in {days} days"
        );
        let unique: BTreeSet<_> = files.iter().map(|file| (file.day, &file.name)).collect();
        assert_eq!(unique.len(), files.len(), "names are unique within a day");
    }
}

#[test]
fn extras_happen_in_the_default_plan() {
    let files = files(&plan(1_800, 60, 1));
    for (part, least) in [
        ("tls-", 10),
        ("failure-", 1),
        ("broken-", 1),
        ("no-traffic-", 1),
        ("out-of-office", 1),
        ("small.example-", 2),
        ("copy-of-", 3),
    ] {
        let count = files
            .iter()
            .filter(|file| file.name.starts_with(part))
            .count();
        assert!(count >= least, "{part}: {count}");
    }
}

#[test]
fn quiet_reporter_sends_until_it_stops() {
    let files = files(&plan(1_800, 60, 1));
    let last = files
        .iter()
        .filter(|file| {
            file.name
                .starts_with(&format!("{}!{}", world::QUIET_REPORTER, DOMAINS[0].name))
        })
        .map(|file| file.day)
        .max();
    assert_eq!(last, Day::from_ymd_opt(2026, 2, 28));
}

#[test]
fn wave_and_broken_week_show_in_the_rows() {
    let story = Story::of(&plan(1_800, 60, 1));
    let failing = |domain: usize, age: u64| {
        let scene = Scene {
            domain: &DOMAINS[domain],
            reporter: &REPORTERS[0],
            story,
            age,
            weekday: 0,
        };
        let rows = scene.rows(&mut Random::of(1, &[age]));
        let sum = |keep: fn(&traffic::Row) -> bool| {
            rows.iter()
                .filter(|row| keep(row))
                .map(|row| row.count)
                .sum::<u64>()
        };
        (
            sum(|row| !row.dkim_aligned && !row.spf_aligned),
            sum(|row| !row.dkim_aligned),
        )
    };
    assert!(
        failing(0, 10).0 > 5 * failing(0, 50).0.max(1),
        "{:?} {:?}",
        failing(0, 10),
        failing(0, 50)
    );
    assert!(
        failing(1, 35).1 > 5 * failing(1, 50).1.max(1),
        "{:?} {:?}",
        failing(1, 35),
        failing(1, 50)
    );
}

#[test]
fn bulk_days_have_seven_and_a_half_records_a_report() {
    let stamp = Stamp::of(Day::from_ymd_opt(2026, 3, 9).unwrap(), 0);
    let files = bulk::day(1, stamp, 0, bulk::REPORTS_A_DAY).unwrap();
    let mut records = 0;
    for file in &files {
        let mut xml = String::new();
        io::Read::read_to_string(
            &mut flate2::read::GzDecoder::new(file.bytes.as_slice()),
            &mut xml,
        )
        .unwrap();
        records += xml.matches("<record>").count();
    }
    assert!((7_000..8_000).contains(&records), "{records}");
    assert_eq!(files, bulk::day(1, stamp, 0, bulk::REPORTS_A_DAY).unwrap());
}

//! What the ledger promises, on real files.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::model::day::days_before;
use crate::model::retention::FirstSight;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn advanced(text: &str) -> Event {
    Event::AsOfAdvanced { as_of: day(text) }
}

fn run(items: u64) -> Event {
    Event::RunFinished(RunResult {
        kind: "ingest".into(),
        started_utc_secs: 1_700_000_000,
        duration_ms: 12,
        items,
        outcomes: [items, 0, 0, 0, 0, 0, 0, 0],
        ..RunResult::default()
    })
}

/// A ledger of three lines, its folder and its bytes.
fn three_lines() -> (TempDir, Ledger, Vec<u8>) {
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    ledger
        .append(10, &[advanced("2024-05-01"), run(1)])
        .unwrap();
    ledger.append(20, &[run(2)]).unwrap();
    let bytes = fs::read(ledger.path()).unwrap();
    (folder, ledger, bytes)
}

fn line_ends(bytes: &[u8]) -> Vec<usize> {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect()
}

#[test]
fn events_come_back_in_order_with_their_numbers() {
    let (_folder, ledger, bytes) = three_lines();
    let (entries, offset) = ledger.read(None).unwrap();
    let expect = [
        (1, 10, advanced("2024-05-01")),
        (2, 10, run(1)),
        (3, 20, run(2)),
    ];
    assert_eq!(
        entries,
        expect.map(|(seq, at_utc_secs, event)| Entry {
            seq,
            at_utc_secs,
            event
        })
    );
    assert_eq!(
        (offset, ledger.offset().unwrap()),
        (bytes.len() as u64, bytes.len() as u64)
    );
}

#[test]
fn empty_ledger_reads_as_nothing() {
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(&folder.path().join("data/ledger")).unwrap();
    ledger.append(1, &[]).unwrap();
    for up_to in [None, Some(0)] {
        assert_eq!(ledger.read(up_to).unwrap(), (vec![], 0));
    }
    assert_eq!(ledger.offset().unwrap(), 0);
    ledger.read(Some(1)).unwrap_err();
}

#[test]
fn reading_up_to_an_offset_gives_what_was_there_then() {
    let (_folder, ledger, bytes) = three_lines();
    for (count, end) in (1..).zip(line_ends(&bytes)) {
        let (entries, offset) = ledger.read(Some(end as u64)).unwrap();
        assert_eq!((entries.len(), offset), (count, end as u64));
    }
    for inside in [1, line_ends(&bytes)[0] as u64 - 1, bytes.len() as u64 + 1] {
        assert!(
            ledger
                .read(Some(inside))
                .unwrap_err()
                .to_string()
                .contains("no line up to byte"),
            "{inside}"
        );
    }
}

#[test]
fn tail_torn_at_any_byte_is_cut_by_the_next_append() {
    let (_folder, ledger, bytes) = three_lines();
    let ends = line_ends(&bytes);
    for cut in 0..bytes.len() {
        for garbage in [&b""[..], &[0; 5]] {
            fs::write(ledger.path(), [&bytes[..cut], garbage].concat()).unwrap();
            let whole = ends.iter().filter(|end| **end <= cut).count();
            let (entries, offset) = ledger.read(None).unwrap();
            assert_eq!(
                (entries.len(), offset),
                (
                    whole,
                    whole.checked_sub(1).map_or(0, |last| ends[last] as u64)
                ),
                "{cut}"
            );
            ledger.append(30, &[run(9)]).unwrap();
            let (entries, offset) = ledger.read(None).unwrap();
            assert_eq!(
                entries.last().unwrap(),
                &Entry {
                    seq: whole as u64 + 1,
                    at_utc_secs: 30,
                    event: run(9)
                }
            );
            assert_eq!(offset, fs::metadata(ledger.path()).unwrap().len());
        }
    }
}

#[test]
fn damage_in_a_whole_line_is_an_error_at_any_byte() {
    let (_folder, ledger, bytes) = three_lines();
    let ends = line_ends(&bytes);
    for at in 0..bytes.len() - 1 {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(ledger.path(), damaged).unwrap();
        let line = ends.iter().filter(|end| **end <= at).count();
        let start = line.checked_sub(1).map_or(0, |before| ends[before]);
        let message = ledger.read(None).unwrap_err().to_string();
        assert!(
            message.contains(&format!("line {} (at byte {start})", line + 1)),
            "{at}: {message}"
        );
    }
}

#[test]
fn append_behind_a_damaged_last_line_is_refused_and_changes_nothing() {
    let (_folder, ledger, bytes) = three_lines();
    let mut damaged = bytes;
    let at = damaged.len() - 10;
    damaged[at] ^= 1;
    fs::write(ledger.path(), &damaged).unwrap();
    let message = ledger.append(30, &[run(9)]).unwrap_err().to_string();
    assert!(
        message.contains("last line") && message.contains("restore the file from a backup"),
        "{message}"
    );
    assert_eq!(fs::read(ledger.path()).unwrap(), damaged);
}

#[test]
fn lost_repeated_and_swapped_lines_are_errors() {
    let (_folder, ledger, bytes) = three_lines();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for order in [&[0, 2][..], &[0, 0, 1], &[1, 0, 2], &[1]] {
        fs::write(
            ledger.path(),
            order
                .iter()
                .map(|line| lines[*line])
                .collect::<Vec<_>>()
                .concat(),
        )
        .unwrap();
        assert!(
            ledger
                .read(None)
                .unwrap_err()
                .to_string()
                .contains("sequence number"),
            "{order:?}"
        );
    }
}

#[test]
fn event_of_a_newer_version_says_which_version_reads_it() {
    #[derive(Serialize)]
    struct Newer {
        seq: u64,
        at_utc_secs: i64,
        version: &'static str,
        event: &'static str,
    }
    let (_folder, ledger, _) = three_lines();
    let text = serde_json::to_string(&Newer {
        seq: 1,
        at_utc_secs: 0,
        version: "7.1.0",
        event: "tea-made",
    })
    .unwrap();
    fs::write(ledger.path(), line::seal(text)).unwrap();
    let message = ledger.read(None).unwrap_err().to_string();
    assert!(
        message.contains("\"tea-made\" was written by version 7.1.0"),
        "{message}"
    );
    ledger.append(1, &[run(1)]).unwrap();
}

#[test]
fn line_over_the_limit_is_refused_before_it_is_written() {
    let (_folder, ledger, bytes) = three_lines();
    let large = Event::RunFinished(RunResult {
        kind: "x".repeat(line::MAX_LINE_BYTES),
        ..RunResult::default()
    });
    assert_eq!(
        ledger.append(1, &[run(3), large]).unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
    assert_eq!(fs::read(ledger.path()).unwrap(), bytes);
    fs::write(ledger.path(), vec![b'x'; 3 * line::MAX_LINE_BYTES]).unwrap();
    assert!(
        ledger
            .read(None)
            .unwrap_err()
            .to_string()
            .contains("too long")
    );
    ledger.append(1, &[run(3)]).unwrap_err();
}

#[test]
fn appends_of_many_writers_all_arrive() {
    let folder = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let ledger = Ledger::open(folder.path()).unwrap();
            scope.spawn(move || {
                (0..10).for_each(|_| ledger.append(writer, &[run(1), run(2)]).unwrap())
            });
        }
        let reader = Ledger::open(folder.path()).unwrap();
        scope.spawn(move || {
            (0..20).for_each(|_| assert_eq!(reader.read(None).unwrap().0.len() % 2, 0))
        });
    });
    let entries = Ledger::open(folder.path()).unwrap().read(None).unwrap().0;
    assert_eq!(entries.len(), 80);
    assert!(
        entries
            .chunks(2)
            .all(|pair| pair[0].at_utc_secs == pair[1].at_utc_secs),
        "an append is not torn apart"
    );
}

#[test]
fn view_counts_runs_and_never_goes_back_in_time() {
    let (first, last) = (day("2024-05-01"), day("2024-05-09"));
    let event = |seq, event| Entry {
        seq,
        at_utc_secs: 100 + i64::try_from(seq).unwrap(),
        event,
    };
    let entries = [
        event(1, Event::AsOfAdvanced { as_of: last }),
        event(2, run(4)),
        event(
            3,
            Event::AsOfAdvanced {
                as_of: days_before(last, 8),
            },
        ),
        event(4, run(5)),
    ];
    assert_eq!(days_before(last, 8), first);
    let view = View::fold(&entries);
    assert_eq!(
        (view.as_of, view.last_run_utc_secs),
        (Some(last), Some(104))
    );
    let runs: Vec<_> = view
        .runs
        .iter()
        .map(|run| (run.run_no, run.ended_utc_secs, run.result.items))
        .collect();
    assert_eq!(runs, [(1, 102, 4), (2, 104, 5)]);
    assert_eq!(View::fold(&[]), View::default());
}

fn sight(kind: SightKind, domain: &str, subject: String, text: &str) -> FirstSight {
    FirstSight {
        kind,
        domain: domain.into(),
        subject,
        day: day(text),
    }
}

fn retention(text: &str) -> Event {
    Event::RetentionAdvanced {
        expired_before: day(text),
        months: 12,
    }
}

#[test]
fn any_number_of_first_sights_fits_into_lines_and_comes_back() {
    let mut sights: Vec<FirstSight> = (0..40_000)
        .map(|number| {
            let domain = format!("d{}.example", number % 7);
            let kind = SightKind::ALL[number % SightKind::ALL.len()];
            // Control characters take six bytes each in a line.
            let subject = format!("{number}{}", "\u{1}".repeat(number % 50));
            sight(kind, &domain, subject, "2024-05-01")
        })
        .collect();
    sights.push(sight(SightKind::Policy, "", "x".repeat(8192), "2024-05-01"));
    sights.sort();
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let mut events = first_seen(&sights);
    assert!(events.len() > SightKind::ALL.len(), "{}", events.len());
    events.push(retention("2024-06-01"));
    ledger.append(10, &events).unwrap();
    let view = View::fold(&ledger.read(None).unwrap().0);
    let had = view.retention.unwrap();
    assert_eq!(had.expired_before, day("2024-06-01"));
    assert!(had.first_seen == sights);
}

#[test]
fn first_sights_count_from_their_cut_off_on_and_the_earliest_holds() {
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let source = |text| sight(SightKind::Source, "example.com", "192.0.2.1".into(), text);
    let view = || View::fold(&ledger.read(None).unwrap().0);
    ledger
        .append(10, &first_seen(&[source("2024-05-02")]))
        .unwrap();
    assert_eq!(view().retention, None);
    let mut events = first_seen(&[source("2024-05-01")]);
    events.push(retention("2024-06-01"));
    ledger.append(10, &events).unwrap();
    ledger
        .append(10, &first_seen(&[source("2024-04-01")]))
        .unwrap();
    let had = view().retention.unwrap();
    assert_eq!(had.first_seen, [source("2024-05-01")]);
    ledger.append(10, &[retention("2024-05-01")]).unwrap();
    let had = view().retention.unwrap();
    assert_eq!(had.expired_before, day("2024-06-01"), "it never goes back");
    assert_eq!(had.first_seen, [source("2024-04-01")]);
}

fn asked(id: &str) -> Event {
    Event::JobRequested(JobRequest {
        id: id.into(),
        kind: "backlog".into(),
        parameters: [("inbox".into(), "dmarc".into())].into(),
    })
}

fn piece(id: &str, items: u64) -> Event {
    let Event::RunFinished(result) = run(items) else {
        unreachable!()
    };
    Event::RunFinished(RunResult {
        kind: "backlog".into(),
        id: id.into(),
        ..result
    })
}

#[test]
fn a_job_that_was_asked_for_is_owed_until_it_ends_or_fails() {
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    let failed = Event::JobFailed(JobFailure {
        id: "b".into(),
        kind: "backlog".into(),
        error: "no such folder".into(),
        ..JobFailure::default()
    });
    let events = [
        run(9),
        asked("a"),
        asked("b"),
        piece("a", 5),
        failed,
        piece("a", 2),
        Event::JobEnded {
            id: "a".into(),
            detail: None,
        },
        asked("c"),
        piece("c", 1),
        piece("d", 4),
    ];
    ledger.append(30, &events).unwrap();
    let view = |count: usize| View::fold(&ledger.read(None).unwrap().0[..count]);
    let states = |view: &View| -> String {
        let state = |job: &Job| format!("{} {:?} {}", job.id, job.state, job.items);
        view.jobs.iter().map(state).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(states(&view(4)), "a Owed 5, b Owed 0");
    let last = view(events.len());
    assert_eq!(
        states(&last),
        "a Done 7, b Failed 0, c Owed 1, d Done 4",
        "runs without a name are no jobs"
    );
    let a = &last.jobs[0];
    assert_eq!((a.duration_ms, a.outcomes[0]), (24, 7));
    assert_eq!(a.requested_utc_secs, Some(30));
    assert_eq!(last.jobs[1].error.as_deref(), Some("no such folder"));
    assert_eq!(last.jobs[3].requested_utc_secs, None);
    assert_eq!(last.runs.len(), 5);
}

#[test]
fn runs_that_were_noted_before_jobs_had_names_are_read_as_before() {
    let line = line::seal(
        r#"{"seq":1,"at_utc_secs":5,"version":"0.1.0","event":"run-finished","kind":"ingest","started_utc_secs":4,"duration_ms":9,"items":1,"outcomes":[1,0,0,0,0,0,0,0]}"#
            .to_owned(),
    );
    let folder = TempDir::new().unwrap();
    let ledger = Ledger::open(folder.path()).unwrap();
    fs::write(ledger.path(), line).unwrap();
    let (entries, _) = ledger.read(None).unwrap();
    let view = View::fold(&entries);
    assert_eq!((view.runs[0].result.items, view.jobs.len()), (1, 0));
}

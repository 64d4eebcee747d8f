//! Reports that are older than the retention: gone from rows, files and archive, whatever the order of the steps.

use sha2::{Digest as _, Sha256};

use super::super::maintain::{Maintained, maintain};
use super::*;
use crate::archive::{Content, Item};
use crate::ledger::View;
use crate::model::item::{ItemKind, MailHeader, Provenance};

/// 2024-05-02T08:00:00Z, seven weeks after [`NOW_UTC_SECS`].
const LATER_UTC_SECS: i64 = 1_714_636_800;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A report about one day, with one source.
fn report(day: &str, number: usize, source: &str) -> String {
    let begin = day.parse::<Day>().unwrap().and_time(chrono::NaiveTime::MIN);
    let begin = begin.and_utc().timestamp();
    let end = begin + 86_399;
    format!(
        "<feedback><report_metadata><org_name>r{number}.example</org_name><email>a@r{number}.example</email>
        <report_id>{number}</report_id><date_range><begin>{begin}</begin><end>{end}</end></date_range></report_metadata>
        <policy_published><domain>example.com</domain><p>reject</p></policy_published>
        <record><row><source_ip>{source}</source_ip><count>3</count><policy_evaluated>
        <disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
        <identifiers><header_from>example.com</header_from></identifiers><auth_results></auth_results></record></feedback>"
    )
}

fn mail_of(reports: &[String]) -> String {
    let parts = reports
        .iter()
        .map(|report| format!("--b\r\nContent-Type: text/xml\r\n\r\n{report}\r\n"));
    format!(
        "From: a@r.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n",
        parts.collect::<String>()
    )
}

/// Reports of five months, among them some that come late, copies, a mail with an old and a new one, and what is no
/// report.
fn months(folder: &Path) -> Vec<OsString> {
    let of = |day, number, source| report(day, number, source);
    let texts = [
        ("a.xml", of("2024-01-05", 1, "192.0.2.1")),
        ("b.xml", of("2024-02-05", 1, "192.0.2.1")),
        ("copy.xml", of("2024-01-05", 1, "192.0.2.1")),
        ("conflict.xml", of("2024-01-05", 1, "192.0.2.9")),
        ("c.xml", of("2024-02-29", 2, "192.0.2.2")),
        (
            "old and new.eml",
            mail_of(&[
                of("2024-01-31", 3, "192.0.2.3"),
                of("2024-04-01", 3, "192.0.2.3"),
            ]),
        ),
        (
            "old twice.eml",
            mail_of(&[
                of("2024-01-30", 3, "192.0.2.4"),
                of("2024-01-05", 1, "192.0.2.1"),
            ]),
        ),
        (
            "old and broken.eml",
            mail_of(&[
                of("2024-01-29", 4, "192.0.2.5"),
                "<feedback><report_metadata>".into(),
            ]),
        ),
        ("notes.txt", "nothing at all".into()),
        ("d.xml", of("2024-03-01", 1, "192.0.2.1")),
        ("late.xml", of("2024-01-06", 1, "192.0.2.6")),
        ("another copy.xml", of("2024-01-05", 1, "192.0.2.1")),
        ("e.xml", of("2024-04-20", 5, "192.0.2.2")),
        ("f.xml", of("2024-04-21", 5, "192.0.2.4")),
    ];
    let mut paths = Vec::new();
    for (index, (name, text)) in texts.iter().enumerate() {
        let path = folder.join(format!("{index:02} {name}"));
        fs::write(&path, text).unwrap();
        paths.push(path.into_os_string());
    }
    paths
}

impl World {
    fn on<T>(&self, as_of: &str, months: Option<u32>, work: impl FnOnce(&Run) -> T) -> T {
        self.with_run(|run| {
            work(&Run {
                as_of: Some(day(as_of)),
                store: StoreConfig {
                    retention_months: months,
                    ..run.store.clone()
                },
                today: day("2024-05-02"),
                started_utc_secs: LATER_UTC_SECS,
                ..run.clone()
            })
        })
    }

    fn ingest_on(&self, as_of: &str, months: Option<u32>, paths: &[OsString]) -> Done {
        let ingested = |run: &Run| ingest(run, paths, &mut |_| {});
        self.on(as_of, months, ingested).unwrap()
    }

    /// Of a day and of the next one, when the archive lets go of its bytes.
    fn maintain_on(&self, as_of: &str, months: Option<u32>) -> Maintained {
        let maintained = |run: &Run| {
            let first = maintain(run, &mut |_| {}).unwrap();
            let next_day = Run {
                started_utc_secs: run.started_utc_secs + 86_400,
                ..run.clone()
            };
            let mut second = maintain(&next_day, &mut |_| {}).unwrap();
            second.generation = second.generation.or(first.generation);
            second.pruned = second.pruned.or(first.pruned);
            second.compacted.add(&first.compacted);
            second
        };
        self.on(as_of, months, maintained)
    }

    fn view(&self) -> View {
        let ledger = Ledger::open(&self.folders().ledger()).unwrap();
        View::fold(&ledger.read(None).unwrap().0)
    }

    fn cut_off(&self) -> Option<Day> {
        self.view().retention.map(|had| had.expired_before)
    }

    /// Rows of the published database, a text each.
    fn rows(&self, sql: &str) -> Vec<String> {
        let file = self.current().database().unwrap();
        let connection = duckdb_of(&file);
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn assert_no_difference(&self, what: &str) {
        let verified = self.with_run(|run| verify(run, &mut |_| {})).unwrap();
        assert_eq!(verified.differences, Vec::<String>::new(), "{what}");
    }

    /// What was published before it is rebuilt is what a rebuild gives.
    fn assert_as_rebuilt(&self, what: &str) {
        self.assert_no_difference(what);
        let before = self.current();
        let kept = self.folder.path().join("before.duckdb");
        fs::copy(before.database().unwrap(), &kept).unwrap();
        self.with_run(|run| rebuild(run, &mut |_| {})).unwrap();
        assert_eq!(
            self.current().manifest.files,
            before.manifest.files,
            "{what}"
        );
        self.with_run(|run| {
            let entries = Ledger::open(&run.folders.ledger())
                .unwrap()
                .read(None)
                .unwrap()
                .0;
            let run = super::super::retention::of(run, &entries);
            let store = Store::open(run.store).unwrap();
            store.attach(&kept).unwrap();
            assert_eq!(store.differences().unwrap(), Vec::<String>::new(), "{what}");
        });
    }
}

fn duckdb_of(file: &Path) -> crate::store::Connection {
    crate::store::Connection::open(file).unwrap()
}

const OUTCOMES: &str = "select item_no || ' ' || outcome || coalesce(' ' || path, '') from documents order by item_no, path";
const FIRST: &str = "select source_ip || ' ' || first_day from sources order by 1";

#[test]
fn a_cut_off_that_moves_on_between_the_runs_gives_what_a_rebuild_gives() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    for cuts in [vec![0], vec![10], vec![1, 5, 8], vec![4, 12], vec![14]] {
        let world = World::new(2);
        let ends = cuts.iter().copied().chain([paths.len()]);
        let begins = [0].into_iter().chain(cuts.iter().copied());
        let days = ["2024-03-10", "2024-04-01", "2024-04-15", "2024-04-30"];
        for ((begin, end), as_of) in begins.zip(ends).zip(days) {
            world.ingest_on(as_of, Some(1), &paths[begin..end]);
            world.assert_no_difference(&format!("{cuts:?} {as_of}"));
        }
        world.ingest_on("2024-05-02", Some(2), &[]);
        assert_eq!(world.cut_off(), Some(day("2024-03-01")), "{cuts:?}");
        let older =
            world.rows("select distinct day::varchar from records where day < date '2024-03-01'");
        assert_eq!(older, Vec::<String>::new(), "{cuts:?}");
        assert!(
            world
                .current()
                .manifest
                .files
                .keys()
                .all(|path| !path.contains("day=2024-02"))
        );
        world.assert_as_rebuilt(&format!("{cuts:?}"));
        world.maintain_on("2024-05-02", Some(2));
        world.assert_as_rebuilt(&format!("pruned, {cuts:?}"));
    }
}

#[test]
fn what_is_gone_is_told_of_and_what_it_said_first_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let world = World::new(2);
    world.ingest_on("2024-03-10", None, &paths[..10]);
    let firsts = world.rows(FIRST);
    assert_eq!(firsts[0], "192.0.2.1 2024-01-05");
    // Late reports are not counted any more, nor is what they said first.
    let done = world.ingest_on("2024-05-02", Some(2), &paths[10..]);
    assert_eq!(
        (
            done.loaded.count(Outcome::Expired),
            done.loaded.count(Outcome::Accepted)
        ),
        (2, 2)
    );
    let outcomes = world.rows(OUTCOMES);
    let starts = [
        "1 expired ",
        "2 expired ",
        "3 expired ",
        "4 expired ",
        "5 expired ",
        "6 expired 1",
        "6 accepted 2",
        "7 expired ",
        "8 expired 1",
        "8 refused 2",
        "9 not-a-report ",
        "10 accepted ",
        "11 expired ",
        "12 expired ",
        "13 accepted ",
        "14 accepted ",
    ];
    for (outcome, start) in outcomes.iter().zip(starts) {
        assert!(outcome.starts_with(start), "{outcomes:?}");
    }
    assert_eq!(outcomes.len(), starts.len(), "{outcomes:?}");
    assert_eq!(
        world.rows(FIRST),
        [
            "192.0.2.1 2024-01-05",
            "192.0.2.2 2024-02-29",
            "192.0.2.3 2024-01-31",
            "192.0.2.4 2024-01-30",
        ]
    );
    let seen = "select kind || ' ' || subject || ' ' || first_day from first_seen where kind <> 'source' order by 1";
    assert_eq!(
        world.rows(seen),
        [
            "policy p=reject 2024-01-05",
            "reporter r1.example 2024-01-05",
            "reporter r2.example 2024-02-29",
            "reporter r3.example 2024-01-30",
            "reporter r4.example 2024-01-29",
            "sender own 2024-01-05",
        ]
    );
    let senders = "select sender || ' ' || first_day from domain_senders order by 1";
    assert_eq!(world.rows(senders), ["own 2024-01-05"]);
    let known = "select item_no || ' ' || content from items where content in ('known', 'expired') order by item_no";
    let expect = [
        "1 expired",
        "2 expired",
        "3 known",
        "4 expired",
        "5 expired",
        "7 expired",
        "11 expired",
        "12 known",
    ];
    assert_eq!(world.rows(known), expect);
}

#[test]
fn a_cut_off_never_goes_back_and_months_that_change_nothing_rebuild_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let world = World::new(2);
    world.ingest_on("2024-05-01", Some(2), &paths);
    let (had, events) = (world.current(), world.view());
    for months in [Some(2), Some(3), None] {
        let done = world.ingest_on("2024-05-01", months, &[]);
        assert!(done.generation.is_none(), "{months:?}");
        assert_eq!(
            (world.cut_off(), world.view()),
            (Some(day("2024-03-01")), events.clone())
        );
    }
    world.ingest_on("2024-05-01", Some(1), &[]);
    assert_eq!(world.cut_off(), Some(day("2024-04-01")));
    assert!(world.current().number > had.number);
    world.assert_as_rebuilt("fewer months");
}

#[test]
fn a_cut_off_that_meets_no_report_leaves_the_tables_alone() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let world = World::new(2);
    world.ingest_on("2024-05-01", None, &paths[9..10]);
    let loaded_again = |run: &Run| {
        let mut again = 0;
        ingest(run, &[], &mut |step| {
            if let Progress::LoadedAgain(documents) = step {
                again += documents.len();
            }
        })
        .unwrap();
        again
    };
    assert_eq!(world.on("2024-05-01", Some(2), loaded_again), 0);
    assert_eq!(world.cut_off(), Some(day("2024-03-01")));
    world.assert_as_rebuilt("untouched");
    assert_eq!(world.on("2024-05-01", Some(1), loaded_again), 1);
    world.assert_as_rebuilt("touched");
}

/// The bytes that the archive keeps, by item.
fn kept(world: &World) -> Vec<u64> {
    let archive = Archive::open(&world.folders().archive()).unwrap();
    let items = archive.read(0, 1 << 20).unwrap().flat_map(Result::unwrap);
    let kept = items.filter(|(_, item)| matches!(item.content, Content::Kept(_)));
    kept.map(|(item_no, _)| item_no).collect()
}

#[test]
fn maintenance_lets_the_bytes_go_and_changes_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let world = World::new(2);
    for one in paths.chunks(3) {
        // In March, so that the segments are of a closed month.
        world.ingest(one);
    }
    assert_eq!(world.maintain_on("2024-05-02", None).expired_before, None);
    let done = world.maintain_on("2024-05-02", Some(2));
    assert_eq!(done.expired_before, Some(day("2024-03-01")));
    assert!(done.generation.is_some());
    let pruned = done.pruned.unwrap();
    assert_eq!(pruned.pruned_items, 6, "{pruned:?}");
    assert_eq!(kept(&world), [6, 8, 10, 13, 14]);
    let outcomes = world.rows(OUTCOMES);
    world.assert_as_rebuilt("pruned");
    assert_eq!(world.rows(OUTCOMES), outcomes);
    let again = world.maintain_on("2024-05-02", Some(2));
    assert!(again.generation.is_none() && again.pruned.is_none());
    assert_eq!(again.compacted, Default::default());
    assert_eq!(world.view().pruned_before, Some(day("2024-03-01")));
    // What comes again is expired again, and counted by nobody.
    let copies = world.ingest_on("2024-05-02", Some(2), &[&paths[..3], &paths[..1]].concat());
    assert_eq!(copies.loaded.count(Outcome::Expired), 4);
    assert_eq!(
        kept(&world),
        [6, 8, 10, 13, 14],
        "known bytes are not kept again"
    );
    world.assert_as_rebuilt("the same again");
}

/// The same bytes as a mail and as a file are not the same reports.
#[test]
fn what_refers_to_bytes_that_expired_has_expired_whatever_it_would_make_of_them() {
    use base64::Engine as _;
    let text = report("2024-01-05", 1, "192.0.2.1");
    let coded = base64::engine::general_purpose::STANDARD.encode(&text);
    let coded = format!("Content-Transfer-Encoding: base64\r\n\r\n{coded}");
    let bytes = mail_of(&["text".into()])
        .replace("\r\ntext", &coded)
        .into_bytes();
    let item = |kind, content| Item {
        sha256: Sha256::digest(&bytes).into(),
        kind,
        content,
        provenance: Provenance::default(),
        header: MailHeader::default(),
        received_utc_secs: NOW_UTC_SECS,
    };
    let items = [
        item(ItemKind::Mail, Content::kept(bytes.clone())),
        item(ItemKind::File, Content::Known),
    ];
    let world = World::new(2);
    let mut archive = Archive::open(&world.folders().archive()).unwrap();
    archive.append(&items).unwrap();
    world.ingest_on("2024-02-10", None, &[]);
    let rows = "select item_no || ' ' || content || ' ' || bytes || ' ' || outcome from items join documents \
                using (item_no) order by item_no";
    let size = bytes.len();
    let had = [
        format!("1 kept {size} accepted"),
        format!("2 known {size} not-a-report"),
    ];
    assert_eq!(world.rows(rows), had);
    world.ingest_on("2024-05-02", Some(2), &[]);
    let gone = [
        format!("1 expired {size} expired"),
        format!("2 known {size} expired"),
    ];
    assert_eq!(world.rows(rows), gone);
    world.assert_as_rebuilt("expired");
    let pruned = world.maintain_on("2024-05-02", Some(2)).pruned.unwrap();
    assert_eq!(pruned.pruned_items, 1);
    world.assert_as_rebuilt("pruned");
    assert_eq!(world.rows(rows), gone);
}

#[test]
fn maintenance_that_died_at_any_step_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let whole = World::new(2);
    whole.ingest(&paths);
    whole.maintain_on("2024-05-02", Some(2));
    let later = |world: &World| {
        world.maintain_on("2024-05-02", Some(2));
        assert_eq!(kept(world), kept(&whole));
        world.assert_same_as_of_ledger(&whole);
        world.assert_as_rebuilt("finished");
    };
    // The ledger knows, and nothing else is done.
    let world = World::new(2);
    world.ingest(&paths);
    world.on("2024-05-02", Some(2), |run| {
        let ledger = Ledger::open(&run.folders.ledger()).unwrap();
        let archive = Archive::open(&run.folders.archive()).unwrap();
        super::super::run::advance(&ledger, run).unwrap();
        super::super::retention::advance(run, &ledger, &archive).unwrap();
    });
    later(&world);
    // First sights stand in the ledger, and the cut-off does not.
    let world = World::new(2);
    world.ingest(&paths);
    let ledger = Ledger::open(&world.folders().ledger()).unwrap();
    let seen = Event::FirstSeen {
        kind: crate::model::retention::SightKind::Source,
        sights: [(
            "example.com".into(),
            [("2024-01-05".into(), vec!["192.0.2.1".into()])].into(),
        )]
        .into(),
    };
    ledger.append(0, &[seen]).unwrap();
    assert_eq!(world.cut_off(), None);
    world.assert_no_difference("first sights that do not count yet");
    later(&world);
    // The archive is pruned, and the ledger does not say so.
    let world = World::new(2);
    world.ingest(&paths);
    world.ingest_on("2024-05-02", Some(2), &[]);
    let mut archive = Archive::open(&world.folders().archive()).unwrap();
    archive
        .prune(LATER_UTC_SECS, &[1..=2, 4..=5], "expired")
        .unwrap();
    world.assert_as_rebuilt("pruned in part");
    later(&world);
}

impl World {
    /// The same files and rows, but for what each ledger says of runs.
    fn assert_same_as_of_ledger(&self, other: &World) {
        assert_eq!(
            self.current().manifest.files,
            other.current().manifest.files
        );
        for table in [
            "reports",
            "records",
            "daily",
            "sources",
            "documents",
            "items",
            "first_seen",
            "about",
        ] {
            let sql = format!("select (t)::varchar from (from {table}) t order by 1");
            let strip = |rows: Vec<String>| -> Vec<String> {
                let end = |row: &String| row.find("'received_utc'").unwrap_or(row.len());
                rows.iter().map(|row| row[..end(row)].to_owned()).collect()
            };
            assert_eq!(strip(self.rows(&sql)), strip(other.rows(&sql)), "{table}");
        }
    }
}

/// A clock that says 2036 for a while.
fn in_2036(world: &World, hours: i64) -> Maintained {
    let years_secs = 12 * 365 * 86_400;
    world.with_run(|run| {
        let run = Run {
            store: StoreConfig {
                retention_months: Some(2),
                ..run.store.clone()
            },
            today: day("2036-04-30"),
            started_utc_secs: LATER_UTC_SECS + years_secs + hours * 3600,
            ..run.clone()
        };
        super::super::run::advance(&Ledger::open(&run.folders.ledger()).unwrap(), &run).unwrap();
        maintain(&run, &mut |_| {}).unwrap()
    })
}

#[test]
fn a_clock_that_was_years_ahead_costs_no_bytes_and_there_is_a_way_back() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let world = World::new(2);
    world.ingest_on("2024-05-01", None, &paths);
    world.maintain_on("2024-05-02", Some(4));
    let ledger_file = world.folders().ledger().join("events.jsonl");
    let (had, rows, lines) = (
        kept(&world),
        world.rows(OUTCOMES),
        fs::read(&ledger_file).unwrap(),
    );
    for hours in [0, 23] {
        assert!(in_2036(&world, hours).pruned.is_none(), "{hours}");
    }
    assert_eq!(world.cut_off(), Some(day("2036-02-01")));
    assert_ne!(world.rows(OUTCOMES), rows);
    // The clock is right again.
    assert!(
        world
            .on("2036-04-30", Some(2), |run| maintain(run, &mut |_| {}))
            .unwrap()
            .pruned
            .is_none()
    );
    assert_eq!(kept(&world), had);
    // As the README says.
    fs::write(&ledger_file, lines).unwrap();
    world.with_run(|run| rebuild(run, &mut |_| {})).unwrap();
    assert_eq!(world.rows(OUTCOMES), rows);
    world.assert_as_rebuilt("the way back");
}

#[test]
fn bytes_go_only_where_the_configuration_still_wants_it_a_day_later() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let world = World::new(2);
    world.ingest(&paths);
    let had = kept(&world);
    let maintained = |months, hours: i64| {
        world
            .on("2024-05-02", months, |run| {
                let started_utc_secs = run.started_utc_secs + hours * 3600;
                let run = Run {
                    started_utc_secs,
                    ..run.clone()
                };
                maintain(&run, &mut |_| {})
            })
            .unwrap()
            .pruned
    };
    for (months, hours) in [(Some(2), 0), (Some(2), 23), (Some(3), 24), (None, 48)] {
        assert!(maintained(months, hours).is_none(), "{months:?} {hours}");
        assert_eq!(kept(&world), had);
    }
    assert_eq!(maintained(Some(2), 24).unwrap().pruned_items, 6);
}

#[test]
fn the_archive_keeps_its_bytes_while_the_day_is_to_come() {
    let folder = tempfile::tempdir().unwrap();
    let paths = months(folder.path());
    let world = World::new(2);
    world.ingest(&paths);
    let done = world.maintain_on("2034-05-02", Some(2));
    assert_eq!(done.expired_before, Some(day("2034-03-01")));
    assert!(done.pruned.is_none());
    assert!(kept(&world).contains(&1));
}

//! Whole runs over an invented mailbox: any split, any crash, any number of threads, the same result.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;

use super::collect::{Paths, collect};
use super::folders::Folders;
use super::load::{Loaded, load};
use super::publish::{Draw, Drawing};
use super::rebuild::rebuild;
use super::run::{AsOfGoesBack, Done, Progress, Run, Ticket, ingest};
use super::stopwatch::Stopwatch;
use super::verify::verify;
use crate::alert::Rules;
use crate::archive::Archive;
use crate::demo::{DemoPlan, generate};
use crate::ledger::{Event, Ledger};
use crate::model::day::Day;
use crate::model::limits::Limits;
use crate::model::outcome::Outcome;
use crate::publish::{Generation, Publisher};
use crate::store::settings::{KnownSender, StoreConfig};
use crate::store::working::Store;

mod found;
mod positions;
mod retention;

/// 2024-03-10T08:00:00Z
const NOW_UTC_SECS: i64 = 1_710_057_600;

fn today() -> Day {
    Day::from_ymd_opt(2024, 3, 10).unwrap()
}

/// A data folder.
struct World {
    folder: tempfile::TempDir,
    threads: usize,
}

impl World {
    fn new(threads: usize) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            threads,
        }
    }

    fn folders(&self) -> Folders {
        Folders::new(self.folder.path())
    }

    fn config(&self) -> StoreConfig {
        let sender = KnownSender {
            sender: "own".into(),
            name: "Own".into(),
            approved_for: vec!["example.com".into(), "example.org".into()],
            networks: vec!["192.0.2.0/24".parse().unwrap()],
            aligned_dkim: true,
            ..KnownSender::default()
        };
        StoreConfig {
            path: self.folders().database(),
            memory_limit_bytes: 256 << 20,
            threads: self.threads,
            code_hash: "code".into(),
            config_hash: "config".into(),
            load_hash: "load".into(),
            domains: None,
            known_senders: vec![sender],
            services: Vec::new(),
            limits: Limits::default(),
            retention_months: None,
            retention: None,
            elsewhere: Default::default(),
        }
    }

    fn with_run<T>(&self, work: impl FnOnce(&Run) -> T) -> T {
        let folders = self.folders();
        work(&Run {
            kind: "ingest",
            ticket: Ticket::default(),
            folders: &folders,
            store: self.config(),
            as_of: None,
            today: today(),
            started_utc_secs: NOW_UTC_SECS,
            watch: &Stopwatch::new(&|| 1000),
            draw: Draw {
                rules: &Rules::default(),
                pages: &draw,
            },
        })
    }

    fn ingest(&self, paths: &[OsString]) -> Done {
        self.with_run(|run| ingest(run, paths, &mut |_| {}))
            .unwrap()
    }

    fn current(&self) -> Generation {
        Publisher::open(&self.folders().public())
            .current()
            .unwrap()
            .unwrap()
    }

    fn assert_verified(&self, what: &str) {
        let verified = self.with_run(|run| verify(run, &mut |_| {})).unwrap();
        assert_eq!(verified.differences, Vec::<String>::new(), "{what}");
        assert!(verified.files > 4, "{what}: lake and page");
    }

    fn assert_same(&self, other: &World, what: &str) {
        assert_eq!(
            self.current().manifest.files,
            other.current().manifest.files,
            "{what}"
        );
        let store = Store::open(self.config()).unwrap();
        store.attach(&other.current().database().unwrap()).unwrap();
        assert_eq!(store.differences().unwrap(), Vec::<String>::new(), "{what}");
    }
}

/// A page that depends on every row of a table.
fn draw(drawing: Drawing) -> anyhow::Result<()> {
    let sql = "select coalesce(string_agg(day || domain || messages, ',' order by day, domain), '') from daily";
    let text: String = drawing.connection.query_row(sql, [], |row| row.get(0))?;
    drawing
        .staging
        .write("site/overview.html", text.as_bytes())?;
    Ok(())
}

/// A mailbox with duplicates, conflicts, broken and foreign files, in the order in which it is read.
fn input(folder: &Path) -> Vec<OsString> {
    let plan = DemoPlan {
        reports: 60,
        days: 10,
        end: today(),
        seed: 7,
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for (index, file) in generate(&plan).enumerate() {
        let file = file.unwrap();
        let path = folder.join(format!("{index:04} {}", file.name));
        fs::write(&path, &file.bytes).unwrap();
        paths.push(path);
    }
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        fs::write(folder.join(name), bytes).unwrap();
        folder.join(name)
    };
    let report = |count: u32, end: i64| {
        format!(
            "<feedback><report_metadata><org_name>r.example</org_name><email>a@r.example</email><report_id>7</report_id>
            <date_range><begin>1709251200</begin><end>{end}</end></date_range></report_metadata>
            <policy_published><domain>example.com</domain><p>none</p></policy_published>
            <record><row><source_ip>192.0.2.9</source_ip><count>{count}</count><policy_evaluated>
            <disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
            <identifiers><header_from>example.com</header_from></identifiers><auth_results></auth_results></record></feedback>"
        )
    };
    let copy = fs::read(&paths[3]).unwrap();
    paths.insert(20, write("copy", &copy));
    paths.insert(5, write("first.xml", report(7, 1_709_600_000).as_bytes()));
    paths.insert(
        30,
        write("conflict.xml", report(8, 1_709_600_000).as_bytes()),
    );
    paths.insert(
        31,
        write("respaced.xml", (report(7, 1_709_600_000) + "\n").as_bytes()),
    );
    paths.insert(12, write("idle.xml", report(0, 1_709_337_600).as_bytes()));
    paths.insert(
        13,
        write("cut.xml", &report(7, 1_709_600_000).as_bytes()[..400]),
    );
    paths.insert(14, write("notes.txt", b"nothing at all"));
    paths.into_iter().map(PathBuf::into_os_string).collect()
}

#[test]
fn any_split_of_the_input_gives_what_one_rebuild_gives() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let whole = World::new(4);
    let done = whole.ingest(&paths);
    for outcome in Outcome::ALL {
        let expect = !matches!(outcome, Outcome::Foreign | Outcome::Expired);
        assert_eq!(done.loaded.count(outcome) > 0, expect, "{outcome:?}");
    }
    whole.assert_verified("at once");
    for (threads, cuts) in [
        (1, vec![1]),
        (4, vec![paths.len() / 2]),
        (2, vec![6, 13, 14, 31, 40]),
    ] {
        let split = World::new(threads);
        let mut rest = paths.as_slice();
        for (done, cut) in [0].iter().chain(&cuts).zip(&cuts) {
            let (now, later) = rest.split_at(cut - done);
            split.ingest(now);
            rest = later;
        }
        split.ingest(rest);
        split.assert_same(&whole, &format!("split at {cuts:?}"));
        split.assert_verified(&format!("split at {cuts:?}"));
    }
    let rebuilt = whole.with_run(|run| rebuild(run, &mut |_| {})).unwrap();
    assert_eq!(rebuilt.loaded, done.loaded);
    let changes = rebuilt.changes.unwrap();
    assert!(
        changes
            .tables
            .values()
            .all(|[before, after]| before == after),
        "{changes:?}"
    );
    assert!(
        changes.vanished.is_empty() && changes.appeared.is_empty(),
        "{changes:?}"
    );
    assert_eq!(whole.current().number, 2);
    whole.assert_verified("after a rebuild");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn a_run_that_died_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let whole = World::new(2);
    whole.ingest(&paths);
    // What is archived and not loaded: all of it, half of it, or nothing but the pages.
    for (what, loaded) in [("after archive", 10), ("in load", 21), ("after load", 99)] {
        let world = World::new(2);
        world.ingest(&paths[..10]);
        fs::remove_dir_all(world.folders().archive()).unwrap();
        copy_folder(&whole.folders().archive(), &world.folders().archive());
        {
            let archive = Archive::open(&world.folders().archive()).unwrap();
            let mut store = Store::open(world.config()).unwrap();
            load(
                &archive,
                &mut store,
                archive.position().min(loaded),
                &mut |_| {},
            )
            .unwrap();
        }
        world.ingest(&[]);
        world.assert_same(&whole, what);
        world.assert_verified(what);
    }
}

#[test]
fn what_could_not_be_archived_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let world = World::new(2);
    world.ingest(&paths[..10]);
    let mut archive = Archive::open(&world.folders().archive()).unwrap();
    let store = Store::open(world.config()).unwrap();
    fs::remove_dir_all(world.folders().archive()).unwrap();
    let limits = Limits::default();
    let mut from = Paths {
        paths: &paths[10..],
        limits: &limits,
    };
    let open = |_: &Archive, _: &mut dyn FnMut(Progress)| Ok(store);
    let (store, loaded, collected) = collect(
        &mut from,
        NOW_UTC_SECS,
        &world.config(),
        &mut archive,
        open,
        &mut |_| {},
    )
    .unwrap();
    assert!(collected.is_err());
    assert_eq!((loaded, store.position().unwrap()), (Loaded::default(), 10));
}

#[test]
fn a_publication_that_died_is_made_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let whole = World::new(2);
    whole.ingest(&paths);
    let world = World::new(2);
    world.ingest(&paths[..10]);
    world.with_run(|run| {
        let dies = |_: Drawing| bail!("died");
        let run = Run {
            draw: Draw {
                pages: &dies,
                ..run.draw
            },
            store: run.store.clone(),
            ..run.clone()
        };
        ingest(&run, &paths[10..], &mut |_| {}).unwrap_err();
    });
    assert_eq!(world.current().number, 1);
    world.ingest(&[]);
    world.assert_same(&whole, "died while drawing");
}

#[test]
fn a_poll_that_finds_nothing_publishes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let paths = input(folder.path());
    let world = World::new(2);
    world.ingest(&paths[..3]);
    assert!(world.ingest(&[]).generation.is_none());
    let (entries, _) = Ledger::open(&world.folders().ledger())
        .unwrap()
        .read(None)
        .unwrap();
    let runs = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::RunFinished(_)))
        .count();
    assert_eq!((runs, world.current().number), (1, 1));
}

#[test]
fn a_rebuild_keeps_the_day_of_judgement() {
    let world = World::new(1);
    let earlier = today().pred_opt().unwrap();
    let day = |as_of: Option<Day>, is_rebuild: bool| {
        world.with_run(|run| {
            let run = Run {
                as_of,
                store: run.store.clone(),
                ..run.clone()
            };
            if is_rebuild {
                rebuild(&run, &mut |_| {}).unwrap();
            } else {
                ingest(&run, &[], &mut |_| {}).unwrap();
            }
        });
        world.current().manifest.values.as_of
    };
    assert_eq!(day(Some(earlier), false), earlier);
    assert_eq!(day(None, true), earlier);
    assert_eq!(day(Some(today()), true), today());
}

#[test]
fn the_day_of_judgement_only_advances() {
    let world = World::new(1);
    let at = |as_of: Option<Day>| {
        world.with_run(|run| {
            let run = Run {
                as_of,
                store: run.store.clone(),
                ..run.clone()
            };
            ingest(&run, &[], &mut |_| {}).map(|_| world.current().manifest.values.as_of)
        })
    };
    let later = today().succ_opt().unwrap();
    assert_eq!(at(None).unwrap(), today());
    assert_eq!(at(Some(later)).unwrap(), later);
    // today has not caught up: it stays
    assert_eq!(at(None).unwrap(), later);
    let error = at(Some(today())).unwrap_err();
    assert!(error.downcast_ref::<AsOfGoesBack>().is_some(), "{error:#}");
}

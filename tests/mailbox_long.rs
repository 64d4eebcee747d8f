//! Mailboxes over a long time, and through many deaths of the program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "long-tests")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration as Real, Instant};

use chrono::{DateTime, Duration, Utc};
use sentinel::alert::Rules;
use sentinel::archive::Archive;
use sentinel::daemon::{self, Daemon, Pages, Settings, Time};
use sentinel::job::folders::Folders;
use sentinel::job::publish::Drawing;
use sentinel::ledger::{Event, Ledger};
use sentinel::model::inbox::Inbox;

use crate::mail_server::MailServer;
use crate::mailbox_fetch::{product_of, report_mail};
use crate::mailbox_hostile::{inbox, store};
use crate::product::{AS_OF, until};

#[test]
fn long_twenty_kills_during_a_backlog_lose_nothing_and_count_nothing_twice() {
    const MESSAGES: u32 = 2_000;
    let server = MailServer::start();
    server.make_folder("reports", "DMARC");
    for number in 1..=MESSAGES {
        server.deliver("reports", "DMARC", &report_mail(number));
    }
    let words = ["backlog", "--inbox", "dmarc", "--as-of", AS_OF];
    let whole = product_of(&server, "");
    let began = Instant::now();
    assert_eq!(whole.run(&words).code, 0);
    let whole_run = began.elapsed();
    let product = product_of(&server, "    after: mark_seen\n");
    let (mut seed, mut killed) = (0x9e37_79b9_7f4a_7c15_u64, 0);
    for _ in 0..20 {
        let mut command = product.command(&product.home(), &words);
        let mut run = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // Early enough that there is something left for the next one.
        let moment = whole_run / 8 * u32::try_from(seed >> 33).unwrap() / (u32::MAX >> 1);
        let began = Instant::now();
        until(|| began.elapsed() > moment || run.try_wait().unwrap().is_some());
        killed += u32::from(run.try_wait().unwrap().is_none());
        run.kill().unwrap();
        run.wait().unwrap();
    }
    assert!(killed > 10, "{killed} of 20 runs were killed");
    let said = product.run(&words);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(product.outcomes()["accepted"], u64::from(MESSAGES));
    product.assert_same(&whole, "twenty kills");
    product.assert_verified("twenty kills");
    let names = server.messages("reports", "DMARC");
    let seen = names.iter().filter(|name| name.ends_with(":2,S")).count();
    assert_eq!(seen, MESSAGES as usize);
}

/// A clock that is turned by hand.
struct Clock(Mutex<DateTime<Utc>>);

impl Time for Clock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }

    fn patience(&self, _: DateTime<Utc>) -> Option<Real> {
        None
    }
}

/// What happens in the week, at a minute of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    /// So many reports arrive.
    Mail(u32),
    /// The server dies.
    Outage,
    /// It is there again.
    Back,
    /// It is started anew: all connections end.
    Restart,
}

/// A week with mail at all hours, an outage of five hours, and a restart each night.
fn events() -> Vec<(i64, Happens)> {
    let mut events = Vec::new();
    let mut seed = 7_u64;
    for hour in 0..7 * 24 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let minute = i64::try_from((seed >> 33) % 60).unwrap();
        let mails = u32::try_from((seed >> 40) % 4).unwrap();
        // Mail cannot arrive at a server that is down.
        if mails > 0 && !(48..54).contains(&hour) {
            events.push((hour * 60 + minute, Happens::Mail(mails)));
        }
        if hour % 24 == 3 {
            events.push((hour * 60 + 33, Happens::Restart));
        }
    }
    events.extend([(48 * 60 + 5, Happens::Outage), (53 * 60 + 7, Happens::Back)]);
    events.sort_unstable();
    events
}

/// Threads, open files and memory of this process.
#[derive(Debug)]
struct Held {
    threads: u64,
    files: usize,
    memory_kib: u64,
}

impl Held {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let value = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            threads: value("Threads:"),
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
            memory_kib: value("VmRSS:"),
        }
    }
}

/// The week runs in a process of its own: what it holds is looked at.
#[test]
fn long_a_week_in_fast_motion_misses_no_poll_doubles_no_work_and_leaks_nothing() {
    const CHILD: &str = "SENTINEL_TEST_WEEK";
    if std::env::var_os(CHILD).is_some() {
        return a_week();
    }
    let name =
        "mailbox_long::long_a_week_in_fast_motion_misses_no_poll_doubles_no_work_and_leaks_nothing";
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{complained}");
    assert!(said.contains("1 passed"), "{said}");
}

/// A daemon whose clock is turned, and what was seen of it.
struct Week {
    server: MailServer,
    clock: Arc<Clock>,
    daemon: Daemon,
    folders: Folders,
    start: DateTime<Utc>,
    /// When each look was seen.
    looks: Vec<DateTime<Utc>>,
    delivered: u32,
}

impl Week {
    fn begin(data: &std::path::Path) -> Self {
        let server = MailServer::start();
        server.make_folder("reports", "DMARC");
        let start: DateTime<Utc> = "2026-03-02T00:02:00Z".parse().unwrap();
        let clock = Arc::new(Clock(Mutex::new(start)));
        let folders = Folders::new(data);
        let settings = Settings {
            inboxes: vec![Inbox {
                ca_file: Some(server.ca_file()),
                ..inbox(server.imaps_port)
            }],
            timezone: "Europe/Berlin".to_owned(),
            store: store(&folders),
            folders: folders.clone(),
            pages: Pages {
                rules: Rules::default(),
                draw: Box::new(|drawing: Drawing| {
                    let day = drawing.as_of.to_string();
                    drawing
                        .staging
                        .write("site/overview.html", day.as_bytes())?;
                    Ok(())
                }),
            },
            tell: None,
            look_up: None,
            heartbeat: None,
            min_free_bytes: 0,
            time: Arc::clone(&clock) as Arc<dyn Time>,
        };
        let daemon = daemon::start(settings).unwrap();
        Self {
            server,
            clock,
            daemon,
            folders,
            start,
            looks: Vec::new(),
            delivered: 0,
        }
    }

    /// Waits until nothing is going on; when something is due next.
    fn settle(&mut self) -> DateTime<Utc> {
        let mut wake_at = None;
        let settled = until(|| {
            let (is_busy, at) = self.daemon.handle().ask().expect("the daemon lives");
            wake_at = Some(at);
            !is_busy
        });
        assert!(settled, "{:?}", self.daemon.handle().status());
        let looks = self.daemon.handle().status().inboxes[0].slot.looks;
        self.looks
            .resize(usize::try_from(looks).unwrap(), self.clock.now());
        wake_at.unwrap()
    }

    fn turn_to(&mut self, time: DateTime<Utc>) -> DateTime<Utc> {
        *self.clock.0.lock().unwrap() = time;
        self.daemon.handle().tick();
        self.settle()
    }

    fn happens(&mut self, what: Happens) {
        match what {
            Happens::Mail(count) => {
                for _ in 0..count {
                    self.delivered += 1;
                    self.server
                        .deliver("reports", "DMARC", &report_mail(self.delivered));
                }
                if self.daemon.handle().status().inboxes[0].is_watched {
                    // It is told of: no poll has to come.
                    let delivered = u64::from(self.delivered);
                    let known = until(|| self.archived() == delivered);
                    assert!(known, "{} of {delivered}", self.archived());
                }
            }
            Happens::Outage => self.server.kill(),
            Happens::Back | Happens::Restart => self.server.restart(),
        }
        self.settle();
    }

    fn archived(&self) -> u64 {
        Archive::open(&self.folders.archive()).unwrap().position()
    }
}

fn a_week() {
    let data = tempfile::tempdir().unwrap();
    let mut week = Week::begin(data.path());
    let mut wake_at = week.settle();
    let mut first_day = None;
    for (minute, what) in events() {
        let time = week.start + Duration::minutes(minute);
        while wake_at <= time {
            wake_at = week.turn_to(wake_at);
        }
        wake_at = week.turn_to(time);
        week.happens(what);
        if minute > 24 * 60 && first_day.is_none() {
            first_day = Some(Held::now());
        }
    }
    let end = week.start + Duration::days(7);
    while wake_at <= end {
        wake_at = week.turn_to(wake_at);
    }
    let (first_day, last_day) = (first_day.unwrap(), Held::now());
    assert_no_poll_missed(&week);
    assert_work_done_once(&week);
    assert!(
        last_day.threads <= first_day.threads + 2,
        "{first_day:?} {last_day:?}"
    );
    assert!(
        last_day.files <= first_day.files + 4,
        "{first_day:?} {last_day:?}"
    );
    let grown_kib = last_day.memory_kib.saturating_sub(first_day.memory_kib);
    assert!(grown_kib < 48 << 10, "{first_day:?} {last_day:?}");
    week.daemon.handle().stop();
    assert!(week.daemon.join(Real::from_secs(10)));
}

/// At most a quarter of an hour lies between two looks, in the outage too, until its waits are longer.
fn assert_no_poll_missed(week: &Week) {
    let outage =
        week.start + Duration::minutes(48 * 60 + 5)..week.start + Duration::minutes(55 * 60);
    assert!(week.looks.len() > 7 * 24 * 4 - 30, "{}", week.looks.len());
    for two in week.looks.windows(2) {
        let longest = if outage.contains(&two[1]) { 75 } else { 15 };
        assert!(two[1] - two[0] <= Duration::minutes(longest), "{two:?}");
    }
}

/// Every mail once, a run only where there was something, every day judged once.
fn assert_work_done_once(week: &Week) {
    let archive = Archive::open(&week.folders.archive()).unwrap();
    let mut uids = BTreeSet::new();
    archive
        .fetched_mails(0, &mut |mail| assert!(uids.insert(mail.uid)))
        .unwrap();
    assert_eq!(uids.len(), week.delivered as usize);
    let (entries, _) = Ledger::open(&week.folders.ledger())
        .unwrap()
        .read(None)
        .unwrap();
    let runs: Vec<u64> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::RunFinished(run) => Some(run.items),
            _ => None,
        })
        .collect();
    assert!(runs.iter().all(|items| *items > 0));
    assert_eq!(runs.iter().sum::<u64>(), u64::from(week.delivered));
    let is_day = |event: &Event| matches!(event, Event::AsOfAdvanced { .. });
    let days = entries.iter().filter(|entry| is_day(&entry.event)).count();
    assert_eq!(
        days, 8,
        "each day of the week, and the one that begins at its end"
    );
    let moved = week.server.messages("reports", "DMARC.Processed").len();
    assert_eq!(moved, week.delivered as usize);
}

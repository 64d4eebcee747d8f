//! What the server is told of mailboxes and jobs: the daemon's status, the ledger's jobs, and the run that is going on.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::glance::Glance;
use crate::clock;
use crate::daemon::{Handle, InboxStatus};
use crate::job::backlog::Backlog;
use crate::job::folders::Folders;
use crate::job::sheet::Sheet;
use crate::ledger::{self, View};
use crate::model::inbox::Inbox;
use crate::model::standing::{Folder, Health, Job, JobState, Mailbox, Standing};
use crate::serve::{Declined, Desk, Jobs, Kind};

/// Knows the daemon, where there is one, and the data folder.
pub(super) struct DaemonDesk {
    /// Fetches where a mailbox is configured, publishes and tells in any case.
    pub(super) daemon: Option<Handle>,
    /// The mailboxes.
    pub(super) inboxes: Vec<Inbox>,
    /// The data folder.
    pub(super) folders: Folders,
    /// The ledger.
    pub(super) ledger: Arc<Glance>,
}

impl Desk for DaemonDesk {
    fn standing(&self) -> Standing {
        let failing_rules = self.failing_rules();
        let standing = Standing {
            health: if failing_rules.is_empty() {
                Health::Ok
            } else {
                Health::Degraded
            },
            failing_rules,
            running: self.running(),
            ..Standing::default()
        };
        let Some(daemon) = &self.daemon else {
            return standing;
        };
        let status = daemon.status();
        // Right after the start the schedule has told of nothing yet.
        let known = |inbox: &Inbox| {
            status
                .inboxes
                .iter()
                .find(|known| known.slot.name == inbox.name)
        };
        let mailbox =
            |inbox: &Inbox| known(inbox).map_or_else(|| Mailbox::named(&inbox.name), mailbox);
        Standing {
            health: status.health().max(standing.health),
            mailboxes: self.inboxes.iter().map(mailbox).collect(),
            low_disk: status.low_disk,
            disk_error: status.disk_error,
            run_failures: status.run_failures,
            run_error: status.run_error,
            heartbeat_error: status.heartbeat_error,
            owed_jobs: status.owed_jobs,
            channels: status.channels,
            ..standing
        }
    }

    fn jobs(&self, most: usize) -> anyhow::Result<Jobs> {
        let view = self.ledger.view()?;
        let running = self.running();
        let mut newest = Vec::new();
        let mut total = view.jobs.len();
        if let Some(job) = &running
            && !job.id.is_empty()
            && view.jobs.iter().all(|known| known.id != job.id)
        {
            newest.push(job.clone());
            total += 1;
        }
        let known = view
            .jobs
            .iter()
            .rev()
            .map(|job| shown(&view, job, running.as_ref()));
        newest.extend(known);
        newest.truncate(most);
        Ok(Jobs { newest, total })
    }

    fn job(&self, id: &str) -> anyhow::Result<Option<Job>> {
        let view = self.ledger.view()?;
        let running = self.running();
        if let Some(job) = view.jobs.iter().find(|job| job.id == id) {
            return Ok(Some(shown(&view, job, running.as_ref())));
        }
        Ok(running.filter(|job| !id.is_empty() && job.id == id))
    }

    fn ask(&self, kind: Kind, parameters: BTreeMap<String, String>) -> Result<String, Declined> {
        let Some(daemon) = self.daemon.as_ref().filter(|_| !self.inboxes.is_empty()) else {
            return Err(Declined::NoMailbox(
                "No mailbox is configured: put one into the section `inboxes` of config/config.yml and start the \
                 program again"
                    .to_owned(),
            ));
        };
        if let Some(name) = parameters.get("inbox")
            && !self.inboxes.iter().any(|inbox| inbox.name == *name)
        {
            let names: Vec<&str> = self
                .inboxes
                .iter()
                .map(|inbox| inbox.name.as_str())
                .collect();
            return Err(Declined::Value(format!(
                "`inbox` names none of the configured ones: {}",
                names.join(", ")
            )));
        }
        if kind == Kind::Backlog {
            Backlog::of_parameters(&self.inboxes, &parameters)
                .map_err(|error| Declined::Value(format!("{error:#}")))?;
        }
        daemon.request(kind.as_str(), parameters).map_err(|error| {
            if error.chain().any(|cause| cause.is::<std::io::Error>()) {
                Declined::Failed(error)
            } else {
                Declined::Busy(format!("{error:#}"))
            }
        })
    }
}

impl DaemonDesk {
    fn failing_rules(&self) -> Vec<(String, String)> {
        let view = self.ledger.view().unwrap_or_else(|error| {
            tracing::warn!("which rules fail cannot be told: {error:#}");
            Arc::default()
        });
        view.failing_rules()
            .map(|outage| (outage.rule.clone(), outage.problem.clone()))
            .collect()
    }

    /// The run that is going on.
    fn running(&self) -> Option<Job> {
        let sheet = Sheet::read(&self.folders.work())?;
        let started = instant(sheet.started_utc_secs);
        let taken = started.map_or(0, |started| (clock::now() - started).num_milliseconds());
        Some(Job {
            id: sheet.id,
            kind: sheet.kind,
            parameters: sheet.parameters,
            state: JobState::Running,
            requested: None,
            started,
            duration_ms: u64::try_from(taken).unwrap_or(0),
            seen: sheet.archived,
            wanted: sheet.wanted,
            archived: sheet.archived,
            outcomes: sheet.outcomes,
            error: None,
            detail: None,
        })
    }
}

/// A job of the ledger, with what the run that is going on adds to it.
fn shown(view: &View, job: &ledger::Job, running: Option<&Job>) -> Job {
    let mut shown = Job {
        id: job.id.clone(),
        kind: job.kind.clone(),
        parameters: job.parameters.clone(),
        state: match job.state {
            ledger::JobState::Owed => JobState::Waiting,
            ledger::JobState::Done => JobState::Done,
            ledger::JobState::Failed => JobState::Failed,
        },
        requested: job.requested_utc_secs.and_then(instant),
        started: job.started_utc_secs.and_then(instant),
        duration_ms: job.duration_ms,
        seen: job.items,
        wanted: None,
        archived: 0,
        outcomes: job.outcomes,
        error: job.error.clone(),
        detail: job.detail.clone(),
    };
    let Some(now) = running.filter(|now| now.id == job.id) else {
        return shown;
    };
    if job.state != ledger::JobState::Owed {
        return shown;
    }
    shown.state = JobState::Running;
    (shown.wanted, shown.archived) = (now.wanted, now.archived);
    // A run that still publishes is in the ledger already.
    let is_counted = view.runs.last().is_some_and(|run| {
        run.result.id == now.id && instant(run.result.started_utc_secs) == now.started
    });
    if !is_counted {
        shown.started = shown.started.or(now.started);
        shown.duration_ms += now.duration_ms;
        shown.seen += now.seen;
        for (sum, more) in shown.outcomes.iter_mut().zip(now.outcomes) {
            *sum += more;
        }
    }
    shown
}

fn mailbox(status: &InboxStatus) -> Mailbox {
    let folders = status.reached.iter().map(|(place, reached)| Folder {
        name: place.folder.clone(),
        uidvalidity: place.uidvalidity,
        uid: reached.uid,
        messages: reached.messages,
    });
    Mailbox {
        name: status.slot.name.clone(),
        state: status.state(),
        failures: status.slot.failures,
        last_success: status.slot.last_success,
        last_error: status.slot.last_error.clone(),
        next_try: Some(status.slot.next_try),
        is_watched: status.is_watched,
        folders: folders.collect(),
    }
}

fn instant(utc_secs: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(utc_secs, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::lock::RunLock;
    use crate::job::run::Ticket;
    use crate::job::sheet::Noting;
    use crate::ledger::{Event, JobRequest, Ledger, RunResult};

    const STARTED: i64 = 1_700_000_000;

    fn desk(data: &std::path::Path) -> DaemonDesk {
        let folders = Folders::new(data);
        std::fs::create_dir_all(folders.work()).unwrap();
        DaemonDesk {
            daemon: None,
            inboxes: Vec::new(),
            ledger: Arc::new(Glance::new(folders.ledger())),
            folders,
        }
    }

    fn note(desk: &DaemonDesk, event: Event) {
        let ledger = Ledger::open(&desk.folders.ledger()).unwrap();
        ledger.append(STARTED, &[event]).unwrap();
    }

    fn piece(started_utc_secs: i64) -> Event {
        Event::RunFinished(RunResult {
            kind: "backlog".into(),
            started_utc_secs,
            duration_ms: 1_000,
            items: 10,
            outcomes: [9, 1, 0, 0, 0, 0, 0, 0],
            id: "job-1".into(),
            ..RunResult::default()
        })
    }

    #[test]
    fn a_running_piece_is_added_to_those_before_it_and_counted_once() {
        let data = tempfile::tempdir().unwrap();
        let desk = desk(data.path());
        note(
            &desk,
            Event::JobRequested(JobRequest {
                id: "job-1".into(),
                kind: "backlog".into(),
                ..JobRequest::default()
            }),
        );
        let job = || desk.job("job-1").unwrap().unwrap();
        assert_eq!((job().state, job().seen), (JobState::Waiting, 0));
        note(&desk, piece(STARTED));
        assert_eq!((job().state, job().seen), (JobState::Waiting, 10));
        let work = desk.folders.work();
        let lock = RunLock::acquire(&work.join("run.lock"), "sentinel serve", &mut |_| false);
        let ticket = Ticket {
            id: "job-1".into(),
            ..Ticket::default()
        };
        let noting = Noting::begin(&work, "backlog", &ticket, STARTED + 60);
        noting.wanted(30);
        noting.note(&crate::job::run::Progress::Archived(20));
        noting.wanted(30);
        assert_eq!((job().state, job().seen), (JobState::Running, 30));
        assert_eq!((job().wanted, job().archived), (Some(30), 20));
        assert_eq!(desk.standing().running.unwrap().id, "job-1");
        // It publishes: the ledger has its counts, the lock is still held.
        note(&desk, piece(STARTED + 60));
        assert_eq!((job().state, job().seen), (JobState::Running, 20));
        drop((noting, lock));
        assert_eq!((job().state, job().seen), (JobState::Waiting, 20));
        note(
            &desk,
            Event::JobEnded {
                id: "job-1".into(),
                detail: None,
            },
        );
        assert_eq!(job().state, JobState::Done);
    }

    #[test]
    fn a_run_that_the_ledger_does_not_know_yet_is_the_newest_job() {
        let data = tempfile::tempdir().unwrap();
        let desk = desk(data.path());
        note(&desk, piece(STARTED));
        let work = desk.folders.work();
        let _lock = RunLock::acquire(&work.join("run.lock"), "sentinel ingest", &mut |_| false);
        let ticket = Ticket {
            id: "job-2".into(),
            ..Ticket::default()
        };
        let _noting = Noting::begin(&work, "ingest", &ticket, STARTED + 60);
        let jobs = desk.jobs(1).unwrap();
        assert_eq!(
            (jobs.newest[0].id.as_str(), jobs.newest.len(), jobs.total),
            ("job-2", 1, 2)
        );
        assert_eq!(desk.jobs(9).unwrap().newest[1].id, "job-1");
        assert_eq!(desk.job("job-2").unwrap().unwrap().state, JobState::Running);
        assert_eq!(desk.job("").unwrap(), None);
    }

    #[test]
    fn without_a_mailbox_nothing_is_taken_on_and_the_way_out_is_told() {
        let data = tempfile::tempdir().unwrap();
        let declined = desk(data.path())
            .ask(Kind::ProcessNow, BTreeMap::new())
            .unwrap_err();
        assert!(
            matches!(declined, Declined::NoMailbox(words) if words.contains("config/config.yml"))
        );
    }
}

//! Entries -> what they add up to. A pure function: the same entries give the same view.

use std::collections::BTreeMap;

use super::actions::{AlertLine, Outage, RuleOutage};
use super::{Entry, Event, JobFailure, JobRequest, Notices, RunResult, Sights};
use crate::model::day::Day;
use crate::model::retention::{FirstSight, Retention, SightKind};

/// A run as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// From 1, in the order in which runs ended.
    pub run_no: u64,
    /// When it ended, seconds since 1970 UTC.
    pub ended_utc_secs: i64,
    /// What it did.
    pub result: RunResult,
}

/// How a job stands, as far as the ledger knows: it does not know what is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Asked for, and not at its end yet.
    Owed,
    /// At its end.
    Done,
    /// At its end, for a reason.
    Failed,
}

/// An import job: a run, or all the runs that somebody's wish takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Names it.
    pub id: String,
    /// `ingest`, `run`, `process-now`, `backlog`, `rebuild`, …
    pub kind: String,
    /// What it was asked with.
    pub parameters: BTreeMap<String, String>,
    /// How it stands.
    pub state: JobState,
    /// When it was asked for, seconds since 1970 UTC; `None` where the schedule or a command began it.
    pub requested_utc_secs: Option<i64>,
    /// When its first run began, seconds since 1970 UTC.
    pub started_utc_secs: Option<i64>,
    /// Time that its runs took.
    pub duration_ms: u64,
    /// Items that it took in.
    pub items: u64,
    /// Documents by outcome, in the order of `Outcome::ALL`.
    pub outcomes: [u64; 8],
    /// Why it failed.
    pub error: Option<String>,
    /// What is to be said of it beside its counts.
    pub detail: Option<String>,
}

/// What the ledger says up to some offset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The day for which things are judged; `None` before the first run. It never goes back.
    pub as_of: Option<Day>,
    /// All runs, the oldest first.
    pub runs: Vec<Run>,
    /// All jobs that have a name, in the order in which the ledger first names them.
    pub jobs: Vec<Job>,
    /// When the last run ended, seconds since 1970 UTC.
    pub last_run_utc_secs: Option<i64>,
    /// What is gone; `None` where nothing is. Its cut-off never goes back.
    pub retention: Option<Retention>,
    /// The cut-off up to which the archive let bytes go.
    pub pruned_before: Option<Day>,
    /// What people were told.
    pub notices: Notices,
    /// What was done with each alert, by its id.
    pub alerts: BTreeMap<String, AlertLine>,
    /// Times in which mailboxes could not be read, in the order in which the ledger noted them.
    pub outages: Vec<Outage>,
    /// Times in which rules could not be asked, in the order in which the ledger noted them.
    pub rule_outages: Vec<RuleOutage>,
    /// Number of the last line that shapes alerts; 0 where there is none.
    pub last_alert_seq: u64,
    /// Where each job stands in `jobs`.
    places: BTreeMap<String, usize>,
}

impl View {
    /// Folds entries in their order.
    pub fn fold(entries: &[Entry]) -> Self {
        let mut view = Self::default();
        let mut sights = FirstSights::default();
        for entry in entries {
            view.apply(entry, &mut sights);
        }
        if let Some(retention) = &mut view.retention {
            retention.first_seen = sights.sorted();
        }
        view
    }

    /// Folds what came behind, all but first sights: for those who do not ask for what is gone.
    pub fn fold_more(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.apply(entry, &mut FirstSights::default());
        }
    }

    fn apply(&mut self, entry: &Entry, sights: &mut FirstSights) {
        match &entry.event {
            Event::AsOfAdvanced { as_of } => self.as_of = self.as_of.max(Some(*as_of)),
            Event::RunFinished(result) => {
                let run_no = self.runs.len() as u64 + 1;
                self.runs.push(Run {
                    run_no,
                    ended_utc_secs: entry.at_utc_secs,
                    result: result.clone(),
                });
                self.last_run_utc_secs = Some(entry.at_utc_secs);
                self.job_ran(result);
            }
            Event::FirstSeen { kind, sights: new } => sights.note(*kind, new),
            Event::RetentionAdvanced { expired_before, .. } => {
                let had = self.retention.as_ref().map(|had| had.expired_before);
                self.retention = Some(Retention {
                    expired_before: had.max(Some(*expired_before)).unwrap_or(*expired_before),
                    first_seen: Vec::new(),
                });
                sights.counted = sights.noted.len();
            }
            Event::ArchivePruned { expired_before, .. } => {
                self.pruned_before = self.pruned_before.max(Some(*expired_before));
            }
            Event::JobRequested(request) => self.job_requested(entry.at_utc_secs, request),
            Event::JobEnded { id, detail } => {
                if let Some(job) = self.places.get(id).and_then(|at| self.jobs.get_mut(*at)) {
                    job.state = JobState::Done;
                    job.detail.clone_from(detail);
                }
            }
            Event::JobFailed(failure) => self.job_failed(failure),
            Event::NoticePlanned(_) | Event::NoticeTried(_) | Event::NoticeSent(_) => {
                self.notices.apply(entry);
            }
            event => self.apply_to_alerts(entry, event),
        }
    }

    fn job_requested(&mut self, at_utc_secs: i64, request: &JobRequest) {
        let job = self.job(&request.id, &request.kind, &request.parameters);
        job.requested_utc_secs = Some(at_utc_secs);
    }

    fn job_ran(&mut self, result: &RunResult) {
        if result.id.is_empty() {
            return;
        }
        let job = self.job(&result.id, &result.kind, &result.parameters);
        job.started_utc_secs.get_or_insert(result.started_utc_secs);
        job.duration_ms += result.duration_ms;
        job.items += result.items;
        for (sum, more) in job.outcomes.iter_mut().zip(result.outcomes) {
            *sum += more;
        }
        if job.requested_utc_secs.is_none() {
            job.state = JobState::Done;
        }
    }

    fn job_failed(&mut self, failure: &JobFailure) {
        let job = self.job(&failure.id, &failure.kind, &failure.parameters);
        if job.started_utc_secs.is_none() {
            job.duration_ms = failure.duration_ms;
        }
        job.started_utc_secs.get_or_insert(failure.started_utc_secs);
        job.state = JobState::Failed;
        job.error = Some(failure.error.clone());
    }

    fn job(&mut self, id: &str, kind: &str, parameters: &BTreeMap<String, String>) -> &mut Job {
        let next = self.jobs.len();
        let at = *self.places.entry(id.to_owned()).or_insert(next);
        if at == next {
            self.jobs.push(Job {
                id: id.to_owned(),
                kind: kind.to_owned(),
                parameters: parameters.clone(),
                state: JobState::Owed,
                requested_utc_secs: None,
                started_utc_secs: None,
                duration_ms: 0,
                items: 0,
                outcomes: [0; 8],
                error: None,
                detail: None,
            });
        }
        &mut self.jobs[at]
    }
}

/// First sights on their way; an append that died may have left some that do not count yet.
#[derive(Default)]
struct FirstSights {
    noted: Vec<FirstSight>,
    counted: usize,
}

impl FirstSights {
    fn note(&mut self, kind: SightKind, sights: &Sights) {
        for (domain, days) in sights {
            for (day, subjects) in days {
                // What is no day was written by nobody.
                let Ok(day) = day.parse() else { continue };
                self.noted.extend(subjects.iter().map(|subject| FirstSight {
                    kind,
                    domain: domain.clone(),
                    subject: subject.clone(),
                    day,
                }));
            }
        }
    }

    /// The earliest of each.
    fn sorted(mut self) -> Vec<FirstSight> {
        self.noted.truncate(self.counted);
        self.noted.sort_unstable();
        self.noted.dedup_by(|later, earlier| {
            (later.kind, &later.domain, &later.subject)
                == (earlier.kind, &earlier.domain, &earlier.subject)
        });
        self.noted
    }
}

//! The one worker: runs over mailboxes, pieces of backlogs, and what a new day brings, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use anyhow::{Result, anyhow};
use chrono::{DateTime, Utc};

use super::drive::Message;
use super::plan::{Looked, Piece};
use super::time::Time;
use crate::alert::Rules;
use crate::job::backlog::{Backlog, Pace};
use crate::job::dry_run::dry_run;
use crate::job::folders::Folders;
use crate::job::load::Loaded;
use crate::job::lock::{Holder, patience};
use crate::job::mailboxes::{Turn, Visited, fetch};
use crate::job::maintain::maintain;
use crate::job::publish::{Draw, Drawing};
use crate::job::redraw::refresh;
use crate::job::run::{Ticket, ingest};
use crate::job::runner::Runner;
use crate::job::sheet::new_id;
use crate::job::visit::{Left, Visit};
use crate::ledger::{JobRequest, Ledger, View};
use crate::model::inbox::Inbox;
use crate::source::imap::{ImapError, Tokens};
use crate::store::settings::StoreConfig;

/// Draws the pages of a generation.
pub struct Pages {
    /// What is judged.
    pub rules: Rules,
    /// Draws pages.
    pub draw: Box<dyn Fn(Drawing) -> Result<()> + Send>,
}

/// Something to do.
pub enum Task {
    /// Fetch what visits found, each of the mailbox of that number.
    Fetch(Vec<(usize, Visit)>, Option<JobRequest>),
    /// The next piece of a backlog.
    Backlog(JobRequest),
    /// What a new day brings.
    Maintain,
    /// What people did with alerts is published.
    Refresh,
}

impl Task {
    /// How it ended where it did not come to its end.
    fn stopped(&self) -> Worked {
        const WHAT: &str = "the run stopped short: a defect of the program";
        match self {
            Self::Fetch(visits, _) => {
                let fared = visits.iter().map(|(index, _)| Fared {
                    index: *index,
                    looked: Looked::Failed {
                        error: WHAT.to_owned(),
                        needs_a_person: false,
                    },
                    left: Left::default(),
                    has_more: false,
                });
                Worked::Fetch(fared.collect(), Err(anyhow!(WHAT)))
            }
            Self::Backlog(_) => Worked::Backlog(Piece::Last(Err(WHAT.to_owned()))),
            Self::Maintain => Worked::Maintain(Err(anyhow!(WHAT))),
            Self::Refresh => Worked::Refresh(Err(anyhow!(WHAT))),
        }
    }
}

/// How a task ended.
pub enum Worked {
    /// How each mailbox fared; an error is one of the run as a whole.
    Fetch(Vec<Fared>, Result<()>),
    /// How the piece ended.
    Backlog(Piece),
    /// The new day.
    Maintain(Result<()>),
    /// What people did is published.
    Refresh(Result<()>),
}

/// How a mailbox fared in a run.
pub struct Fared {
    /// Its number.
    pub index: usize,
    /// Whether it went well.
    pub looked: Looked,
    /// Its messages with which nothing is to be done.
    pub left: Left,
    /// Whether its turn ended before its messages.
    pub has_more: bool,
}

/// How long a mailbox is fetched from while others may wait.
const TURN: Duration = Duration::from_secs(60);

/// What the worker works with.
pub struct Worker {
    /// The data folder.
    pub data: PathBuf,
    /// Settings of the store.
    pub store: StoreConfig,
    /// Draws pages.
    pub pages: Pages,
    /// All mailboxes.
    pub inboxes: Vec<Inbox>,
    /// Access tokens that are still good.
    pub tokens: Tokens,
    /// Nothing is fetched where less than this is left on the disk.
    pub min_free_bytes: u64,
    /// The clock.
    pub time: Arc<dyn Time>,
    /// Ends what is going on, cleanly.
    pub stop: Arc<AtomicBool>,
}

impl Worker {
    /// Works until there are no tasks any more.
    pub fn work(&self, tasks: &Receiver<Task>, tell: &Sender<Message>) {
        let now = || self.time.now();
        let runner = Runner {
            folders: Folders::new(&self.data),
            store: self.store.clone(),
            draw: Draw {
                rules: &self.pages.rules,
                pages: &self.pages.draw,
            },
            as_of: None,
            min_free_bytes: self.min_free_bytes,
            now: &now,
        };
        for task in tasks {
            // One defect must not end everything else without a word.
            let stopped = task.stopped();
            let worked = catch_unwind(AssertUnwindSafe(|| self.task(&runner, task)));
            let worked = worked.unwrap_or(stopped);
            if tell.send(Message::Worked(worked)).is_err() {
                return;
            }
        }
    }

    fn task(&self, runner: &Runner, task: Task) -> Worked {
        match task {
            Task::Fetch(visits, job) => self.fetch(runner, visits, job, &self.tokens),
            Task::Backlog(job) => self.backlog(runner, &job, &self.tokens),
            Task::Maintain => Worked::Maintain(self.maintain(runner)),
            Task::Refresh => Worked::Refresh(self.refresh(runner)),
        }
    }

    fn fetch(
        &self,
        runner: &Runner,
        visits: Vec<(usize, Visit)>,
        job: Option<JobRequest>,
        tokens: &Tokens,
    ) -> Worked {
        let (numbers, mut visits): (Vec<usize>, Vec<Visit>) = visits.into_iter().unzip();
        let kind = job.as_ref().map_or("run", |job| job.kind.as_str());
        let ticket = ticket(job.as_ref(), self.time.now());
        let wanted = visits.iter().map(Visit::wanted).sum();
        let done = runner.run(kind, ticket, &mut self.wait(), |run, noting| {
            noting.wanted(wanted);
            fetch(run, &mut visits, tokens, self.turn(), &mut |step| {
                noting.note(&step)
            })
        });
        let left: Vec<Left> = visits.iter().map(Visit::left).collect();
        visits.into_iter().for_each(Visit::close);
        let mailboxes = numbers.into_iter().zip(left);
        // What could not be archived was not fetched, whatever the mailbox says.
        let done = done.and_then(|mut done| match done.done.unread.take() {
            Some(error) => Err(error),
            None => Ok(done),
        });
        match done {
            Ok(done) => {
                tell(&done.done.loaded);
                let fared = mailboxes.zip(&done.visited);
                let fared = fared.map(|((index, left), visited)| Fared {
                    index,
                    looked: fared_of(visited),
                    left,
                    has_more: visited.has_more,
                });
                Worked::Fetch(fared.collect(), Ok(()))
            }
            Err(error) => {
                let failed = Looked::Failed {
                    error: format!("{error:#}"),
                    needs_a_person: false,
                };
                let fared = mailboxes.map(|(index, _)| Fared {
                    index,
                    looked: failed.clone(),
                    left: Left::default(),
                    has_more: false,
                });
                Worked::Fetch(fared.collect(), Err(error))
            }
        }
    }

    fn backlog(&self, runner: &Runner, job: &JobRequest, tokens: &Tokens) -> Worked {
        let done = Backlog::of_parameters(&self.inboxes, &job.parameters).and_then(|backlog| {
            if backlog.is_dry_run {
                return self.try_out(runner, job, &backlog, tokens);
            }
            let pace = Pace {
                ticket: &ticket(Some(job), self.time.now()),
                fetched: fetched(runner, &job.id)?,
                stop: &self.stop,
            };
            let piece = backlog.piece(runner, &pace, tokens, &mut self.wait(), &mut |_, _| {})?;
            tell(&piece.fetch.done.loaded);
            if let Some(unread) = piece.fetch.done.unread {
                return Err(unread);
            }
            for visited in piece.fetch.visited {
                if let Some(error) = visited.failed {
                    return Err(error.into());
                }
            }
            Ok((piece.has_more || self.stop.load(Ordering::Relaxed), None))
        });
        Worked::Backlog(match done {
            Ok((true, _)) => Piece::More,
            Ok((false, detail)) => Piece::Last(Ok(detail)),
            Err(error) => Piece::Last(Err(format!("{error:#}"))),
        })
    }

    /// Says what messages would become.
    fn try_out(
        &self,
        runner: &Runner,
        job: &JobRequest,
        backlog: &Backlog,
        tokens: &Tokens,
    ) -> Result<(bool, Option<String>)> {
        runner.check_disk()?;
        let mut visits = [backlog.look(runner, 0, tokens)?];
        let ticket = ticket(Some(job), self.time.now());
        let (fetch, became) = runner.run("backlog", ticket, &mut self.wait(), |run, _| {
            dry_run(run, &mut visits, tokens, self.turn())
        })?;
        if let Some(unread) = fetch.done.unread {
            return Err(unread);
        }
        let is_cut = fetch.visited.iter().any(|one| one.has_more);
        let messages: u64 = fetch.visited.iter().map(|one| one.fetched).sum();
        if let Some(error) = fetch.visited.into_iter().find_map(|one| one.failed) {
            return Err(error.into());
        }
        let mut counts = std::collections::BTreeMap::<&str, u64>::new();
        for document in &became {
            *counts.entry(&document.outcome).or_default() += 1;
        }
        let counts: Vec<String> = counts.iter().map(|(o, n)| format!("{o} {n}")).collect();
        let more = if is_cut { ", the first of more" } else { "" };
        let detail = match messages {
            0 => "dry run: there is nothing to fetch".to_owned(),
            _ => format!(
                "dry run of {messages} messages{more}: {}",
                counts.join(", ")
            ),
        };
        Ok((false, Some(detail)))
    }

    /// Judges for the new day and publishes that; carries the retention through to the archive and joins its segments.
    fn maintain(&self, runner: &Runner) -> Result<()> {
        let ticket = Ticket::default();
        let done = runner.run("maintain", ticket, &mut self.wait(), |run, _| {
            ingest(run, &[], &mut |_| {})?;
            maintain(run, &mut |_| {})
        });
        done.map(drop)
    }

    /// Publishes what the ledger says of alerts by now.
    fn refresh(&self, runner: &Runner) -> Result<()> {
        let ticket = Ticket::default();
        let done = runner.run("publish", ticket, &mut self.wait(), |run, _| refresh(run));
        done.map(drop)
    }

    fn turn(&self) -> Turn<'_> {
        Turn {
            stop: &self.stop,
            longest: TURN,
            min_free_bytes: self.min_free_bytes,
        }
    }

    /// Another program's run is waited for as long as it takes.
    fn wait(&self) -> impl FnMut(&Holder) -> bool {
        let mut told = None;
        move |holder: &Holder| {
            if told.as_ref() != Some(holder) {
                tracing::info!(%holder, "waiting for another run");
                told = Some(holder.clone());
            }
            patience(1)(holder) && !self.stop.load(Ordering::Relaxed)
        }
    }
}

fn ticket(job: Option<&JobRequest>, now: DateTime<Utc>) -> Ticket {
    match job {
        Some(job) => Ticket {
            id: job.id.clone(),
            parameters: job.parameters.clone(),
        },
        None => Ticket {
            id: new_id(now),
            ..Ticket::default()
        },
    }
}

/// Says what a run has brought in.
fn tell(loaded: &Loaded) {
    if loaded.items > 0 {
        tracing::info!("fetched: {loaded}");
    }
}

/// Items that earlier pieces of a job have brought in.
fn fetched(runner: &Runner, id: &str) -> Result<u64> {
    let (entries, _) = Ledger::open(&runner.folders.ledger())?.read(None)?;
    let view = View::fold(&entries);
    let job = view.jobs.iter().find(|job| job.id == id);
    Ok(job.map_or(0, |job| job.items))
}

fn fared_of(visited: &Visited) -> Looked {
    match &visited.failed {
        None => Looked::Nothing,
        Some(error) => failed(error),
    }
}

/// A failure of a mailbox.
pub fn failed(error: &ImapError) -> Looked {
    Looked::Failed {
        error: error.to_string(),
        needs_a_person: error.needs_a_person(),
    }
}

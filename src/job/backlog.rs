//! Old mail of one mailbox, in pieces: each is a run of its own, durable and published, so that new mail need not wait,
//! and a backlog that was interrupted goes on where it was.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::lock::{Holder, give_way};
use super::mailboxes::{Fetch, Turn, fetch};
use super::positions::Positions;
use super::run::{Progress, Ticket};
use super::runner::Runner;
use super::visit::{Known, Selection, Visit};
use crate::archive::Archive;
use crate::model::inbox::Inbox;
use crate::source::imap::Tokens;

/// Messages of a piece: some seconds of work.
const PIECE_MESSAGES: u64 = 5_000;
/// Time of fetching of a piece, where the server is slow.
const PIECE_TIME: Duration = Duration::from_secs(60);

/// Which old mail of which mailbox.
pub struct Backlog {
    /// The mailbox.
    pub inbox: Inbox,
    /// Which of its messages.
    pub selection: Selection,
    /// It is only said what they would become.
    pub is_dry_run: bool,
}

/// What a piece did.
pub struct Piece {
    /// Counts, and what became of the mailbox.
    pub fetch: Fetch,
    /// Messages that were wanted before it.
    pub wanted: u64,
    /// Whether there is more.
    pub has_more: bool,
}

/// What a piece needs to know beside the data folder.
pub struct Pace<'a> {
    /// Names the runs.
    pub ticket: &'a Ticket,
    /// Messages that earlier pieces have fetched; they count towards the limit.
    pub fetched: u64,
    /// Ends it early, and cleanly.
    pub stop: &'a AtomicBool,
}

impl Backlog {
    /// From the parameters of a job.
    pub fn of_parameters(inboxes: &[Inbox], parameters: &BTreeMap<String, String>) -> Result<Self> {
        let name = parameters.get("inbox").context("`inbox` is missing")?;
        let inbox = inboxes.iter().find(|inbox| inbox.name == *name);
        let inbox = inbox.with_context(|| format!("there is no inbox \"{name}\""))?;
        let mut selection = Selection {
            is_all: true,
            ..Selection::default()
        };
        let mut is_dry_run = false;
        for (key, value) in parameters {
            let day = || {
                value
                    .parse()
                    .with_context(|| format!("`{key}` is no day such as 2024-03-31: {value}"))
            };
            match key.as_str() {
                "inbox" => {}
                "dry_run" => is_dry_run = flag(key, value)?,
                "folder" => selection.folder = Some(value.clone()),
                "since" => selection.since = Some(day()?),
                "before" => selection.before = Some(day()?),
                "limit" => {
                    let limit: u64 = value
                        .parse()
                        .with_context(|| format!("`limit` is no number: {value}"))?;
                    ensure!(limit > 0, "`limit` is 0: nothing would be fetched");
                    selection.limit = Some(limit);
                }
                "reprocess" => selection.is_again = flag(key, value)?,
                "mark_seen" => selection.is_marking = flag(key, value)?,
                _ => bail!("`{key}` is not known"),
            }
        }
        Ok(Self {
            inbox: inbox.clone(),
            selection,
            is_dry_run,
        })
    }

    /// Looks into the mailbox; changes nothing.
    pub fn look(&self, runner: &Runner, fetched: u64, tokens: &Tokens) -> Result<Visit> {
        let archive = Archive::open(&runner.folders.archive()).context("opening the archive")?;
        let positions =
            Positions::read(&archive).context("reading the positions of the mailboxes")?;
        let known = Known {
            archive: &archive,
            positions: &positions,
            limits: &runner.store.limits,
        };
        let limit = self.selection.limit;
        let selection = Selection {
            limit: limit.map(|limit| limit.saturating_sub(fetched)),
            ..self.selection.clone()
        };
        Visit::begin(&self.inbox, &selection, &known, tokens)
    }

    /// What is fetched again has one piece, which has to reach its end: another one would begin at the oldest again.
    fn piece_time(&self) -> Duration {
        match self.selection.is_again {
            true => Duration::MAX,
            false => PIECE_TIME,
        }
    }

    /// Does the next piece.
    pub fn piece(
        &self,
        runner: &Runner,
        pace: &Pace,
        tokens: &Tokens,
        wait: &mut dyn FnMut(&Holder) -> bool,
        progress: &mut dyn FnMut(u64, Progress),
    ) -> Result<Piece> {
        runner.check_disk()?;
        let mut visit = self.look(runner, pace.fetched, tokens)?;
        let wanted = visit.wanted();
        if !self.selection.is_again {
            // What is fetched again and stays without its bytes would be wanted by each further piece.
            visit.truncate(PIECE_MESSAGES);
        }
        let mut visits = [visit];
        let fetch = runner.run("backlog", pace.ticket.clone(), wait, |run, noting| {
            noting.wanted(wanted);
            let mut note = |step: Progress| {
                noting.note(&step);
                progress(wanted, step);
            };
            let turn = Turn {
                stop: pace.stop,
                longest: self.piece_time(),
                min_free_bytes: runner.min_free_bytes,
            };
            fetch(run, &mut visits, tokens, turn, &mut note)
        })?;
        let [visit] = visits;
        visit.close();
        let fetched = fetch.visited.iter().map(|one| one.fetched).sum::<u64>();
        let is_failed = fetch.visited.iter().any(|one| one.failed.is_some());
        // A piece that brought nothing would be followed by the same one.
        let is_cut = fetch.visited.iter().any(|one| one.has_more) || wanted > PIECE_MESSAGES;
        let has_more = !self.selection.is_again && !is_failed && fetched > 0 && is_cut;
        if has_more {
            give_way();
        }
        Ok(Piece {
            fetch,
            wanted,
            has_more,
        })
    }
}

fn flag(key: &str, value: &str) -> Result<bool> {
    match value {
        "true" | "on" | "1" | "yes" => Ok(true),
        "false" | "off" | "0" | "no" | "" => Ok(false),
        _ => bail!("`{key}` is neither true nor false: {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inbox::{After, Login, Schedule, TlsMode};
    use crate::model::secret::FromEnvironment;

    fn inbox() -> Inbox {
        Inbox {
            name: "a".to_owned(),
            host: String::new(),
            port: 0,
            tls: TlsMode::Implicit,
            ca_file: None,
            username: String::new(),
            login: Login::Password(FromEnvironment {
                variable: String::new(),
                secret: None,
            }),
            folders: Vec::new(),
            only_unseen: false,
            recipient: None,
            after: After::Nothing,
            without_report: After::Nothing,
            processed_folder: String::new(),
            failed_folder: String::new(),
            schedule: Schedule::Every(900),
            idle: true,
            timeout_secs: 30,
        }
    }

    fn of(parameters: &[(&str, &str)]) -> Result<Backlog> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Backlog::of_parameters(&[inbox()], &parameters.iter().map(own).collect())
    }

    #[test]
    fn a_dry_run_is_one_in_every_word_for_it_and_nothing_else_is_taken_for_a_real_one() {
        for (word, expect) in [
            ("true", Some(true)),
            ("on", Some(true)),
            ("1", Some(true)),
            ("false", Some(false)),
            ("", Some(false)),
            ("maybe", None),
        ] {
            let backlog = of(&[("inbox", "a"), ("dry_run", word)]);
            let is_dry_run = backlog.ok().map(|backlog| backlog.is_dry_run);
            assert_eq!(is_dry_run, expect, "{word}");
        }
        assert!(!of(&[("inbox", "a")]).unwrap().is_dry_run);
    }

    #[test]
    fn what_is_fetched_again_is_fetched_to_its_end() {
        let again = of(&[("inbox", "a"), ("reprocess", "true")]).unwrap();
        assert_eq!(again.piece_time(), Duration::MAX);
        assert_eq!(of(&[("inbox", "a")]).unwrap().piece_time(), PIECE_TIME);
    }
}

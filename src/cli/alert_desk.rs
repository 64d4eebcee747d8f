//! Alerts as they stand: what is published of them, and what the ledger says since; and the actions of people.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;

use super::alert_beyond::{Asked, Beyond, has_more};
use super::glance::Glance;
use crate::alert;
use crate::clock;
use crate::daemon::Handle;
use crate::ledger::{AlertActed, Entry, Event, Ledger, View};
use crate::model::alert::{Acted, Action, Evidence, Reason, Status};
use crate::model::day::Day;
use crate::publish::{Generation, Publisher};
use crate::query::Catalogue;
use crate::render::alerts::{
    AlertFile, AlertList, AlertQuestion, Done, Listed, MOST_ALERTS, json_path, list_page, page,
    panels_path,
};
use crate::render::{Html, Skin};
use crate::serve::{AlertDesk, AlertForm, Undone};

mod pages;

/// Characters of a note.
const NOTE_CHARS: usize = 1_000;

/// Bytes of a published file about alerts.
const MOST_BYTES: u64 = 64 << 20;

/// Knows what is published and the ledger.
pub(super) struct Alerts {
    /// The folder with the generations.
    pub(super) public: PathBuf,
    /// The folder of the ledger.
    pub(super) ledger: PathBuf,
    /// What the ledger says.
    pub(super) glance: Arc<Glance>,
    /// Days without evidence after which an alert is done with.
    pub(super) resolve_after_days: u64,
    /// Draws pages.
    pub(super) skin: Arc<Skin>,
    /// The rules.
    pub(super) catalogue: Arc<Catalogue>,
    /// Is told that something was done, where somebody publishes it.
    pub(super) daemon: Option<Handle>,
    /// Alerts without a file of their own.
    pub(super) beyond: Beyond,
}

impl Alerts {
    /// Those that are asked for as they stand; `None` where nothing is published.
    pub(super) fn list(&self, question: &AlertQuestion) -> Result<Option<AlertList>> {
        let Some(generation) = self.generation()? else {
            return Ok(None);
        };
        let Some(mut list) = read::<AlertList>(&generation, "site/api/alerts.json")? else {
            return Ok(None);
        };
        let view = self.glance.view()?;
        let acted = self.acted(&generation, &view)?;
        for (published, now) in &acted {
            list.recount(
                (published.status, published.severity),
                (now.status, now.severity),
            );
        }
        // The beginning of all is published as a file; what is done with alerts changes which ones it is.
        let is_beginning = acted.is_empty()
            && question.status.is_none()
            && question.domain.is_none()
            && question.offset + question.limit <= MOST_ALERTS;
        if is_beginning || list.total <= list.alerts.len() as u64 {
            self::pages::of_file(&mut list, question, acted);
        } else {
            let asked = self.asked(&generation);
            self::pages::of_database(&mut list, question, acted, &asked)?;
        }
        Ok(Some(list))
    }

    /// Alerts with which somebody did something since they were published: as they were, and as they stand.
    fn acted(&self, generation: &Generation, view: &View) -> Result<Vec<(Listed, Listed)>> {
        let seq = generation.manifest.values.alert_seq;
        let lines = view.alerts.iter();
        let ids: Vec<&str> = lines
            .filter(|(id, _)| is_newer(view, id, seq))
            .map(|(id, _)| id.as_str())
            .collect();
        let published = self.published(generation, &ids)?;
        let pair = |file: AlertFile| {
            let before = Listed::from(&file);
            (before, Listed::from(&self.now(generation, view, file)))
        };
        Ok(published.into_iter().map(pair).collect())
    }

    /// An alert as it stands; `None` where there is no such one.
    pub(super) fn file(&self, id: &str) -> Result<Option<AlertFile>> {
        match self.generation()? {
            Some(_) => Ok(self.files(&[id])?.pop()),
            None => Ok(None),
        }
    }

    /// Some alerts as they stand; those that are none are left out. Where nothing is published nobody knows.
    pub(super) fn files(&self, ids: &[&str]) -> Result<Vec<AlertFile>> {
        let generation = self.generation()?.context("nothing is published")?;
        let view = self.glance.view()?;
        let files = self.published(&generation, ids)?.into_iter();
        Ok(files
            .map(|file| self.now(&generation, &view, file))
            .collect())
    }

    /// The same as they are published.
    fn published(&self, generation: &Generation, ids: &[&str]) -> Result<Vec<AlertFile>> {
        let (mut found, mut beyond) = (Vec::new(), Vec::new());
        for id in ids {
            match read::<AlertFile>(generation, &json_path(id))? {
                Some(file) => found.push(file),
                None => beyond.push(*id),
            }
        }
        if !beyond.is_empty() && has_more(generation) {
            for ids in beyond.chunks(MOST_ALERTS) {
                found.extend(self.asked(generation).files(ids)?);
            }
        }
        Ok(found)
    }

    fn now(&self, generation: &Generation, view: &View, file: AlertFile) -> AlertFile {
        let actions: &[Acted] = view
            .alerts
            .get(&file.alert.id)
            .map_or(&[], |line| &line.actions);
        let as_of = generation.manifest.values.as_of;
        stands(file, actions, as_of, self.resolve_after_days)
    }

    fn asked<'a>(&'a self, generation: &'a Generation) -> Asked<'a> {
        Asked {
            beyond: &self.beyond,
            generation,
            skin: &self.skin,
            catalogue: &self.catalogue,
        }
    }

    /// The whole id of the alert whose id begins so, and how many there are; `None` where there is none.
    pub(super) fn beginning(&self, text: &str) -> Result<Option<(String, u64)>> {
        let generation = self.generation()?.context("nothing is published yet")?;
        if has_more(&generation) {
            return self.asked(&generation).beginning(text);
        }
        let list = self.list(&AlertQuestion::default())?;
        let list = list.context("nothing is published yet")?;
        let mut found = list
            .alerts
            .iter()
            .filter(|alert| alert.id.starts_with(text));
        let first = found.next().map(|alert| alert.id.clone());
        Ok(first.map(|id| (id, 1 + found.count() as u64)))
    }

    pub(super) fn generation(&self) -> Result<Option<Generation>> {
        Publisher::open(&self.public)
            .current()
            .context("reading what is published")
    }

    /// Whether the ledger says more than what is published.
    fn is_ahead(&self) -> Result<bool> {
        let published = self
            .generation()?
            .map_or(0, |g| g.manifest.values.alert_seq);
        Ok(self.glance.view()?.last_alert_seq > published)
    }

    /// Does something with an alert; it is durable on return. What it was already is done once.
    pub(super) fn act(
        &self,
        id: &str,
        action: Action,
        note: Option<&str>,
    ) -> Result<AlertFile, Undone> {
        let note = note.map(str::trim).filter(|note| !note.is_empty());
        if note.is_some_and(|note| note.chars().count() > NOTE_CHARS) {
            return Err(Undone::Value(format!(
                "`note` is longer than {NOTE_CHARS} characters"
            )));
        }
        let generation = self.generation()?.ok_or(Undone::Unknown)?;
        let published = self.published(&generation, &[id])?.pop();
        let published = published.ok_or(Undone::Unknown)?;
        let as_of = generation.manifest.values.as_of;
        let (view, place) = self.glance.look()?;
        let ledger = Ledger::open(&self.ledger).context("opening the ledger")?;
        let mut declined = None;
        let now = clock::now().timestamp();
        let mut decide = |newer: &[Entry]| {
            let mut view = View::clone(&view);
            view.fold_more(newer);
            let actions: &[Acted] = view.alerts.get(id).map_or(&[], |line| &line.actions);
            let file = stands(published.clone(), actions, as_of, self.resolve_after_days);
            match wanted(&file, action, note) {
                Ok(is_new) => is_new
                    .then(|| event(&file, action, note))
                    .into_iter()
                    .collect(),
                Err(why) => {
                    declined = Some(why);
                    Vec::new()
                }
            }
        };
        ledger
            .append_behind(place, now, &mut decide)
            .context("writing the ledger")?;
        match declined {
            Some(why) => Err(why),
            None => self.file(id)?.ok_or(Undone::Unknown),
        }
    }
}

impl AlertDesk for Alerts {
    fn list(&self, asked: Option<&AlertQuestion>, form: AlertForm) -> Result<Option<Vec<u8>>> {
        if asked.is_none() && !self.is_ahead()? {
            return Ok(None);
        }
        let question = asked.cloned().unwrap_or_default();
        let Some(list) = Alerts::list(self, &question)? else {
            return Ok(None);
        };
        match form {
            AlertForm::Json => list.to_bytes(),
            AlertForm::Page => list_page(&self.skin, &list, asked),
        }
        .map(Some)
    }

    fn one(&self, id: &str, form: AlertForm) -> Result<Option<Vec<u8>>> {
        let Some(generation) = self.generation()? else {
            return Ok(None);
        };
        let seq = generation.manifest.values.alert_seq;
        match generation.file(&json_path(id)) {
            Some(_) if is_newer(&*self.glance.view()?, id, seq) => self.drawn(id, form, None),
            _ => Ok(None),
        }
    }

    fn drawn(&self, id: &str, form: AlertForm, refused: Option<&str>) -> Result<Option<Vec<u8>>> {
        let Some(generation) = self.generation()? else {
            return Ok(None);
        };
        let Some(file) = self.published(&generation, &[id])?.pop() else {
            return Ok(None);
        };
        let file = self.now(&generation, &*self.glance.view()?, file);
        if form == AlertForm::Json {
            return file.to_bytes().map(Some);
        }
        let panels = match bytes(&generation, &panels_path(id))? {
            Some(panels) => {
                Html::published(String::from_utf8(panels).context("reading published panels")?)
            }
            None => self.asked(&generation).panels(&file)?,
        };
        let rule = self.catalogue.queries.get(&file.alert.rule);
        page(&self.skin, &file, rule, &panels, refused).map(Some)
    }

    fn act(&self, id: &str, action: Action, note: Option<&str>) -> Result<(), Undone> {
        let done = Alerts::act(self, id, action, note).map(drop);
        if let Some(daemon) = self.daemon.as_ref().filter(|_| done.is_ok()) {
            daemon.tick();
        }
        done
    }
}

/// Whether somebody did something with an alert since the ledger's line `seq`.
fn is_newer(view: &View, id: &str, seq: u64) -> bool {
    let line = view.alerts.get(id);
    line.and_then(|line| line.actions.last())
        .is_some_and(|acted| acted.seq > seq)
}

/// What is published of an alert, as the ledger has it now. Its words stay those of the publication.
fn stands(
    mut file: AlertFile,
    actions: &[Acted],
    as_of: Day,
    resolve_after_days: u64,
) -> AlertFile {
    // As people left it: there is no evidence to fold.
    if file.reason == Some(Reason::RuleFailed) {
        return file;
    }
    let evidence: Vec<Evidence> = file.evidence.iter().map(Evidence::from).collect();
    let seq = file.actions.last().map_or(0, |done| done.seq);
    let known = actions.partition_point(|acted| acted.seq <= seq);
    let fold = |actions| alert::fold(&evidence, actions, as_of, resolve_after_days);
    let (before, state) = (fold(&actions[..known]), fold(actions));
    // What is published counts days of evidence as well that are too old to be listed.
    if state.days != before.days {
        let days = evidence.get(state.days.clone()).unwrap_or_default();
        file.alert.severity = state.severity;
        file.alert.first_day = days.first().map_or(file.alert.first_day, |day| day.day);
        file.alert.messages = days
            .iter()
            .fold(0, |sum, day| sum.saturating_add(day.messages));
        file.occurrences =
            (file.occurrences + state.occurrences as u64).saturating_sub(before.occurrences as u64);
    }
    file.alert.status = state.status;
    // What took all evidence away is not for the ledger to say.
    if !evidence.is_empty() {
        file.reason = state.reason;
    }
    file.actions = actions.iter().map(Done::from).collect();
    file
}

/// Whether an action is one that changes something; what makes no sense is declined.
fn wanted(file: &AlertFile, action: Action, note: Option<&str>) -> Result<bool, Undone> {
    let status = file.alert.status;
    if file.reason == Some(Reason::RuleFailed) {
        return Err(Undone::Conflict(
            "the rule of this alert cannot be asked at present: mend the rule first".to_owned(),
        ));
    }
    if matches!(file.reason, Some(Reason::Withdrawn | Reason::RuleOff)) {
        let words = file.gone_words();
        return Err(Undone::Conflict(format!("there is nothing to do: {words}")));
    }
    match (action, status) {
        (Action::Ack, Status::Resolved) => Err(Undone::Conflict(
            "this alert is resolved: reopen it, or leave it; newer evidence opens it again"
                .to_owned(),
        )),
        (Action::Ack, Status::Acknowledged) | (Action::Reopen, Status::Open) => Ok(note.is_some()),
        (Action::Resolve, Status::Resolved) => {
            Ok(note.is_some() || file.reason != Some(Reason::Person))
        }
        _ => Ok(true),
    }
}

fn event(file: &AlertFile, action: Action, note: Option<&str>) -> Event {
    let alert = &file.alert;
    Event::AlertActed(AlertActed {
        id: alert.id.clone(),
        action,
        rule: alert.rule.clone(),
        domain: alert.domain.clone(),
        subject: alert.subject.clone(),
        title: alert.title.clone(),
        severity: alert.severity,
        status: Some(alert.status),
        first_day: alert.first_day,
        last_day: alert.last_day,
        note: note.map(str::to_owned),
    })
}

pub(super) fn read<T: DeserializeOwned>(generation: &Generation, path: &str) -> Result<Option<T>> {
    let Some(bytes) = bytes(generation, path)? else {
        return Ok(None);
    };
    let read = serde_json::from_slice(&bytes);
    read.map(Some)
        .with_context(|| format!("reading {path} of what is published"))
}

/// Only what the manifest names.
fn bytes(generation: &Generation, path: &str) -> Result<Option<Vec<u8>>> {
    let Some(file) = generation.file(path) else {
        return Ok(None);
    };
    let mut content = Vec::new();
    std::fs::File::open(&file.path)
        .and_then(|open| open.take(MOST_BYTES).read_to_end(&mut content))
        .with_context(|| format!("reading {path}"))?;
    Ok(Some(content))
}

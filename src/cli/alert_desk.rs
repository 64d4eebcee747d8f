//! Alerts as they stand: what is published of them, and what the ledger says since; and the actions of people.

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;

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
    AlertFile, AlertList, Done, Listed, json_path, list_page, page, panels_path,
};
use crate::render::{Html, Skin};
use crate::serve::{AlertDesk, AlertForm, Undone};

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
}

impl Alerts {
    /// The list as it stands; `None` where nothing is published.
    pub(super) fn list(&self) -> Result<Option<AlertList>> {
        let Some(generation) = self.generation()? else {
            return Ok(None);
        };
        let Some(mut list) = read::<AlertList>(&generation, "site/api/alerts.json")? else {
            return Ok(None);
        };
        let view = self.glance.view()?;
        for listed in &mut list.alerts {
            if is_newer(&view, &listed.id, generation.manifest.values.alert_seq)
                && let Some(file) = self.file_of(&generation, &view, &listed.id)?
            {
                *listed = Listed::from(&file);
            }
        }
        list.sort();
        Ok(Some(list))
    }

    /// An alert as it stands; `None` where there is no such one.
    pub(super) fn file(&self, id: &str) -> Result<Option<AlertFile>> {
        let Some(generation) = self.generation()? else {
            return Ok(None);
        };
        self.file_of(&generation, &*self.glance.view()?, id)
    }

    fn file_of(&self, generation: &Generation, view: &View, id: &str) -> Result<Option<AlertFile>> {
        let Some(file) = read::<AlertFile>(generation, &json_path(id))? else {
            return Ok(None);
        };
        let actions: &[Acted] = view.alerts.get(id).map_or(&[], |line| &line.actions);
        let as_of = generation.manifest.values.as_of;
        Ok(Some(stands(file, actions, as_of, self.resolve_after_days)))
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
        let published = read::<AlertFile>(&generation, &json_path(id))?.ok_or(Undone::Unknown)?;
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
    fn list(&self, form: AlertForm) -> Result<Option<Vec<u8>>> {
        if !self.is_ahead()? {
            return Ok(None);
        }
        let Some(list) = Alerts::list(self)? else {
            return Ok(None);
        };
        match form {
            AlertForm::Json => list.to_bytes(),
            AlertForm::Page => list_page(&self.skin, &list),
        }
        .map(Some)
    }

    fn one(&self, id: &str, form: AlertForm) -> Result<Option<Vec<u8>>> {
        let Some(generation) = self.generation()? else {
            return Ok(None);
        };
        let view = self.glance.view()?;
        if !is_newer(&view, id, generation.manifest.values.alert_seq) {
            return Ok(None);
        }
        let Some(file) = self.file_of(&generation, &view, id)? else {
            return Ok(None);
        };
        if form == AlertForm::Json {
            return file.to_bytes().map(Some);
        }
        let panels = bytes(&generation, &panels_path(id))?
            .context("the published panels of an alert are gone")?;
        let panels =
            Html::published(String::from_utf8(panels).context("reading published panels")?);
        let rule = self.catalogue.queries.get(&file.alert.rule);
        page(&self.skin, &file, rule, &panels).map(Some)
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

/// What is published of an alert, as the ledger has it now.
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
    let state = alert::fold(&evidence, actions, as_of, resolve_after_days);
    file.alert.status = state.status;
    file.alert.severity = state.severity;
    file.reason = state.reason;
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
    if file.reason == Some(Reason::Withdrawn) {
        return Err(Undone::Conflict(
            "later reports took the evidence of this alert away: there is nothing to do".to_owned(),
        ));
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

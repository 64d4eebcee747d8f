//! Alerts beyond those that have a file of their own: read from the published database, when somebody asks for them.
//!
//! Only where a generation has so many. One question is answered at a time, on a connection of its own: the database
//! of a generation that is gone would keep its place on the disk for as long as it is open.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};

use crate::model::alert::Status;
use crate::publish::Generation;
use crate::query::{
    Bounds, Catalogue, Params, Query, ReaderLimits, Table, Value, each_row, open_read_only,
    run_within,
};
use crate::render::alerts::{AlertFile, AlertQuestion, Listed, MOST_ALERTS, listed, panels_path};
use crate::render::{Html, Site, Skin};
use crate::store::Connection;

/// What the look-ups of one server may use.
const LIMITS: ReaderLimits = ReaderLimits {
    memory_mib: 256,
    threads: 2,
};

/// Whose turn it is.
#[derive(Default)]
pub(super) struct Beyond {
    turn: Mutex<()>,
}

/// A generation and what its alerts are read with.
pub(super) struct Asked<'a> {
    pub(super) beyond: &'a Beyond,
    pub(super) generation: &'a Generation,
    pub(super) skin: &'a Skin,
    pub(super) catalogue: &'a Arc<Catalogue>,
}

/// Whether a generation may have alerts without a file.
pub(super) fn has_more(generation: &Generation) -> bool {
    let files = generation.manifest.files.keys();
    let of_alerts = files.filter(|path| path.starts_with("site/api/alerts/"));
    of_alerts.take(MOST_ALERTS).count() >= MOST_ALERTS
}

impl Asked<'_> {
    /// Some alerts by their ids; those that are none are left out.
    pub(super) fn files(&self, ids: &[&str]) -> Result<Vec<AlertFile>> {
        self.with(|connection| {
            self.site()
                .alerts_named(ids, &mut |query, params| answer(connection, query, params))
        })
    }

    /// The panels of an alert's page.
    pub(super) fn panels(&self, file: &AlertFile) -> Result<Html> {
        let path = panels_path(&file.alert.id);
        let mut panels = None;
        self.with(|connection| {
            self.site().alerts(
                std::slice::from_ref(file),
                &mut |query, params| answer(connection, query, params),
                &mut |name, bytes| {
                    if name == path {
                        panels = Some(String::from_utf8(bytes.to_vec())?);
                    }
                    Ok(())
                },
            )
        })?;
        panels
            .map(Html::published)
            .context("an alert was drawn without panels")
    }

    /// Alerts that are asked for, without those of `but`, as they are published. Each is given to `take` as it is read.
    pub(super) fn each(
        &self,
        question: &AlertQuestion,
        but: &[&str],
        take: &mut dyn FnMut(Listed),
    ) -> Result<()> {
        let mut params = params(question, but);
        for (name, number) in [("most", question.limit), ("behind", question.offset)] {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            params.insert(name.to_owned(), Value::Int(number));
        }
        let query = self.query("alert_page")?;
        let columns = [
            "id",
            "rule",
            "domain",
            "subject",
            "severity",
            "status",
            "reason",
            "first_day",
            "last_day",
            "messages",
            "occurrences",
            "title",
        ];
        let mut table = Table {
            columns: columns.map(str::to_owned).to_vec(),
            ..Table::default()
        };
        self.with(|connection| {
            each_row(connection, query, &params, &mut |row| {
                table.rows = vec![row];
                take(listed(&table, 0)?);
                Ok(())
            })
        })
    }

    /// How many alerts match a question, without those of `but`.
    pub(super) fn count(&self, question: &AlertQuestion, but: &[&str]) -> Result<u64> {
        let (query, params) = (self.query("alert_matches")?, params(question, but));
        let table = self.with(|connection| answer(connection, query, &params))?;
        match table.get(0, "alerts") {
            Value::Int(count) => Ok(count.unsigned_abs()),
            other => anyhow::bail!("the number of alerts is {other:?}"),
        }
    }

    /// The first alert whose id begins so, and how many there are.
    pub(super) fn beginning(&self, text: &str) -> Result<Option<(String, u64)>> {
        let query = self.query("alert_beginnings")?;
        let params = Params::from([("beginning".to_owned(), Value::Text(text.to_owned()))]);
        let table = self.with(|connection| answer(connection, query, &params))?;
        Ok(match (table.get(0, "id"), table.get(0, "alerts")) {
            (Value::Text(id), Value::Int(count)) => Some((id.clone(), count.unsigned_abs())),
            _ => None,
        })
    }

    fn site(&self) -> Site<'_> {
        Site {
            skin: self.skin,
            catalogue: self.catalogue,
            as_of: self.generation.manifest.values.as_of,
            domains: &[],
        }
    }

    fn query(&self, name: &str) -> Result<&Query> {
        let query = self.catalogue.queries.get(name);
        query.with_context(|| format!("there is no query {name}"))
    }

    fn with<T>(&self, ask: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let turn = &self.beyond.turn;
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let database = self.generation.database();
        let database = database.context("the published generation has no database")?;
        let connection = open_read_only(&database, LIMITS)?;
        ask(&connection).context("asking the published database about alerts")
    }
}

fn answer(connection: &Connection, query: &Query, params: &Params) -> Result<Table> {
    run_within(connection, query, params, Bounds::default())
}

fn params(question: &AlertQuestion, but: &[&str]) -> Params {
    let statuses = match &question.status {
        Some(status) => vec![*status],
        None => Status::ALL.to_vec(),
    };
    let list = |texts: Vec<String>| Value::List(texts.into_iter().map(Value::Text).collect());
    let statuses = statuses.iter().map(Status::to_string).collect();
    let domains = question.domain.iter().cloned().collect();
    let but = but.iter().map(|id| (*id).to_owned()).collect();
    Params::from([
        ("statuses".to_owned(), list(statuses)),
        ("about".to_owned(), list(domains)),
        ("but".to_owned(), list(but)),
    ])
}

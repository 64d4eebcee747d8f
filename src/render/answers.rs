//! Asks what pages show: each query once for a page, one about domains once for many domains.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::Context as _;

use super::{Rows, Site};
use crate::query::{Panel, Params, Query, Table, Value};

/// A panel with the part of its query's answer that it shows.
pub(super) struct Shown<'a> {
    pub(super) query: &'a Query,
    pub(super) panel: &'a Panel,
    pub(super) table: Cow<'a, Table>,
}

/// Things that a page is about: parameters of queries about one and about many, and the column that says which.
pub(super) struct Kind {
    pub(super) one: &'static str,
    pub(super) many: &'static str,
}

const DOMAINS: Kind = Kind {
    one: "domain",
    many: "domains",
};

/// Alerts, by their ids.
pub(super) const ALERTS: Kind = Kind {
    one: "alert",
    many: "alerts",
};

/// Answers by the name of their query.
pub(super) type Answers = BTreeMap<String, Table>;

impl Site<'_> {
    /// The answers for a page about everything.
    pub(super) fn answers(&self, page: &str, rows: Rows<'_>) -> anyhow::Result<Answers> {
        let mut answers = Answers::new();
        for query in self.queries(&[page]) {
            let table = ask(query, &self.params(), rows)?;
            answers.insert(query.name.clone(), table);
        }
        Ok(answers)
    }

    /// The answers for some pages about domains, by domain.
    pub(super) fn domain_answers(
        &self,
        pages: &[&str],
        domains: &[&str],
        rows: Rows<'_>,
    ) -> anyhow::Result<BTreeMap<String, Answers>> {
        self.answers_about(&DOMAINS, pages, domains, rows)
    }

    /// The answers for some pages about things of a kind, by their names.
    pub(super) fn answers_about(
        &self,
        kind: &Kind,
        pages: &[&str],
        names: &[&str],
        rows: Rows<'_>,
    ) -> anyhow::Result<BTreeMap<String, Answers>> {
        let mut answers: BTreeMap<String, Answers> = names
            .iter()
            .map(|name| ((*name).to_owned(), Answers::new()))
            .collect();
        for query in self.queries(pages) {
            if query.params.iter().any(|(param, _)| param == kind.many) {
                self.ask_together(kind, query, names, rows, &mut answers)?;
            } else {
                for (name, answers) in &mut answers {
                    let mut params = self.params();
                    params.insert(kind.one.to_owned(), Value::Text(name.clone()));
                    answers.insert(query.name.clone(), ask(query, &params, rows)?);
                }
            }
        }
        Ok(answers)
    }

    /// Asks one query about many; where the answer is too large for one, about fewer at a time.
    fn ask_together(
        &self,
        kind: &Kind,
        query: &Query,
        names: &[&str],
        rows: Rows<'_>,
        answers: &mut BTreeMap<String, Answers>,
    ) -> anyhow::Result<()> {
        let list = names.iter().map(|name| Value::Text((*name).to_owned()));
        let mut params = self.params();
        params.insert(kind.many.to_owned(), Value::List(list.collect()));
        match ask(query, &params, rows) {
            Ok(table) => share_out(kind, &query.name, table, answers),
            Err(_) if names.len() > 1 => {
                let (some, others) = names.split_at(names.len() / 2);
                self.ask_together(kind, query, some, rows, answers)?;
                self.ask_together(kind, query, others, rows, answers)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The panels of a page in order, each with its part of the answers.
    pub(super) fn shown<'a>(&'a self, page: &str, answers: &'a Answers) -> Vec<Shown<'a>> {
        let panels = self.catalogue.panels(page).into_iter();
        let shown = panels.filter_map(|(query, panel)| {
            let table = panel.shown(answers.get(&query.name)?);
            Some(Shown {
                query,
                panel,
                table,
            })
        });
        shown.collect()
    }

    /// The queries behind some pages, each once.
    fn queries(&self, pages: &[&str]) -> Vec<&Query> {
        let all = pages.iter().flat_map(|page| self.catalogue.panels(page));
        let by_name: BTreeMap<&str, &Query> =
            all.map(|(query, _)| (query.name.as_str(), query)).collect();
        by_name.into_values().collect()
    }

    fn params(&self) -> Params {
        Params::from([("as_of".to_owned(), Value::Day(self.as_of))])
    }
}

fn ask(query: &Query, params: &Params, rows: Rows<'_>) -> anyhow::Result<Table> {
    rows(query, params).with_context(|| format!("running query {}", query.name))
}

/// Gives each its rows, in their order and without the column that names it.
fn share_out(kind: &Kind, query_name: &str, table: Table, answers: &mut BTreeMap<String, Answers>) {
    let place = table.columns.iter().position(|column| column == kind.one);
    let mut columns = table.columns;
    if let Some(at) = place {
        columns.remove(at);
    }
    for answers in answers.values_mut() {
        let (columns, rows) = (columns.clone(), Vec::new());
        let unasked = || Table { columns, rows };
        (answers.entry(query_name.to_owned())).or_insert_with(unasked);
    }
    for mut row in table.rows {
        if let Some(Value::Text(name)) = place.map(|at| row.remove(at))
            && let Some(own) = answers.get_mut(&name).and_then(|a| a.get_mut(query_name))
        {
            own.rows.push(row);
        }
    }
}

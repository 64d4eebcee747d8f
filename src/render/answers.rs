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
        let mut answers: BTreeMap<String, Answers> = domains
            .iter()
            .map(|domain| ((*domain).to_owned(), Answers::new()))
            .collect();
        for query in self.queries(pages) {
            if query.params.iter().any(|(name, _)| name == "domains") {
                self.ask_together(query, domains, rows, &mut answers)?;
            } else {
                for (domain, answers) in &mut answers {
                    let mut params = self.params();
                    params.insert("domain".to_owned(), Value::Text(domain.clone()));
                    answers.insert(query.name.clone(), ask(query, &params, rows)?);
                }
            }
        }
        Ok(answers)
    }

    /// Asks one query for many domains; where the answer is too large for one, for fewer at a time.
    fn ask_together(
        &self,
        query: &Query,
        domains: &[&str],
        rows: Rows<'_>,
        answers: &mut BTreeMap<String, Answers>,
    ) -> anyhow::Result<()> {
        let names = domains.iter().map(|name| Value::Text((*name).to_owned()));
        let mut params = self.params();
        params.insert("domains".to_owned(), Value::List(names.collect()));
        match ask(query, &params, rows) {
            Ok(table) => share_out(&query.name, table, answers),
            Err(_) if domains.len() > 1 => {
                let (some, others) = domains.split_at(domains.len() / 2);
                self.ask_together(query, some, rows, answers)?;
                self.ask_together(query, others, rows, answers)?;
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

/// Gives each domain its rows, in their order and without the column that names it.
fn share_out(query_name: &str, table: Table, answers: &mut BTreeMap<String, Answers>) {
    let place = table.columns.iter().position(|column| column == "domain");
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
        if let Some(Value::Text(domain)) = place.map(|at| row.remove(at))
            && let Some(own) = answers.get_mut(&domain).and_then(|a| a.get_mut(query_name))
        {
            own.rows.push(row);
        }
    }
}

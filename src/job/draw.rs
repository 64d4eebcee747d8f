//! Draws the pages of a generation: those whose data changed, the others are taken over.
//!
//! A page of a report is a function of the report alone, a page of a domain one of the domain's reports and the day
//! for which things are judged, unless the user added a panel to it; the few other pages are always drawn.
//!
//! A page asks many small questions, which DuckDB answers best on one thread each: pages are drawn side by side.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::{Context as _, Result};

use super::publish::{Drawing, Drawn};
use super::report_pages::ReportBatch;
use super::threads::spawn;
use crate::alert::Rules;
use crate::model::item::ItemNo;
use crate::publish::Staging;
use crate::query::{Catalogue, Params, Query, Table, Value, run};
use crate::render::alerts::AlertFile;
use crate::render::{DOMAIN_PAGES, DomainDays, Rows, Site, Skin, write_assets, write_queries};
use crate::store::Connection;

/// What pages are made of beside the data.
pub struct Pages {
    /// All queries.
    pub catalogue: Catalogue,
    /// Those of them that are rules, as they are configured.
    pub rules: Rules,
    /// Templates.
    pub skin: Skin,
    /// Newest reports that get a static page.
    pub report_pages: u64,
}

/// Path and bytes of a file of the site.
pub(super) type Page = (String, Vec<u8>);

/// Names in `-- panel: page=…` of what is drawn for each report.
const REPORT_PAGES: [&str; 2] = ["report", "api/report"];

/// The limit of `queries/pages/domain_days.sql`.
const MOST_DOMAINS: usize = 10_000;

/// Domains that are drawn together at most: a question is asked once for all of them, and their answers wait in memory.
const DOMAINS_TOGETHER: usize = 32;

/// Drawn sets of pages that may wait to be written: those of a wide report are as large as it is.
const AHEAD: usize = 2;

/// Pages that are drawn together.
pub(super) enum Task {
    Overview,
    Senders,
    Sources,
    Intake,
    Api,
    AlertList(Arc<Vec<AlertFile>>),
    Alerts(Vec<AlertFile>),
    Domains(Vec<String>),
    Reports(ReportBatch),
}

/// A domain and the newest item that brought a report about it.
struct Changed {
    name: String,
    last_item: ItemNo,
}

impl Pages {
    /// Draws into `drawing.staging`.
    pub fn draw(&self, drawing: Drawing) -> Result<()> {
        let Drawing {
            connection,
            staging,
            as_of,
            drawn,
            shown,
        } = drawing;
        let mut rows = |query: &Query, params: &Params| run(connection, query, params);
        let (domains, changed) = self.domains(&mut rows)?;
        let site = |domains| Site {
            skin: &self.skin,
            catalogue: &self.catalogue,
            as_of,
            domains,
        };
        if domains.len() >= MOST_DOMAINS {
            tracing::warn!(
                "only the first {MOST_DOMAINS} domains have a page: name yours under `domains` in the configuration"
            );
        }
        let mut tasks = vec![
            Task::Senders,
            Task::Sources,
            Task::Overview,
            Task::Intake,
            Task::Api,
        ];
        let drawn_today = drawn.filter(|drawn| drawn.as_of == as_of);
        let renamed = &shown.domains;
        let new_domains = self.new_domains(changed, drawn_today, renamed, &mut rows, staging)?;
        let drawn_to = drawn.map(|drawn| drawn.item_no);
        let together = (new_domains.len().div_ceil(cores())).clamp(1, DOMAINS_TOGETHER);
        tasks.extend(
            new_domains
                .chunks(together)
                .map(|names| Task::Domains(names.to_vec())),
        );
        tasks.extend(self.alert_tasks(&site(&domains), &mut rows, staging, drawn_to, renamed)?);
        let is_same = shown.days.is_empty() && !self.has_users(&REPORT_PAGES);
        let reports_to = drawn_to.filter(|_| is_same);
        let batches = self.report_batches(&mut rows, staging, reports_to)?;
        tasks.extend(batches.into_iter().map(Task::Reports));
        self.draw_all(&site(&domains), &tasks, connection, staging)?;
        let mut emit = |path: &str, bytes: &[u8]| write(staging, path, bytes);
        write_queries(&self.catalogue, &mut emit)?;
        write_assets(&self.skin, &mut emit)
    }

    /// Takes over what the base has of the domains, and says which are to be drawn: those with new reports, those with
    /// alerts that people did something with, and those of whose senders something else is known.
    fn new_domains(
        &self,
        changed: Vec<Changed>,
        drawn: Option<Drawn>,
        renamed: &BTreeSet<String>,
        rows: Rows<'_>,
        staging: &mut Staging,
    ) -> Result<Vec<String>> {
        let rules = self
            .catalogue
            .queries
            .values()
            .filter(|query| query.rule.is_some());
        // What a user's rule looks at is not known.
        let is_known =
            !self.has_users(&DOMAIN_PAGES) && !rules.into_iter().any(|rule| rule.is_users);
        let drawn = drawn.filter(|_| is_known);
        let acted = match drawn {
            Some(drawn) => self.acted_domains(drawn.alert_seq, rows)?,
            None => BTreeSet::new(),
        };
        let mut new = Vec::new();
        for domain in changed {
            let is_kept = drawn.is_some_and(|drawn| domain.last_item <= drawn.item_no)
                && !acted.contains(&domain.name)
                && !renamed.contains(&domain.name)
                && keep_domain(staging, &domain.name)?;
            if !is_kept {
                new.push(domain.name);
            }
        }
        Ok(new)
    }

    fn acted_domains(&self, seq: u64, rows: Rows<'_>) -> Result<BTreeSet<String>> {
        let behind = Value::Int(i64::try_from(seq).unwrap_or(i64::MAX));
        let params = Params::from([("seq".to_owned(), behind)]);
        let table = self.ask("acted_domains", &params, rows)?;
        let names = table
            .rows
            .into_iter()
            .filter_map(|mut row| match row.pop() {
                Some(Value::Text(name)) => Some(name),
                _ => None,
            });
        Ok(names.collect())
    }

    /// Draws on all cores and writes as it comes; the order of writing does not matter.
    fn draw_all(
        &self,
        site: &Site<'_>,
        tasks: &[Task],
        connection: &Connection,
        staging: &mut Staging,
    ) -> Result<()> {
        connection
            .execute_batch("set threads = 1")
            .context("asking DuckDB for one thread a query")?;
        let connections: Vec<Connection> = (0..cores().min(tasks.len()))
            .map(|_| connection.try_clone().context("opening a connection"))
            .collect::<Result<_>>()?;
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            let (sender, receiver) = sync_channel(AHEAD);
            for connection in connections {
                let (sender, next) = (sender.clone(), &next);
                spawn(scope, "draw", move || {
                    self.work(site, tasks, next, &connection, &sender)
                })?;
            }
            drop(sender);
            for drawn in receiver {
                for (path, bytes) in drawn? {
                    write(staging, &path, &bytes)?;
                }
            }
            Ok(())
        })
    }

    /// Takes tasks until there are none, one fails, or nobody listens.
    fn work(
        &self,
        site: &Site<'_>,
        tasks: &[Task],
        next: &AtomicUsize,
        connection: &Connection,
        drawn: &SyncSender<Result<Vec<Page>>>,
    ) {
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let pages = self.perform(site, task, connection);
            let failed = pages.is_err();
            if drawn.send(pages).is_err() || failed {
                return;
            }
        }
    }

    fn perform(&self, site: &Site<'_>, task: &Task, connection: &Connection) -> Result<Vec<Page>> {
        let mut rows = |query: &Query, params: &Params| run(connection, query, params);
        let mut pages = Vec::new();
        let mut emit = |path: &str, bytes: &[u8]| {
            pages.push((path.to_owned(), bytes.to_vec()));
            Ok(())
        };
        match task {
            Task::Overview => {
                site.overview(&mut rows, &mut emit)?;
                site.digest_days(&mut rows, &mut emit)?;
            }
            Task::Senders => site.senders(&mut rows, &mut emit)?,
            Task::Sources => site.sources(&mut rows, &mut emit)?,
            Task::Intake => site.intake(&mut rows, &mut emit)?,
            Task::Api => {
                site.api_domains(&mut rows, &mut emit)?;
                site.api_homepage(&mut rows, &mut emit)?;
            }
            Task::AlertList(files) => site.alert_list(files, &mut rows, &mut emit)?,
            Task::Alerts(files) => site.alerts(files, &mut rows, &mut emit)?,
            Task::Domains(names) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                site.domains(&names, &mut rows, &mut emit)?;
            }
            Task::Reports(batch) => return self.draw_reports(batch, connection),
        }
        Ok(pages)
    }

    /// Whether a query of the user's own is on one of the pages. It may look at any table, so what is new to the page
    /// cannot be told from the page's reports.
    pub(super) fn has_users(&self, pages: &[&str]) -> bool {
        let mut panels = pages.iter().flat_map(|page| self.catalogue.panels(page));
        panels.any(|(query, _)| query.is_users)
    }

    fn domains(&self, rows: Rows<'_>) -> Result<(Vec<DomainDays>, Vec<Changed>)> {
        let table = self.ask("domain_days", &Params::new(), rows)?;
        let (mut days, mut changed) = (Vec::new(), Vec::new());
        for row in &table.rows {
            if let [
                Value::Text(name),
                Value::Day(last_day),
                Value::Int(last_item),
            ] = row.as_slice()
            {
                days.push(DomainDays {
                    name: name.clone(),
                    last_day: *last_day,
                });
                changed.push(Changed {
                    name: name.clone(),
                    last_item: last_item.unsigned_abs(),
                });
            }
        }
        Ok((days, changed))
    }

    pub(super) fn ask(&self, name: &str, params: &Params, rows: Rows<'_>) -> Result<Table> {
        let query = self.catalogue.queries.get(name);
        rows(
            query.with_context(|| format!("there is no query {name}"))?,
            params,
        )
    }
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn write(staging: &mut Staging, path: &str, bytes: &[u8]) -> Result<()> {
    staging
        .write(path, bytes)
        .with_context(|| format!("writing {path}"))
}

/// Takes the files of a domain over, where the base has all of them.
fn keep_domain(staging: &mut Staging, name: &str) -> Result<bool> {
    let paths = [
        format!("site/domains/{name}.html"),
        format!("site/api/domains/{name}/summary.json"),
        format!("site/api/domains/{name}/reports.json"),
        format!("site/api/domains/{name}/sources.json"),
    ];
    let are_there = paths.iter().all(|path| staging.is_in_base(path));
    if are_there {
        for path in &paths {
            staging
                .keep(path)
                .with_context(|| format!("linking {path}"))?;
        }
    }
    Ok(are_there)
}

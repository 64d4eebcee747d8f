//! Which alerts are drawn again: those that changed, and those in whose time something new was reported.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::draw::{Pages, Task};
use crate::model::day::{Day, days_after, days_before};
use crate::model::item::ItemNo;
use crate::publish::Staging;
use crate::query::{Params, Value};
use crate::render::alerts::{AlertFile, json_path, page_path, panels_path};
use crate::render::{Rows, Site};

/// Alerts that are drawn together: their panels are asked for at once.
const BATCH_ALERTS: usize = 64;

/// Days around the evidence of an alert that its panels look at: `queries/panels/alert_*.sql`.
const AROUND_DAYS: u64 = 31;

/// New days by domain.
type NewDays = BTreeMap<String, Vec<Day>>;

impl Pages {
    /// Takes over what the base has of the alerts, and says what remains to be drawn.
    pub(super) fn alert_tasks(
        &self,
        site: &Site<'_>,
        rows: Rows<'_>,
        staging: &mut Staging,
        drawn_to: Option<ItemNo>,
        renamed: &BTreeSet<String>,
    ) -> Result<Vec<Task>> {
        let files = site.alert_files(rows)?;
        let new_days = match drawn_to.filter(|_| !self.has_users(&["alert"])) {
            Some(item_no) => Some(self.new_days(item_no, rows)?),
            None => None,
        };
        let mut drawn = Vec::new();
        for file in &files {
            let is_kept = match &new_days {
                Some(days) => {
                    !is_touched(file, days)
                        && !file
                            .alert
                            .domain
                            .as_ref()
                            .is_some_and(|d| renamed.contains(d))
                        && keep(staging, file)?
                }
                None => false,
            };
            if !is_kept {
                drawn.push(file.clone());
            }
        }
        let mut tasks = vec![Task::AlertList(Arc::new(files))];
        tasks.extend(batches(drawn).into_iter().map(Task::Alerts));
        Ok(tasks)
    }

    fn new_days(&self, item_no: ItemNo, rows: Rows<'_>) -> Result<NewDays> {
        let behind = Value::Int(i64::try_from(item_no).unwrap_or(i64::MAX));
        let table = self.ask(
            "touched_days",
            &Params::from([("item_no".to_owned(), behind)]),
            rows,
        )?;
        let mut days = NewDays::new();
        for row in &table.rows {
            if let [Value::Text(domain), Value::Day(day)] = row.as_slice() {
                days.entry(domain.clone()).or_default().push(*day);
            }
        }
        Ok(days)
    }
}

/// Alerts of one domain are drawn together as far as they fit: their panels look at the same rows.
fn batches(mut files: Vec<AlertFile>) -> Vec<Vec<AlertFile>> {
    files.sort_by(|a, b| a.alert.domain.cmp(&b.alert.domain));
    let mut batches: Vec<Vec<AlertFile>> = Vec::new();
    let of_domains = files.chunk_by(|a, b| a.alert.domain == b.alert.domain);
    for files in of_domains.flat_map(|files| files.chunks(BATCH_ALERTS)) {
        match batches.last_mut() {
            Some(batch) if batch.len() + files.len() <= BATCH_ALERTS => {
                batch.extend_from_slice(files)
            }
            _ => batches.push(files.to_vec()),
        }
    }
    batches
}

/// Whether its panels may show something new.
fn is_touched(file: &AlertFile, days: &NewDays) -> bool {
    let alert = &file.alert;
    let Some(domain) = &alert.domain else {
        return true;
    };
    let (since, until) = (
        days_before(alert.first_day, AROUND_DAYS),
        days_after(alert.last_day, AROUND_DAYS),
    );
    let days = days.get(domain).map(Vec::as_slice).unwrap_or_default();
    days.iter().any(|day| (since..=until).contains(day))
}

/// Takes the files of an alert over, where the base has all of them and says the same of it.
fn keep(staging: &mut Staging, file: &AlertFile) -> Result<bool> {
    let id = &file.alert.id;
    let paths = [json_path(id), page_path(id), panels_path(id)];
    let is_same = paths.iter().all(|path| staging.is_in_base(path))
        && staging.is_same_in_base(&json_path(id), &file.to_bytes()?);
    if is_same {
        for path in &paths {
            staging
                .keep(path)
                .with_context(|| format!("linking {path}"))?;
        }
    }
    Ok(is_same)
}

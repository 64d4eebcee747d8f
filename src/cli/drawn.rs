//! What the server draws itself: error pages, the inboxes, and reports that are older than the static pages.

use std::sync::Arc;

use anyhow::Context;

use crate::publish::Generation;
use crate::query::{Catalogue, LakeReport};
use crate::render::inboxes;
use crate::render::report::{self, RECORDS_SHOWN, ReportView, Row};
use crate::render::{ErrorPage, Skin};
use crate::serve::ReportForm;

use super::serve::Drawn;

/// Templates and queries in memory, shared by the server's threads.
pub fn drawn(skin: Skin, catalogue: Catalogue) -> anyhow::Result<Drawn> {
    let skin = Arc::new(skin);
    let catalogue = Arc::new(catalogue);
    let (alert_skin, alert_catalogue) = (Arc::clone(&skin), Arc::clone(&catalogue));
    let report_skin = Arc::clone(&skin);
    let inboxes_skin = Arc::clone(&skin);
    Ok(Drawn {
        skin: alert_skin,
        catalogue: alert_catalogue,
        older_report: Arc::new(move |generation, id, form| {
            older_report(&report_skin, &catalogue, generation, id, form)
        }),
        inboxes_page: Arc::new(move |view| inboxes::page(&inboxes_skin, view)),
        error_page: Arc::new(move |status, code| {
            let page = error_page(status, code)?;
            skin.error_page(page)
                .inspect_err(|error| tracing::error!("drawing an error page: {error:#}"))
                .ok()
        }),
    })
}

fn older_report(
    skin: &Skin,
    catalogue: &Catalogue,
    generation: &Generation,
    id: &str,
    form: ReportForm,
) -> anyhow::Result<Option<Vec<u8>>> {
    let found = LakeReport::find(&generation.folder.join("lake"), id, RECORDS_SHOWN)
        .with_context(|| format!("reading report {id} from the lake"))?;
    let Some(found) = found else { return Ok(None) };
    let Some(values) = found.reports.rows.first() else {
        return Ok(None);
    };
    let panels = report::panels(catalogue, id, &mut |query, params| {
        found.answer(query, params)
    })?;
    let view = ReportView {
        head: Row {
            columns: &found.reports.columns,
            values,
        },
        record_columns: &found.records.columns,
        records: &found.records.rows,
        panels: &panels,
    };
    match form {
        ReportForm::Page => report::page(skin, catalogue, view),
        ReportForm::Json => report::json(view),
    }
    .map(Some)
}

fn error_page(status: u16, code: &str) -> Option<ErrorPage> {
    match (status, code) {
        (_, "not-published") => Some(ErrorPage::NothingPublished),
        (401, _) => Some(ErrorPage::Unauthorized),
        (403, _) => Some(ErrorPage::Forbidden),
        (404, _) => Some(ErrorPage::NotFound),
        (405, _) => Some(ErrorPage::MethodNotAllowed),
        (500, _) => Some(ErrorPage::Internal),
        _ => None,
    }
}

//! `/inboxes`: mailboxes and jobs as they stand, with buttons that work without scripts. Made on request, never
//! published: it holds the present instant.

mod channels;
mod forms;
mod jobs;
mod mailboxes;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::html::Html;
use super::skin::{Frame, Skin};
use super::words::minute;
use crate::model::standing::{Job, Standing};

/// Time between two loads of the page while something is going on.
const REFRESH_SECS: u32 = 5;

/// What the page shows.
pub struct InboxesView<'a> {
    /// Mailboxes, and what is going on.
    pub standing: &'a Standing,
    /// The newest jobs, the newest first; `None` where they cannot be read.
    pub jobs: Option<&'a [Job]>,
    /// Jobs that there are.
    pub all_jobs: usize,
    /// The present instant.
    pub now: DateTime<Utc>,
    /// The name of the job that was just asked for.
    pub asked: Option<&'a str>,
    /// Why what was just asked for is not done.
    pub refused: Option<&'a str>,
    /// Whether the page may load itself anew while something is going on.
    pub may_refresh: bool,
}

/// The page.
pub fn page(skin: &Skin, view: &InboxesView<'_>) -> anyhow::Result<Vec<u8>> {
    let base = skin.base_path();
    let mut body = Html::with_capacity(32 * 1024);
    write_notices(&mut body, view);
    body.raw("<div class=\"panels\">\n");
    if let Some(job) = &view.standing.running {
        jobs::write_running(&mut body, job, view.now);
    }
    write_refresh_words(&mut body, base, view);
    mailboxes::write(&mut body, base, view.standing);
    channels::write(&mut body, &view.standing.channels);
    if !view.standing.mailboxes.is_empty() {
        forms::write_backlog(&mut body, base, &view.standing.mailboxes);
    }
    jobs::write_table(&mut body, base, view);
    body.raw("</div>");
    // Who fills in a form that was refused does not lose it again.
    let refreshes = view.standing.is_busy() && view.may_refresh && view.refused.is_none();
    let frame = Frame {
        title: "Inboxes".to_owned(),
        heading: "Inboxes".to_owned(),
        lead: format!("As of {} · all times are UTC", minute(view.now.timestamp())),
        current: "/inboxes",
        refresh_secs: refreshes.then_some(REFRESH_SECS),
        foot: Some(
            "The same for programs: /api/status, /api/admin/import-jobs, and /metrics for Prometheus.",
        ),
        ..Frame::default()
    };
    skin.page(&frame, &body)
}

/// What must not be overlooked, on top.
fn write_notices(html: &mut Html, view: &InboxesView<'_>) {
    let standing = view.standing;
    if let Some(refused) = view.refused {
        html.raw("<div class=\"notice bad\" role=\"alert\"><p><strong>Not done.</strong> ")
            .text(refused)
            .raw("</p></div>\n");
    }
    let jobs = view.jobs.unwrap_or_default();
    if let Some(job) = jobs.iter().find(|job| view.asked == Some(&job.id)) {
        jobs::write_asked(html, job);
    }
    if let Some(words) = &standing.low_disk {
        open_notice(html, "Nothing is fetched: the disk is too full.", true);
        html.text(words).raw("</p></div>\n");
    }
    if let Some(error) = &standing.disk_error {
        open_notice(html, "How full the disk is cannot be told.", false);
        html.raw("Fetching goes on: ")
            .text(error)
            .raw("</p></div>\n");
    }
    if let Some((at, error)) = &standing.run_error {
        open_notice(html, "The last run failed", true);
        html.raw(" (").int(i64::from(standing.run_failures));
        html.raw(" in a row), at ")
            .text(&minute(at.timestamp()))
            .raw(": ")
            .text(error)
            .raw("</p></div>\n");
    }
    if let Some(error) = &standing.heartbeat_error {
        open_notice(html, "The heartbeat address cannot be called.", false);
        html.raw("Whoever watches this program hears nothing: ")
            .text(error)
            .raw("</p></div>\n");
    }
    if view.jobs.is_none() {
        open_notice(html, "The jobs cannot be read.", true);
        html.raw("The log of the server says why.</p></div>\n");
    }
}

fn open_notice(html: &mut Html, words: &'static str, is_bad: bool) {
    html.raw(if is_bad {
        "<div class=\"notice bad\" role=\"note\"><p><strong>"
    } else {
        "<div class=\"notice\" role=\"note\"><p><strong>"
    });
    html.raw(words).raw("</strong> ");
}

/// A page that loads itself anew takes half a form away: who wants to fill one in can stop it.
fn write_refresh_words(html: &mut Html, base_path: &str, view: &InboxesView<'_>) {
    if !view.standing.is_busy() || view.refused.is_some() {
        return;
    }
    html.raw("<p class=\"about beside\">")
        .raw(if view.may_refresh {
            "This page loads itself anew while something is going on. <a href=\""
        } else {
            "This page does not load itself anew. <a href=\""
        });
    html.text(base_path).raw(if view.may_refresh {
        "/inboxes?refresh=off\">Stop that</a> to fill in a form.</p>\n"
    } else {
        "/inboxes\">Let it</a>.</p>\n"
    });
}

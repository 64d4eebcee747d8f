//! The job that is going on, and the table of the newest ones.

use chrono::{DateTime, Utc};

use super::super::html::Html;
use super::super::words::minute;
use super::InboxesView;
use super::mailboxes::count;
use crate::model::outcome::Outcome;
use crate::model::standing::{Job, JobState};

/// Outcomes with a column of their own; the others are one.
const OWN_COLUMNS: [Outcome; 4] = [
    Outcome::Accepted,
    Outcome::Duplicate,
    Outcome::Refused,
    Outcome::NotAReport,
];

/// More rows than this scroll in a box of their own on a phone.
const LONG_ROWS: usize = 15;

const HEAD: &str = "\" role=\"region\" tabindex=\"0\" aria-label=\"Jobs, table\">\
    <table class=\"jobs\"><caption class=\"unseen\">Jobs, the newest first</caption><thead><tr>\
    <th scope=\"col\">When</th><th scope=\"col\">Job</th><th scope=\"col\">State</th>\
    <th scope=\"col\" class=\"num\">Seen</th><th scope=\"col\" class=\"num\">Accepted</th>\
    <th scope=\"col\" class=\"num\">Duplicate</th><th scope=\"col\" class=\"num\">Refused</th>\
    <th scope=\"col\" class=\"num\">Not a report</th><th scope=\"col\" class=\"num\">Other</th>\
    <th scope=\"col\" class=\"num\">Duration</th><th scope=\"col\">Remarks</th></tr></thead><tbody>";

/// What became of the job that was just asked for.
pub(super) fn write_asked(html: &mut Html, job: &Job) {
    html.raw(match job.state {
        JobState::Failed => "<div class=\"notice bad\" role=\"status\"><p><strong>",
        _ => "<div class=\"notice good\" role=\"status\"><p><strong>",
    });
    html.raw(match job.state {
        JobState::Waiting => "Taken on, and waiting its turn:",
        JobState::Running => "Going on:",
        JobState::Done => "Done:",
        JobState::Failed => "Failed:",
    });
    html.raw("</strong> <a href=\"#job-")
        .text(&job.id)
        .raw("\">");
    html.text(&kind(job)).raw("</a>");
    let with = with(job);
    if !with.is_empty() {
        html.raw(", ").text(&with);
    }
    html.raw("</p></div>\n");
}

/// What is going on.
pub(super) fn write_running(html: &mut Html, job: &Job, now: DateTime<Utc>) {
    html.raw("<section class=\"panel wide\" aria-labelledby=\"running-h\"><header><h2 id=\"running-h\">Going on: ");
    html.text(&kind(job)).raw("</h2>");
    html.raw("<span class=\"badge plain\">running</span></header><p class=\"about\">");
    if let Some(started) = job.started {
        html.raw("Since ").text(&minute(started.timestamp()));
        let taken = (now - started).num_milliseconds();
        html.raw(", for ")
            .text(&duration(u64::try_from(taken).unwrap_or(0)));
    }
    let with = with(job);
    if !with.is_empty() {
        html.raw(", with ").text(&with);
    }
    html.raw("</p>");
    write_progress(html, job);
    html.raw("</section>\n");
}

fn write_progress(html: &mut Html, job: &Job) {
    html.raw("<p><progress aria-label=\"Messages in the archive\"");
    if let Some(wanted) = job.wanted.filter(|wanted| *wanted > 0) {
        html.raw(" max=\"").text(&wanted.to_string());
        html.raw("\" value=\"")
            .text(&job.archived.min(wanted).to_string())
            .raw("\"");
    }
    html.raw("></progress></p><p class=\"pair\"><span>")
        .text(&count(job.archived));
    if let Some(wanted) = job.wanted {
        html.raw(" of ").text(&count(wanted));
    }
    html.raw(" in the archive</span><span>");
    let mut is_first = true;
    for outcome in Outcome::ALL {
        let documents = job.count(outcome);
        if documents > 0 {
            html.raw(if is_first { "" } else { " · " });
            html.raw(outcome.as_str()).raw(" ").text(&count(documents));
            is_first = false;
        }
    }
    html.raw("</span></p>");
}

/// The newest jobs.
pub(super) fn write_table(html: &mut Html, base_path: &str, view: &InboxesView<'_>) {
    let Some(jobs) = view.jobs else { return };
    html.raw("<section class=\"panel wide\" id=\"jobs\" aria-labelledby=\"jobs-h\"><header><h2 id=\"jobs-h\">Jobs</h2></header>");
    if jobs.is_empty() {
        html.raw("<p class=\"empty\">Nothing was fetched or read so far.</p></section>\n");
        return;
    }
    if view.all_jobs > jobs.len() {
        html.raw("<p class=\"about\">The newest ")
            .text(&jobs.len().to_string());
        html.raw(" of ")
            .text(&count(view.all_jobs as u64))
            .raw(".</p>");
    }
    html.raw("<div class=\"scroll")
        .raw(if jobs.len() > LONG_ROWS { " long" } else { "" });
    html.raw(HEAD);
    for job in jobs {
        write_row(html, base_path, job, view.asked == Some(&job.id));
    }
    html.raw("</tbody></table></div></section>\n");
}

fn write_row(html: &mut Html, base_path: &str, job: &Job, is_asked: bool) {
    html.raw(if is_asked {
        "<tr class=\"asked\" id=\"job-"
    } else {
        "<tr id=\"job-"
    });
    html.text(&job.id).raw("\"><th scope=\"row\">");
    match job.started.or(job.requested) {
        Some(at) => write_instant(html, at),
        None => {
            html.raw("\u{2013}");
        }
    }
    html.raw("</th><td><a href=\"")
        .text(base_path)
        .raw("/api/admin/import-jobs/");
    html.text(&job.id).raw("\">").text(&kind(job)).raw("</a>");
    let with = with(job);
    if !with.is_empty() {
        html.raw(" <span class=\"none\">")
            .text(&with)
            .raw("</span>");
    }
    html.raw("</td><td><span class=\"badge ")
        .raw(tone(job.state))
        .raw("\">");
    html.raw(job.state.as_str()).raw("</span></td>");
    number(html, &count(job.seen));
    for outcome in OWN_COLUMNS {
        number(html, &count(job.count(outcome)));
    }
    let others = Outcome::ALL
        .iter()
        .filter(|outcome| !OWN_COLUMNS.contains(outcome));
    number(
        html,
        &count(others.map(|outcome| job.count(*outcome)).sum()),
    );
    number(
        html,
        &job.started
            .map_or_else(|| "\u{2013}".to_owned(), |_| duration(job.duration_ms)),
    );
    html.raw("<td>")
        .text(job.error.as_deref().unwrap_or_default());
    if job.error.is_some() && job.detail.is_some() {
        html.raw("; ");
    }
    html.text(job.detail.as_deref().unwrap_or_default())
        .raw("</td></tr>");
}

/// Breaks between day and time and nowhere else.
fn write_instant(html: &mut Html, at: DateTime<Utc>) {
    let words = minute(at.timestamp());
    let (day, time) = words.split_once(' ').unwrap_or((&words, ""));
    html.raw("<span class=\"short\">").text(day).raw("</span> ");
    html.raw("<span class=\"short\">").text(time).raw("</span>");
}

fn number(html: &mut Html, digits: &str) {
    html.raw("<td class=\"num\">").text(digits).raw("</td>");
}

fn tone(state: JobState) -> &'static str {
    match state {
        JobState::Done => "good",
        JobState::Failed => "bad",
        JobState::Waiting | JobState::Running => "plain",
    }
}

/// `process-now` as a reader says it.
fn kind(job: &Job) -> String {
    match job.kind.as_str() {
        "run" => "fetch".to_owned(),
        "process-now" => "process now".to_owned(),
        "maintain" => "new day".to_owned(),
        other => other.to_owned(),
    }
}

/// What it was asked with: `inbox reports, since 2026-01-01, dry run`.
fn with(job: &Job) -> String {
    let words = job.parameters.iter().filter(|(_, value)| *value != "false");
    let words = words.map(|(key, value)| {
        let key = key.replace('_', " ");
        match value.as_str() {
            "true" => key,
            value => format!("{key} {value}"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

/// `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`.
fn duration(duration_ms: u64) -> String {
    let secs = duration_ms / 1000;
    match secs {
        0..10 => format!("{secs}.{} s", duration_ms % 1000 / 100),
        10..60 => format!("{secs} s"),
        60..3600 => format!("{} min {} s", secs / 60, secs % 60),
        _ => format!("{} h {} min", secs / 3600, secs % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (duration_ms, expect) in [
            (0, "0.0 s"),
            (440, "0.4 s"),
            (9_999, "9.9 s"),
            (12_400, "12 s"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
        ] {
            assert_eq!(duration(duration_ms), expect);
        }
    }
}

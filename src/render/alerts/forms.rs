//! Buttons that say what was done, without scripts.

use super::super::html::Html;
use super::AlertFile;
use crate::model::alert::{Action, Reason, Status};

/// The longest note, in characters.
pub const NOTE_CHARS: usize = 1_000;

/// The forms that make sense for an alert as it stands.
pub(super) fn write(html: &mut Html, base_path: &str, file: &AlertFile) {
    html.raw("<section class=\"panel wide\" aria-labelledby=\"act-h\"><header><h2 id=\"act-h\">What was done</h2></header>");
    html.raw("<div class=\"forms\">");
    let alert = &file.alert;
    match alert.status {
        _ if file.reason == Some(Reason::RuleFailed) => {
            html.raw("<p class=\"about\">Its rule cannot be asked at present, so nobody knows what there is of it. What was done stays, and holds when the rule works again.</p>");
        }
        Status::Open => {
            write_form(html, base_path, &alert.id, Action::Ack);
            write_form(html, base_path, &alert.id, Action::Resolve);
        }
        Status::Acknowledged => {
            write_form(html, base_path, &alert.id, Action::Resolve);
            write_form(html, base_path, &alert.id, Action::Reopen);
        }
        Status::Resolved if file.occurrences > 0 => {
            write_form(html, base_path, &alert.id, Action::Reopen);
        }
        Status::Resolved => {
            html.raw("<p class=\"about\">There is nothing to do: ");
            html.raw(file.gone_words()).raw(".</p>");
        }
    }
    html.raw("</div>");
    write_done(html, file);
    html.raw("</section>\n");
}

fn write_form(html: &mut Html, base_path: &str, id: &str, action: Action) {
    let (button, about) = match action {
        Action::Ack => (
            "Acknowledge",
            "You know of it. It stays quiet until it gets graver.",
        ),
        Action::Resolve => (
            "Resolve",
            "It is done with. It opens again when there is newer evidence.",
        ),
        Action::Reopen => ("Reopen", "It wants somebody's attention again."),
    };
    html.raw("<form class=\"fields\" method=\"post\" action=\"")
        .text(base_path);
    html.raw("/api/alerts/")
        .text(id)
        .raw("/")
        .raw(action.as_str())
        .raw("\">");
    html.raw("<p class=\"wide about\">").raw(about).raw("</p>");
    html.raw("<p class=\"field wide\"><label for=\"note-")
        .raw(action.as_str());
    html.raw("\">Note (may be left empty)</label><input id=\"note-")
        .raw(action.as_str());
    html.raw("\" name=\"note\" maxlength=\"")
        .int(NOTE_CHARS as i64);
    html.raw("\" autocomplete=\"off\"/></p><p class=\"wide\"><button>")
        .raw(button);
    html.raw("</button></p></form>");
}

/// The newest first.
fn write_done(html: &mut Html, file: &AlertFile) {
    if file.actions.is_empty() {
        html.raw("<p class=\"more\">Nobody has done anything with it yet.</p>");
        return;
    }
    html.raw("<ol class=\"done\">");
    for done in file.actions.iter().rev() {
        html.raw("<li><span class=\"when\">");
        html.text(&super::super::words::minute(done.at_utc_secs));
        html.raw("</span> ").raw(match done.action {
            Action::Ack => "acknowledged",
            Action::Resolve => "resolved",
            Action::Reopen => "reopened",
        });
        html.raw(" at severity ").raw(done.severity.as_str());
        html.raw(", with evidence up to ")
            .text(&done.last_day.to_string());
        if let Some(note) = &done.note {
            html.raw("<br/><q>").text(note).raw("</q>");
        }
        html.raw("</li>");
    }
    html.raw("</ol>");
}

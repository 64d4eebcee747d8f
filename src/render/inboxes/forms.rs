//! Buttons and the form for old mail.

use super::super::html::Html;
use crate::model::standing::Mailbox;

/// A button that has one mailbox looked into, or all of them.
pub(super) fn write_process_now(html: &mut Html, base_path: &str, inbox: Option<&str>) {
    open(html, base_path, "process-now", "act");
    if let Some(name) = inbox {
        html.raw("<input type=\"hidden\" name=\"inbox\" value=\"")
            .text(name)
            .raw("\"/>");
    }
    html.raw("<button>Process now<span class=\"unseen\">: ");
    match inbox {
        Some(name) => html.text(name),
        None => html.raw("all inboxes"),
    };
    html.raw("</span></button></form>");
}

/// The form for old mail.
pub(super) fn write_backlog(html: &mut Html, base_path: &str, mailboxes: &[Mailbox]) {
    html.raw("<section class=\"panel wide\" aria-labelledby=\"backlog-h\"><header><h2 id=\"backlog-h\">Old mail</h2></header>");
    html.raw("<p class=\"about\">New mail comes in by itself. This fetches what was there before, or was fetched in \
        part: all that the archive does not have, in pieces, behind new mail.</p>");
    html.raw("<details class=\"first\"><summary>Fetch old mail</summary>");
    open(html, base_path, "backlog", "fields");
    html.raw("<p class=\"field\"><label for=\"b-inbox\">Inbox</label><select id=\"b-inbox\" name=\"inbox\" required=\"\">");
    for mailbox in mailboxes {
        html.raw("<option value=\"").text(&mailbox.name).raw("\">");
        html.text(&mailbox.name).raw("</option>");
    }
    html.raw("</select></p>");
    html.raw(FIELDS);
    html.raw("<p class=\"wide\"><button>Fetch old mail</button></p></form></details></section>\n");
}

const FIELDS: &str = "<p class=\"field\"><label for=\"b-folder\">Folder</label>\
    <input id=\"b-folder\" name=\"folder\" maxlength=\"500\" placeholder=\"as configured\"/></p>\
    <p class=\"field\"><label for=\"b-since\">Since (arrived on this day or later)</label>\
    <input id=\"b-since\" name=\"since\" type=\"date\"/></p>\
    <p class=\"field\"><label for=\"b-before\">Before (arrived before this day)</label>\
    <input id=\"b-before\" name=\"before\" type=\"date\"/></p>\
    <p class=\"field\"><label for=\"b-limit\">At most (messages, the oldest first)</label>\
    <input id=\"b-limit\" name=\"limit\" type=\"number\" min=\"1\" step=\"1\" placeholder=\"no limit\"/></p>\
    <fieldset class=\"wide\"><legend class=\"unseen\">How</legend>\
    <label><input type=\"checkbox\" name=\"dry_run\" value=\"true\"/> Dry run: say what the messages would become, \
    store nothing</label>\
    <label><input type=\"checkbox\" name=\"reprocess\" value=\"true\"/> Reprocess: also messages that the archive \
    knows without their content</label>\
    <label><input type=\"checkbox\" name=\"mark_seen\" value=\"true\"/> Mark them as seen afterwards</label></fieldset>";

fn open(html: &mut Html, base_path: &str, job: &'static str, class: &'static str) {
    html.raw("<form class=\"").raw(class);
    html.raw("\" method=\"post\" action=\"").text(base_path);
    html.raw("/api/admin/import-jobs/").raw(job).raw("\">");
}

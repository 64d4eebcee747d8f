//! A card for each mailbox: how it stands, and a button.

use super::super::html::Html;
use super::super::words::{grouped, minute};
use super::forms::write_process_now;
use crate::model::standing::{Folder, Mailbox, MailboxState, Standing};

/// Folders of one mailbox that are shown; a server decides how many it ever had.
const FOLDERS_SHOWN: usize = 20;

pub(super) fn write(html: &mut Html, base_path: &str, standing: &Standing) {
    if standing.mailboxes.is_empty() {
        write_none(html);
        return;
    }
    if standing.mailboxes.len() > 1 {
        html.raw("<section class=\"panel wide row\" aria-labelledby=\"all-h\"><div><h2 id=\"all-h\">All inboxes</h2>");
        html.raw("<p class=\"about\">Looks into every mailbox now, beside its schedule.</p></div>");
        write_process_now(html, base_path, None);
        html.raw("</section>\n");
    }
    for (number, mailbox) in standing.mailboxes.iter().enumerate() {
        write_card(html, base_path, number, mailbox);
    }
}

/// How to begin.
fn write_none(html: &mut Html) {
    html.raw("<section class=\"panel wide\" aria-labelledby=\"none-h\"><header><h2 id=\"none-h\">No mailbox is configured</h2></header>");
    html.raw("<p class=\"about\">Put one into the section <span class=\"code\">inboxes</span> of \
        <span class=\"code\">config/config.yml</span> and its password into the environment, then start the program \
        again. <span class=\"code\">sentinel check</span> says whether it can be reached. Until then reports come in \
        by <span class=\"code\">sentinel ingest</span>.</p>");
    html.raw("<pre class=\"command\"><code>inboxes:\n  - name: reports\n    host: mail.example.com\n    \
        username: dmarc@example.com\n    password_env: DMARC_IMAP_PASS\n    folders: [DMARC]</code></pre></section>\n");
}

fn write_card(html: &mut Html, base_path: &str, number: usize, mailbox: &Mailbox) {
    let is_failing = mailbox.failures > 0;
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    html.raw(if is_failing {
        "<section class=\"panel half card alarm\" aria-labelledby=\"inbox-"
    } else {
        "<section class=\"panel half card\" aria-labelledby=\"inbox-"
    });
    html.int(number)
        .raw("\"><header><h2 id=\"inbox-")
        .int(number);
    html.raw("\">").text(&mailbox.name).raw("</h2>");
    let (tone, word, sentence) = words(mailbox.state);
    html.raw("<span class=\"badge ")
        .raw(if is_failing { "bad" } else { tone });
    html.raw("\">")
        .raw(word)
        .raw("</span></header><p class=\"about\">")
        .raw(sentence);
    html.raw("</p><dl class=\"facts\">");
    write_facts(html, mailbox);
    html.raw("</dl>");
    write_process_now(html, base_path, Some(&mailbox.name));
    html.raw("</section>\n");
}

/// Tone, word and sentence for a state.
fn words(state: MailboxState) -> (&'static str, &'static str, &'static str) {
    match state {
        MailboxState::Starting => ("plain", "starting", "Not looked into yet."),
        MailboxState::Looking => ("plain", "looking", "Being looked into for new mail."),
        MailboxState::Queued => (
            "plain",
            "queued",
            "New mail was found; it is fetched after the run that is going on.",
        ),
        MailboxState::Fetching => ("plain", "fetching", "New mail is being fetched."),
        MailboxState::Watching => (
            "good",
            "watching",
            "All is read; the server tells of new mail.",
        ),
        MailboxState::Waiting => (
            "good",
            "waiting",
            "All is read; it is looked into again at its time.",
        ),
        MailboxState::Failing => (
            "bad",
            "failing",
            "It could not be read to its end; it is tried again by itself.",
        ),
    }
}

fn write_facts(html: &mut Html, mailbox: &Mailbox) {
    fact(html, "Last success");
    match mailbox.last_success {
        Some(at) => html.text(&minute(at.timestamp())),
        None => html.raw("<span class=\"none\">none</span>"),
    };
    next_fact(html, "Last error");
    match &mailbox.last_error {
        Some((at, error)) => {
            html.text(&minute(at.timestamp())).raw(": ").text(error);
            if mailbox.failures > 1 {
                html.raw(" (")
                    .int(i64::from(mailbox.failures))
                    .raw(" in a row)");
            }
        }
        None => {
            html.raw("<span class=\"none\">none</span>");
        }
    }
    next_fact(html, "Next try");
    match mailbox.next_try {
        Some(at) => html.text(&minute(at.timestamp())),
        None => html.raw("<span class=\"none\">at once</span>"),
    };
    next_fact(html, "New mail");
    html.raw(if mailbox.is_watched {
        "the server tells of it (IDLE)"
    } else {
        "is asked for at each try"
    });
    next_fact(html, "In the archive");
    html.text(&count(mailbox.messages()))
        .raw(if mailbox.messages() == 1 {
            " message"
        } else {
            " messages"
        });
    next_fact(html, "Position");
    write_folders(html, &mailbox.folders);
    html.raw("</dd></div>");
}

fn fact(html: &mut Html, name: &'static str) {
    html.raw("<div><dt>").raw(name).raw("</dt><dd>");
}

fn next_fact(html: &mut Html, name: &'static str) {
    html.raw("</dd></div>");
    fact(html, name);
}

/// How far each folder is in the archive.
fn write_folders(html: &mut Html, folders: &[Folder]) {
    if folders.is_empty() {
        html.raw("<span class=\"none\">nothing is in the archive yet</span>");
        return;
    }
    html.raw("<ul class=\"mini\">");
    for folder in folders.iter().take(FOLDERS_SHOWN) {
        html.raw("<li>").text(&folder.name);
        html.raw(": UID ").int(i64::from(folder.uid));
        html.raw(" <span class=\"none\">UIDVALIDITY ")
            .int(i64::from(folder.uidvalidity));
        html.raw("</span>");
        if folders.len() > 1 {
            html.raw(", ")
                .text(&count(folder.messages))
                .raw(" messages");
        }
        html.raw("</li>");
    }
    if let Some(more) = folders
        .len()
        .checked_sub(FOLDERS_SHOWN)
        .filter(|more| *more > 0)
    {
        html.raw("<li>and ")
            .text(&more.to_string())
            .raw(" more</li>");
    }
    html.raw("</ul>");
}

/// A count with its digits in groups.
pub(super) fn count(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

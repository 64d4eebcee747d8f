//! What `sentinel check` says of mailboxes: how they fared, and whether they can be read now.

use chrono::{DateTime, SecondsFormat};

use super::Findings;
use crate::archive::Archive;
use crate::config::Config;
use crate::daemon::{NotedInbox, check_timezone, read_noted};
use crate::job::folders::Folders;
use crate::job::positions::Positions;
use crate::job::visit::{Known, Selection, Visit, look_into};
use crate::model::inbox::Inbox;
use crate::source::imap::Tokens;

impl Findings {
    /// Connects to every mailbox, side by side; changes nothing on their servers.
    pub(super) fn look_at_mailboxes(&mut self, config: &Config) {
        if config.inboxes.is_empty() {
            self.facts.push("inboxes: none are configured".to_owned());
            return;
        }
        if let Err(error) = check_timezone(&config.app.timezone, &config.inboxes) {
            self.add_problem(format!("{error:#}"));
        }
        let folders = Folders::new(&config.app.data_dir);
        let noted = read_noted(&folders.work());
        let archive = Archive::look_at(&folders.archive());
        let mut positions = Positions::default();
        let archive = match archive.and_then(|a| positions.update(&a).map(|()| a)) {
            Ok(archive) => archive,
            Err(error) => return self.add_problem(format!("the positions of mailboxes: {error}")),
        };
        let known = Known {
            archive: &archive,
            positions: &positions,
            limits: &config.limits,
        };
        let selection = Selection::default();
        let tokens = Tokens::kept_in(folders.tokens());
        match look_into(&config.inboxes, &selection, &known, &tokens) {
            Err(error) => self.add_problem(format!("inboxes: {error:#}")),
            Ok(looked) => {
                for (inbox, looked) in config.inboxes.iter().zip(looked) {
                    let before = noted.iter().find(|noted| noted.name == inbox.name);
                    self.tell_of_mailbox(inbox, looked, &positions, before);
                }
            }
        }
    }

    fn tell_of_mailbox(
        &mut self,
        inbox: &Inbox,
        looked: anyhow::Result<Visit>,
        positions: &Positions,
        noted: Option<&NotedInbox>,
    ) {
        let name = &inbox.name;
        match looked {
            Ok(visit) => {
                let folders = visit.folders().join(", ");
                let news = if visit.tells_of_news() {
                    "tells of new mail"
                } else {
                    "is polled"
                };
                self.facts.push(format!(
                    "inbox \"{name}\": {}:{} can be read ({folders}); {} new; {news}",
                    inbox.host,
                    inbox.port,
                    visit.wanted()
                ));
                visit.close();
            }
            Err(error) => self.add_problem(format!("inbox \"{name}\": {error:#}")),
        }
        for (place, reached) in positions.of_inbox(name) {
            self.facts.push(format!(
                "inbox \"{name}\": {} of {} are archived, up to UID {} of UIDVALIDITY {}",
                messages(reached.messages),
                place.folder,
                reached.uid,
                place.uidvalidity
            ));
        }
        if let Some(noted) = noted {
            self.facts.push(fared(noted));
        }
    }
}

fn messages(count: u64) -> String {
    match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }
}

/// What the server that runs, or ran last, made of it.
fn fared(noted: &NotedInbox) -> String {
    let at = |secs: Option<i64>| {
        let time = secs.and_then(|secs| DateTime::from_timestamp(secs, 0));
        time.map_or("never".to_owned(), |time| {
            time.to_rfc3339_opts(SecondsFormat::Secs, true)
        })
    };
    let failed = match (&noted.last_error, noted.last_error_utc_secs) {
        (Some(error), secs) => format!("; last failure {}: {error}", at(secs)),
        _ => String::new(),
    };
    format!(
        "inbox \"{}\" in `sentinel serve`: {}, last read {}, next try {}{failed}",
        noted.name,
        noted.state,
        at(noted.last_success_utc_secs),
        at(Some(noted.next_try_utc_secs)),
    )
}

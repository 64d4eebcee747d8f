//! Section `inboxes`: mailboxes on IMAP servers; without it the variables `DMARC_IMAP_*` define one.

use std::path::PathBuf;

use super::environment::{Environment, child, named_secret, secret_of, variable_name};
use super::sections::list;
use super::tree::{Node, Reader, join};
use crate::model::inbox::{After, Inbox, Login, OAuth2, Schedule, TlsMode};
use crate::model::secret::FromEnvironment;

mod values;

use values::{AFTERS, cron, folder, recipient};
pub(super) use values::{
    TLS_MODES, host, inbox_name, is_loopback, is_plain_address, port, url, word,
};

const KEYS: [&str; 20] = [
    "after",
    "ca_file",
    "cron",
    "failed_folder",
    "folders",
    "host",
    "idle",
    "name",
    "oauth2",
    "only_unseen",
    "password_env",
    "poll_interval",
    "port",
    "processed_folder",
    "recipient",
    "timeout",
    "tls",
    "username",
    "username_env",
    "without_report",
];
const OAUTH2_KEYS: [&str; 5] = [
    "client_id",
    "client_secret_env",
    "refresh_token_env",
    "scope",
    "token_url",
];

const DEFAULT_FOLDER: &str = "DMARC";
const DEFAULT_TIMEOUT_SECS: u64 = 30;

/// Every mailbox that could be read.
pub fn read(
    reader: &mut Reader<'_>,
    root: Option<&Node>,
    environment: Environment<'_>,
    poll_interval_secs: u64,
) -> Vec<Inbox> {
    let schedule = Schedule::Every(poll_interval_secs);
    let Some(node) = root.and_then(|root| child(root, "inboxes")) else {
        return of_environment(reader, environment, schedule)
            .into_iter()
            .collect();
    };
    let mut inboxes: Vec<Inbox> = Vec::new();
    for (index, item) in reader.items(node).iter().enumerate() {
        let path = format!("inboxes[{index}]");
        let mut section = Section {
            reader,
            path: &path,
            environment,
        };
        let Some(inbox) = section.inbox(item, schedule.clone()) else {
            continue;
        };
        if inboxes.iter().any(|other| other.name == inbox.name) {
            let message = format!("a second inbox \"{}\": give each a `name`", inbox.name);
            reader.note(item.line, &path, message);
        }
        inboxes.push(inbox);
    }
    inboxes
}

/// What is not said of a mailbox.
fn plain(login: Login, schedule: Schedule) -> Inbox {
    Inbox {
        name: String::new(),
        host: String::new(),
        port: 0,
        tls: TlsMode::Implicit,
        ca_file: None,
        username: String::new(),
        login,
        folders: vec![DEFAULT_FOLDER.to_owned()],
        only_unseen: false,
        recipient: None,
        after: After::Nothing,
        without_report: After::Nothing,
        processed_folder: "DMARC/Processed".to_owned(),
        failed_folder: "DMARC/Failed".to_owned(),
        schedule,
        idle: true,
        timeout_secs: DEFAULT_TIMEOUT_SECS,
    }
}

fn default_port(tls: TlsMode) -> u16 {
    match tls {
        TlsMode::Implicit => 993,
        TlsMode::StartTls | TlsMode::None => 143,
    }
}

/// `DMARC_IMAP_HOST/PORT/USER/PASS/FOLDER`.
fn of_environment(
    reader: &mut Reader<'_>,
    environment: Environment<'_>,
    schedule: Schedule,
) -> Option<Inbox> {
    let value = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    let host = value("DMARC_IMAP_HOST")?;
    let password = secret_of(reader, environment, "DMARC_IMAP_PASS");
    let mut inbox = plain(Login::Password(password), schedule);
    inbox.name = "mailbox".to_owned();
    inbox.host = host.trim().to_owned();
    inbox.port = 993;
    if let Some(port) = value("DMARC_IMAP_PORT") {
        match port.trim().parse() {
            Ok(port) => inbox.port = port,
            Err(_) => reader.note_variable(
                "DMARC_IMAP_PORT",
                format!("expected a port such as 993, got \"{port}\""),
            ),
        }
    }
    if inbox.port == 143 {
        inbox.tls = TlsMode::StartTls;
    }
    match value("DMARC_IMAP_USER") {
        Some(user) => inbox.username = user.trim().to_owned(),
        None => reader.note_variable("DMARC_IMAP_USER", "is not set, and DMARC_IMAP_HOST is"),
    }
    if let Some(folder) = value("DMARC_IMAP_FOLDER") {
        inbox.folders = vec![folder.trim().to_owned()];
    }
    Some(inbox)
}

/// One mailbox in the file.
struct Section<'s, 'r, 'e> {
    reader: &'s mut Reader<'r>,
    path: &'s str,
    environment: Environment<'e>,
}

impl Section<'_, '_, '_> {
    /// `None` where something in it does not hold.
    fn inbox(&mut self, node: &Node, schedule: Schedule) -> Option<Inbox> {
        let noted = self.reader.problems.len();
        let none = FromEnvironment {
            variable: String::new(),
            secret: None,
        };
        let mut inbox = plain(Login::Password(none), schedule);
        let entries = self.reader.entries(self.path, Some(node));
        for (key, line, node) in entries {
            let path = join(self.path, key);
            self.entry(&mut inbox, key, *line, &path, node);
        }
        self.complete(&mut inbox, node);
        (self.reader.problems.len() == noted).then_some(inbox)
    }

    fn entry(&mut self, inbox: &mut Inbox, key: &str, line: usize, path: &str, node: &Node) {
        let reader = &mut *self.reader;
        match key {
            "name" => set(&mut inbox.name, inbox_name(reader, path, node)),
            "host" => set(&mut inbox.host, host(reader, path, node)),
            "port" => set(&mut inbox.port, port(reader, path, node)),
            "tls" => set(&mut inbox.tls, word(reader, path, node, &TLS_MODES)),
            "ca_file" => inbox.ca_file = reader.text(path, node).map(PathBuf::from),
            "username" => set(&mut inbox.username, reader.text(path, node)),
            "username_env" => set(&mut inbox.username, self.username(path, node)),
            "password_env" => {
                if let Some(secret) = named_secret(reader, path, node, self.environment) {
                    inbox.login = Login::Password(secret);
                }
            }
            "oauth2" => {
                if let Some(oauth2) = self.oauth2(path, node) {
                    inbox.login = Login::OAuth2(oauth2);
                }
            }
            "folders" => inbox.folders = list(reader, path, node, folder),
            "only_unseen" => set(&mut inbox.only_unseen, reader.flag(path, node)),
            "recipient" => inbox.recipient = recipient(reader, path, node),
            "after" => set(&mut inbox.after, word(reader, path, node, &AFTERS)),
            "without_report" => set(
                &mut inbox.without_report,
                word(reader, path, node, &AFTERS[..3]),
            ),
            "processed_folder" => set(&mut inbox.processed_folder, folder(reader, path, node)),
            "failed_folder" => set(&mut inbox.failed_folder, folder(reader, path, node)),
            "poll_interval" => {
                if let Some(secs) = reader.duration_secs(path, node) {
                    inbox.schedule = Schedule::Every(secs);
                }
            }
            "cron" => {
                if let Some(expression) = cron(reader, path, node) {
                    inbox.schedule = Schedule::Cron(expression);
                }
            }
            "idle" => set(&mut inbox.idle, reader.flag(path, node)),
            "timeout" => set(&mut inbox.timeout_secs, reader.duration_secs(path, node)),
            "password" => reader.note(
                line,
                path,
                "secrets stay out of this file: name a variable with `password_env`",
            ),
            _ => reader.unknown(line, path, key, &KEYS),
        }
    }

    fn username(&mut self, path: &str, node: &Node) -> Option<String> {
        let variable = variable_name(self.reader, path, node)?;
        let read = super::environment::secret(self.reader, self.environment, &variable);
        // Needed by those alone who connect.
        Some(read.unwrap_or_default())
    }

    fn oauth2(&mut self, path: &str, node: &Node) -> Option<OAuth2> {
        let (mut token_url, mut client_id, mut scope) = (None, None, None);
        let (mut client_secret, mut refresh_token) = (None, None);
        let noted = self.reader.problems.len();
        for (key, line, node) in self.reader.entries(path, Some(node)) {
            let path = join(path, key);
            let reader = &mut *self.reader;
            match key.as_str() {
                "token_url" => token_url = url(reader, &path, node),
                "client_id" => client_id = reader.text(&path, node),
                "scope" => scope = reader.text(&path, node),
                "client_secret_env" => {
                    client_secret = named_secret(reader, &path, node, self.environment)
                }
                "refresh_token_env" => {
                    refresh_token = named_secret(reader, &path, node, self.environment)
                }
                "client_secret" | "refresh_token" => reader.note(
                    *line,
                    &path,
                    format!("secrets stay out of this file: name a variable with `{key}_env`"),
                ),
                _ => reader.unknown(*line, &path, key, &OAUTH2_KEYS),
            }
        }
        for (key, is_there) in [
            ("token_url", token_url.is_some()),
            ("client_id", client_id.is_some()),
            ("refresh_token_env", refresh_token.is_some()),
        ] {
            if !is_there && self.reader.problems.len() == noted {
                let message = format!("`{key}` is missing");
                self.reader.note(node.line, path, message);
            }
        }
        Some(OAuth2 {
            token_url: token_url?,
            client_id: client_id?,
            client_secret,
            refresh_token: refresh_token?,
            scope,
        })
    }

    /// Fills in what follows from the rest, and says what is missing or does not go together.
    fn complete(&mut self, inbox: &mut Inbox, node: &Node) {
        let has = |key: &str| child(node, key).is_some();
        let mut missing = Vec::new();
        if !has("host") {
            missing.push("`host` is missing".to_owned());
        }
        if !has("username") && !has("username_env") {
            missing.push("`username` (or `username_env`) is missing".to_owned());
        }
        if !has("password_env") && !has("oauth2") {
            missing.push("`password_env` (or `oauth2`) is missing".to_owned());
        }
        for (one, other) in [
            ("password_env", "oauth2"),
            ("poll_interval", "cron"),
            ("username", "username_env"),
        ] {
            if has(one) && has(other) {
                missing.push(format!("`{one}` and `{other}` are both set: keep one"));
            }
        }
        if inbox.tls == TlsMode::None && has("host") && !is_loopback(&inbox.host) {
            missing.push(
                "`tls: none` is for a server on this machine (localhost, 127.0.0.1, ::1): use implicit or starttls"
                    .to_owned(),
            );
        }
        if has("folders") && inbox.folders.is_empty() {
            missing.push("`folders` is empty".to_owned());
        }
        if !has("port") {
            inbox.port = default_port(inbox.tls);
        }
        if inbox.name.is_empty() {
            inbox.name = inbox.username.clone();
        }
        for message in missing {
            self.reader.note(node.line, self.path, message);
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

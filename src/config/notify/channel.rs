//! One channel: what all have in common, and what each kind needs.

use super::kinds::{mail, telegram, webhook};
use super::values::{daily, quiet_hours, weekly};
use crate::config::environment::{Environment, child, secret_of};
use crate::config::inboxes::{inbox_name, is_loopback, word};
use crate::config::sections::list;
use crate::config::tree::{Node, Reader, join};
use crate::model::alert::Severity;
use crate::model::channel::{
    Channel, DigestTimes, Format, MailWay, Mailbox, QuietHours, TelegramWay, Way, WebhookWay,
};
use crate::model::inbox::TlsMode;
use crate::model::secret::FromEnvironment;

const COMMON: [&str; 9] = [
    "digest",
    "domains",
    "group_for",
    "min_severity",
    "most_alerts",
    "name",
    "quiet_hours",
    "quiet_hours_except",
    "type",
];
const MAIL: [&str; 10] = [
    "ca_file",
    "from",
    "host",
    "password_env",
    "port",
    "timeout",
    "tls",
    "to",
    "username",
    "username_env",
];
const TELEGRAM: [&str; 4] = ["api_url", "chat_id", "chat_id_env", "token_env"];
const WEBHOOK: [&str; 5] = ["format", "token_env", "topic", "url", "url_env"];
const DIGEST_KEYS: [&str; 3] = ["daily", "on_quiet_days", "weekly"];
/// Keys that would hold a secret.
const SECRETS: [&str; 2] = ["password", "token"];

const SEVERITIES: [(&str, Severity); 3] = [
    ("info", Severity::Info),
    ("warning", Severity::Warning),
    ("critical", Severity::Critical),
];
const EXCEPTIONS: [(&str, bool); 2] = [("nothing", false), ("critical", true)];

const DEFAULT_API: &str = "https://api.telegram.org";
const DEFAULT_GROUP_SECS: u64 = 10 * 60;
const DEFAULT_MOST_ALERTS: usize = 20;
/// A message that names more is read by nobody.
const MOST_ALERTS: u64 = 100;
const DEFAULT_TIMEOUT_SECS: u64 = 30;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mail,
    Telegram,
    Webhook,
}

const KINDS: [(&str, Kind); 3] = [
    ("mail", Kind::Mail),
    ("telegram", Kind::Telegram),
    ("webhook", Kind::Webhook),
];

/// What was read so far, of any kind.
pub(super) struct Parts {
    channel: Channel,
    pub(super) mail: MailWay,
    pub(super) username: Option<String>,
    pub(super) password: Option<FromEnvironment>,
    pub(super) telegram: TelegramWay,
    pub(super) format: Option<Format>,
    pub(super) webhook: WebhookWay,
    except_critical: bool,
}

/// `None` where something in it does not hold.
pub(super) fn read(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
    environment: Environment<'_>,
) -> Option<Channel> {
    let noted = reader.problems.len();
    let entries = reader.entries(path, Some(node));
    let Some(named) = child(node, "type") else {
        let message = "`type` is missing: mail, telegram or webhook";
        reader.note(node.line, path, message);
        return None;
    };
    let kind = word(reader, &join(path, "type"), named, &KINDS)?;
    let mut parts = plain(reader, environment);
    for (key, line, node) in entries {
        let path = join(path, key);
        if !common(reader, &mut parts, key, &path, node) {
            let is_read = match kind {
                Kind::Mail => mail(reader, environment, &mut parts, key, &path, node),
                Kind::Telegram => telegram(reader, environment, &mut parts, key, &path, node),
                Kind::Webhook => webhook(reader, environment, &mut parts, key, &path, node),
            };
            if !is_read {
                unknown(reader, kind, *line, &path, key);
            }
        }
    }
    for message in missing(&parts, kind, node) {
        reader.note(node.line, path, message);
    }
    (reader.problems.len() == noted).then(|| parts.put_together(kind, node))
}

fn plain(reader: &mut Reader<'_>, environment: Environment<'_>) -> Parts {
    let none = || FromEnvironment {
        variable: String::new(),
        secret: None,
    };
    let webhook = WebhookWay {
        format: Format::Generic,
        url: none(),
        token: None,
        topic: None,
    };
    Parts {
        channel: Channel {
            name: String::new(),
            way: Way::Webhook(webhook.clone()),
            min_severity: Severity::Warning,
            domains: Vec::new(),
            quiet_hours: None,
            group_for_secs: DEFAULT_GROUP_SECS,
            most_alerts: DEFAULT_MOST_ALERTS,
            digest: DigestTimes::default(),
        },
        mail: MailWay {
            host: String::new(),
            port: 0,
            tls: TlsMode::StartTls,
            ca_file: None,
            login: None,
            from: Mailbox {
                name: None,
                address: String::new(),
            },
            to: Vec::new(),
            timeout_secs: DEFAULT_TIMEOUT_SECS,
        },
        username: None,
        password: None,
        telegram: TelegramWay {
            token: secret_of(reader, environment, "TELEGRAM_BOT_TOKEN"),
            chat_id: secret_of(reader, environment, "TELEGRAM_CHAT_ID"),
            api_url: DEFAULT_API.to_owned(),
        },
        format: None,
        webhook,
        except_critical: false,
    }
}

/// Keys of every kind; whether it was one.
fn common(reader: &mut Reader<'_>, parts: &mut Parts, key: &str, path: &str, node: &Node) -> bool {
    let channel = &mut parts.channel;
    match key {
        // Read already.
        "type" => {}
        "name" => set(&mut channel.name, inbox_name(reader, path, node)),
        "min_severity" => set(
            &mut channel.min_severity,
            word(reader, path, node, &SEVERITIES),
        ),
        "domains" => channel.domains = list(reader, path, node, Reader::domain),
        "quiet_hours" => channel.quiet_hours = quiet_hours(reader, path, node),
        "quiet_hours_except" => set(
            &mut parts.except_critical,
            word(reader, path, node, &EXCEPTIONS),
        ),
        "group_for" => set(
            &mut channel.group_for_secs,
            reader.duration_secs(path, node),
        ),
        "most_alerts" => {
            let count = reader.count(path, node, 1);
            let count = count.map(|count| count.min(MOST_ALERTS));
            set(
                &mut channel.most_alerts,
                count.and_then(|count| usize::try_from(count).ok()),
            );
        }
        "digest" => channel.digest = digest(reader, path, node),
        _ => return false,
    }
    true
}

fn digest(reader: &mut Reader<'_>, path: &str, node: &Node) -> DigestTimes {
    let mut times = DigestTimes::default();
    for (key, line, node) in reader.entries(path, Some(node)) {
        let path = join(path, key);
        match key.as_str() {
            "daily" => times.daily = daily(reader, &path, node),
            "weekly" => times.weekly = weekly(reader, &path, node),
            "on_quiet_days" => set(&mut times.on_quiet_days, reader.flag(&path, node)),
            _ => reader.unknown(*line, &path, key, &DIGEST_KEYS),
        }
    }
    times
}

fn unknown(reader: &mut Reader<'_>, kind: Kind, line: usize, path: &str, key: &str) {
    if SECRETS.contains(&key) {
        let message = format!("secrets stay out of this file: name a variable with `{key}_env`");
        return reader.note(line, path, message);
    }
    let own: &[&str] = match kind {
        Kind::Mail => &MAIL,
        Kind::Telegram => &TELEGRAM,
        Kind::Webhook => &WEBHOOK,
    };
    let known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
    reader.unknown(line, path, key, &known);
}

/// What is missing, and what does not go together.
fn missing(parts: &Parts, kind: Kind, node: &Node) -> Vec<String> {
    let has = |key: &str| child(node, key).is_some();
    let mut missing = Vec::new();
    let mut need = |keys: &[&str]| {
        if !keys.iter().any(|key| has(key)) {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            missing.push(format!("{} is missing", keys.join(" or ")));
        }
    };
    match kind {
        Kind::Mail => ["host", "from", "to"].iter().for_each(|key| need(&[key])),
        Kind::Telegram => {}
        Kind::Webhook => {
            need(&["format"]);
            need(&["url", "url_env"]);
        }
    }
    let pairs = [
        ("username", "username_env"),
        ("chat_id", "chat_id_env"),
        ("url", "url_env"),
    ];
    for (one, other) in pairs.into_iter().filter(|(a, b)| has(a) && has(b)) {
        missing.push(format!("`{one}` and `{other}` are both set: keep one"));
    }
    if has("quiet_hours_except") && !has("quiet_hours") {
        missing.push("`quiet_hours_except` goes with `quiet_hours`".to_owned());
    }
    if kind == Kind::Mail {
        if parts.mail.tls == TlsMode::None && has("host") && !is_loopback(&parts.mail.host) {
            let message = "`tls: none` is for a server on this machine (localhost, 127.0.0.1, ::1): use implicit or \
                           starttls";
            missing.push(message.to_owned());
        }
        if parts.username.is_some() != parts.password.is_some() {
            missing.push("`username` and `password_env` go together".to_owned());
        }
        if has("to") && parts.mail.to.is_empty() {
            missing.push("`to` is empty".to_owned());
        }
    }
    missing.extend(unfit(parts, kind));
    missing
}

/// What a webhook of its format has no use for, or cannot do without.
fn unfit(parts: &Parts, kind: Kind) -> Option<String> {
    let (Kind::Webhook, Some(format)) = (kind, parts.format) else {
        return None;
    };
    let webhook = &parts.webhook;
    if webhook.topic.is_some() && format != Format::Ntfy {
        return Some("`topic` is for `format: ntfy`".to_owned());
    }
    if webhook.token.is_some() && matches!(format, Format::Slack | Format::Discord) {
        let message = "`token_env` has no use here: the address is the secret";
        return Some(message.to_owned());
    }
    if webhook.token.is_none() && format == Format::Gotify {
        return Some("`token_env` is missing: the token of the application".to_owned());
    }
    None
}

impl Parts {
    fn put_together(mut self, kind: Kind, node: &Node) -> Channel {
        let mail = &mut self.mail;
        if child(node, "port").is_none() {
            mail.port = match mail.tls {
                TlsMode::Implicit => 465,
                TlsMode::StartTls => 587,
                TlsMode::None => 25,
            };
        }
        mail.login = self.username.zip(self.password);
        self.webhook.format = self.format.unwrap_or(self.webhook.format);
        let mut channel = self.channel;
        channel.way = match kind {
            Kind::Mail => Way::Mail(self.mail),
            Kind::Telegram => Way::Telegram(self.telegram),
            Kind::Webhook => Way::Webhook(self.webhook),
        };
        channel.quiet_hours = channel.quiet_hours.map(|hours| QuietHours {
            except_critical: self.except_critical,
            ..hours
        });
        if channel.name.is_empty() {
            channel.name = channel.way.as_str().to_owned();
        }
        channel
    }
}

pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

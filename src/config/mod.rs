//! A YAML file and the environment -> [`Config`], or every problem at once, each with its path and line.
//!
//! Secrets never stand in the file: it names the environment variable (`*_env`) that holds one, or whose name with
//! `_FILE` behind it names a file that does.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;

use crate::model::alert::RuleSettings;
use crate::model::channel::Channel;
use crate::model::inbox::Inbox;
use crate::model::limits::Limits;
pub use crate::model::secret::Secret;
use crate::model::sender::KnownSender;
use crate::model::service::Service;

mod addresses;
mod alerts;
mod environment;
mod hash;
mod inboxes;
mod notify;
mod sections;
mod senders;
mod services;
mod tree;
mod values;

#[cfg(test)]
mod tests;

pub use addresses::Addresses;
pub use environment::{Environment, process_environment};
pub use tree::nearest;

/// Where the configuration is looked for when the command line names none.
pub const DEFAULT_PATH: &str = "config/config.yml";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// Section `app`.
    pub app: App,
    /// Section `security`.
    pub security: Security,
    /// Section `server`.
    pub server: Server,
    /// Section `site`.
    pub site: Site,
    /// Section `inboxes`, in the order of the file; names are unique.
    pub inboxes: Vec<Inbox>,
    /// Section `addresses`.
    pub addresses: Addresses,
    /// Section `alerts`.
    pub alerts: Alerts,
    /// Section `notify`.
    pub notify: Notify,
    /// Own domains, normalised and sorted; when empty, reports for any domain are taken in.
    pub domains: Vec<String>,
    /// Section `known_senders`, sorted by domain and name.
    pub known_senders: Vec<KnownSender>,
    /// Well-known services, sorted by id: those of the program, or of the user's `seeds/services.csv`.
    pub services: Vec<Service>,
    /// Section `limits`.
    pub limits: Limits,
    /// Section `retention`.
    pub retention: Retention,
    /// `queries/` beside the configuration file: the user's own SQL files; may be absent.
    pub queries_folder: PathBuf,
}

/// Section `app`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Where people reach the dashboard, without a slash at the end; `None` when not set.
    pub base_url: Option<String>,
    /// Time zone of the schedule. Days in reports and pages are always UTC.
    pub timezone: String,
    /// Lowest level that is logged.
    pub log_level: LogLevel,
    /// Archive, ledger and everything derived.
    pub data_dir: PathBuf,
    /// Time between two polls of a mailbox that has no schedule of its own, seconds.
    pub poll_interval_secs: u64,
    /// Nothing is fetched where less than this is left on the disk beside the size of the database, bytes.
    pub min_free_disk_bytes: u64,
}

/// Levels of the log, from quiet to chatty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What a person should look at.
    Warn,
    /// Each run in a few lines.
    Info,
    /// Each step.
    Debug,
    /// Each item.
    Trace,
}

/// Section `security`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// Whether the dashboard asks for a password. Without it the server answers on loopback only.
    pub dashboard_auth: bool,
    /// User name for Basic Auth; `None` when the variable is not set.
    pub username: Option<String>,
    /// Password for Basic Auth; `None` when the variable is not set.
    pub password: Option<Secret>,
    /// Name of the variable that `username` was looked for in, for messages.
    pub username_env: String,
    /// Name of the variable that `password` was looked for in, for messages.
    pub password_env: String,
    /// Bearer token of the homepage routes and of `/metrics`; they take Basic Auth alone when `None`.
    pub homepage_token: Option<Secret>,
}

/// Section `server`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Path below which everything is served: empty, or with a slash in front and none behind.
    pub base_path: String,
    /// Peers whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Bounds on what a stranger may cost.
    pub limits: ServerLimits,
}

/// Section `server.limits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerLimits {
    /// Connections at a time; more are told to come back.
    pub connections: usize,
    /// Time for a request's head, seconds.
    pub head_timeout_secs: u64,
    /// Time in which a slow reader must make some progress, seconds.
    pub write_timeout_secs: u64,
    /// Failed logins of one address in a window before it is told to wait.
    pub login_failures: u32,
    /// Length of that window, seconds.
    pub login_window_secs: u64,
}

/// Section `site`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Newest reports that get a static page; older ones are drawn when asked for.
    pub report_pages: u64,
    /// Title of every page.
    pub title: String,
}

/// Section `retention`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Months for which reports are kept, beside the present one; `None`: for good.
    pub months: Option<u32>,
}

/// Section `alerts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// Nobody is told of evidence that is older than so many days.
    pub notify_within_days: u64,
    /// Days without evidence after which an alert is done with; 0: never.
    pub resolve_after_days: u64,
    /// Time after which a rule is interrupted, beside a second for each 20,000 records.
    pub rule_time_limit_secs: u64,
    /// What differs from the rules as they are, by their names.
    pub rules: BTreeMap<String, RuleSettings>,
}

/// Section `notify`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notify {
    /// Called after each good run, so that a watchdog sees it alive; may hold a token, so it is a secret.
    pub heartbeat_url: Option<Secret>,
    /// Ways to people, in the order of the file; names are unique.
    pub channels: Vec<Channel>,
}

/// Something in the configuration that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, or the name of the environment variable.
    pub file: String,
    /// Line in the file, from 1; `None` where there is none.
    pub line: Option<usize>,
    /// `known_senders.example.com[0].cidrs[1]`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Config {
    /// Reads `named`, or [`DEFAULT_PATH`] where that exists, or takes the defaults.
    pub fn load(named: Option<&Path>, environment: Environment<'_>) -> Result<Self, Vec<Problem>> {
        let path = named.unwrap_or(Path::new(DEFAULT_PATH));
        let shown = path.display().to_string();
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8(bytes)
                .map_err(|_| whole(&shown, "is not UTF-8 text".to_owned()))?,
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
                String::new()
            }
            Err(error) => return Err(whole(&shown, error.to_string())),
        };
        let queries_folder = path.parent().unwrap_or(Path::new("")).join("queries");
        let services = services::load(&queries_folder);
        let (services, mut problems) = match services {
            Ok(services) => (services, Vec::new()),
            // What names a service is not at fault where the services cannot be read.
            Err(problems) => (services::embedded().unwrap_or_default(), problems),
        };
        match Self::parse_with(&shown, &text, environment, services) {
            Ok(mut config) if problems.is_empty() => {
                config.queries_folder = queries_folder;
                Ok(config)
            }
            Ok(_) => Err(problems),
            Err(found) => {
                problems.extend(found);
                Err(problems)
            }
        }
    }

    /// Reads the text of a configuration file; `file` stands in messages.
    pub fn parse(
        file: &str,
        text: &str,
        environment: Environment<'_>,
    ) -> Result<Self, Vec<Problem>> {
        Self::parse_with(file, text, environment, services::embedded()?)
    }

    fn parse_with(
        file: &str,
        text: &str,
        environment: Environment<'_>,
        services: Vec<Service>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let root = tree::parse(file, text, &mut problems);
        let mut config = Self {
            services,
            ..Self::default()
        };
        if problems.is_empty() {
            let mut reader = tree::Reader {
                file,
                problems: &mut problems,
            };
            sections::read(&mut reader, root.as_ref(), &mut config);
            let poll_interval_secs = config.app.poll_interval_secs;
            config.inboxes =
                inboxes::read(&mut reader, root.as_ref(), environment, poll_interval_secs);
            config.alerts = alerts::read(&mut reader, root.as_ref());
            config.notify = notify::read(&mut reader, root.as_ref(), environment);
            environment::read_secrets(
                &mut reader,
                root.as_ref(),
                environment,
                &mut config.security,
            );
        }
        problems.sort_by_key(|problem| (problem.line.is_none(), problem.line));
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(problems)
        }
    }
}

fn whole(file: &str, message: String) -> Vec<Problem> {
    vec![Problem {
        file: file.to_owned(),
        line: None,
        path: String::new(),
        message,
    }]
}

impl Default for App {
    fn default() -> Self {
        Self {
            base_url: None,
            timezone: "UTC".to_owned(),
            log_level: LogLevel::Info,
            data_dir: PathBuf::from("./data"),
            poll_interval_secs: 15 * 60,
            min_free_disk_bytes: 512 << 20,
        }
    }
}

impl Default for Security {
    fn default() -> Self {
        Self {
            dashboard_auth: true,
            username: None,
            password: None,
            username_env: "DASHBOARD_USERNAME".to_owned(),
            password_env: "DASHBOARD_PASSWORD".to_owned(),
            homepage_token: None,
        }
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            notify_within_days: 7,
            resolve_after_days: 30,
            rule_time_limit_secs: 60,
            rules: BTreeMap::new(),
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8000)),
            base_path: String::new(),
            trusted_proxies: Vec::new(),
            limits: ServerLimits::default(),
        }
    }
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            head_timeout_secs: 15,
            write_timeout_secs: 30,
            login_failures: 20,
            login_window_secs: 60,
        }
    }
}

impl Default for Site {
    fn default() -> Self {
        Self {
            report_pages: 1_000,
            title: "DMARC Sentinel".to_owned(),
        }
    }
}

//! What the server is told from outside: addresses, credentials, bounds, and where its facts come from.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::alert_desk::AlertDesk;
use super::auth::{Auth, Secret};
use super::desk::Desk;
use crate::publish::Generation;
use crate::render::inboxes::InboxesView;

/// How the server behaves; made by `cli` from the configuration.
#[derive(Clone)]
pub struct ServeConfig {
    /// `""`, or a prefix as `/dmarc`: starts with a slash, does not end with one. Requests carry it.
    pub base_path: String,
    /// Who may look.
    pub auth: Auth,
    /// Bearer token of `/api/homepage` and `/metrics`; without one those routes take the dashboard's credentials alone.
    pub homepage_token: Option<Secret>,
    /// Host of `app.base_url` (no port), if set: beside the loopback names the only Host accepted without
    /// credentials, because a foreign page can point its own name at 127.0.0.1 (DNS rebinding).
    pub public_host: Option<String>,
    /// `app.base_url`, if set: beside the Host the only Origin that may ask for actions.
    pub base_url: Option<String>,
    /// Whether the `X-Forwarded-For` of this peer is believed (`server.trusted_proxies`).
    pub is_trusted_proxy: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Bounds.
    pub limits: ServeLimits,
}

impl ServeConfig {
    /// The defaults for these credentials: no prefix, no token, no proxy.
    pub fn new(auth: Auth) -> Self {
        Self {
            base_path: String::new(),
            auth,
            homepage_token: None,
            public_host: None,
            base_url: None,
            is_trusted_proxy: Arc::new(|_| false),
            limits: ServeLimits::default(),
        }
    }
}

/// Bounds of the server.
#[derive(Debug, Clone)]
pub struct ServeLimits {
    /// Connections served at the same time; more are told to come back.
    pub connections: usize,
    /// From the first wait for a request to the end of its head; idle keep-alive connections end by it too.
    pub head_timeout: Duration,
    /// Request line and headers, bytes.
    pub head_bytes: usize,
    /// Number of headers.
    pub headers: usize,
    /// The body of a request that asks for something, bytes.
    pub body_bytes: usize,
    /// How long it may take to come in.
    pub body_timeout: Duration,
    /// How long a reader may take for [`ServeLimits::write_step_bytes`].
    pub write_timeout: Duration,
    /// Progress a slow reader must make in one [`ServeLimits::write_timeout`].
    pub write_step_bytes: usize,
    /// How long requests in flight may go on after a stop.
    pub stop_deadline: Duration,
    /// Older reports rendered at the same time.
    pub older_reports: usize,
    /// How long a request waits for an older report.
    pub older_report_timeout: Duration,
    /// The largest published file that is served.
    pub file_bytes: u64,
    /// Failed logins of one address in one window; after that 429.
    pub login_failures: u32,
    /// Length of that window.
    pub login_window: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            head_timeout: Duration::from_secs(15),
            head_bytes: 16 * 1024,
            headers: 64,
            body_bytes: 16 * 1024,
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(30),
            write_step_bytes: 16 * 1024,
            stop_deadline: Duration::from_secs(5),
            older_reports: 2,
            older_report_timeout: Duration::from_secs(10),
            file_bytes: 64 * 1024 * 1024,
            login_failures: 20,
            login_window: Duration::from_secs(60),
        }
    }
}

/// Form of a report that is made on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportForm {
    /// `/reports/{id}`
    Page,
    /// `/api/reports/{id}`
    Json,
}

/// Makes the page or JSON of a report that has no static file, from the generation's lake; `None`: no such report.
/// The id is 32 lower-case hex digits. Runs on a thread that may block.
pub type OlderReport =
    Arc<dyn Fn(&Generation, &str, ReportForm) -> anyhow::Result<Option<Vec<u8>>> + Send + Sync>;

/// When new input was last looked for (the ledger's last finished run); runs on a thread that may block.
pub type LastCheck = Arc<dyn Fn() -> anyhow::Result<Option<DateTime<Utc>>> + Send + Sync>;

/// The page for an error outside `/api`, by status and code (`not-found`, `not-published`, …); `None`: the built-in
/// plain page serves.
pub type ErrorPage = Arc<dyn Fn(u16, &str) -> Option<Vec<u8>> + Send + Sync>;

/// The page `/inboxes`.
pub type InboxesPage = Arc<dyn Fn(&InboxesView<'_>) -> anyhow::Result<Vec<u8>> + Send + Sync>;

/// Where the server's facts come from.
#[derive(Clone)]
pub struct Sources {
    /// The folder with `current` and `releases/`.
    pub public_dir: PathBuf,
    /// Reports without a static page.
    pub older_report: OlderReport,
    /// Time of the last run.
    pub last_check: LastCheck,
    /// Makes error pages.
    pub error_page: ErrorPage,
    /// Mailboxes and jobs.
    pub desk: Arc<dyn Desk>,
    /// Alerts.
    pub alerts: Arc<dyn AlertDesk>,
    /// Makes the page about mailboxes and jobs.
    pub inboxes_page: InboxesPage,
    /// The present instant.
    pub now: fn() -> DateTime<Utc>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StartError {
    /// No password and no permission to do without; the name of the variable that would hold it.
    #[error(
        "the dashboard has no password: set {0} in the environment ({0}_FILE names a file that holds it), or, \
         on this machine alone, `security.dashboard_auth: false`"
    )]
    NoPassword(String),
    /// No user name, or one that Basic Auth cannot carry; the name of its variable.
    #[error(
        "the dashboard has no user name: set {0}, not empty and without a colon, which ends the name in Basic Auth"
    )]
    UserName(String),
    /// Open to everybody who reaches the address.
    #[error(
        "`security.dashboard_auth: false` is allowed on a loopback address only, and {0} is not one: listen on \
         127.0.0.1, or set DASHBOARD_PASSWORD"
    )]
    OpenToOthers(SocketAddr),
    /// Would never match a request.
    #[error(
        "`server.base_path` must be empty or a path as /dmarc (no slash at its end, no empty part), not {0:?}"
    )]
    BasePath(String),
}

/// Whether a server of this configuration may listen there.
pub fn check_start(config: &ServeConfig, listen: SocketAddr) -> Result<(), StartError> {
    if matches!(config.auth, Auth::Open) && !listen.ip().is_loopback() {
        return Err(StartError::OpenToOthers(listen));
    }
    let base = &config.base_path;
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
    };
    let is_path = base
        .strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(plain));
    if base.is_empty() || is_path {
        Ok(())
    } else {
        Err(StartError::BasePath(base.clone()))
    }
}

//! `sentinel serve`: the configuration -> a server that runs until SIGTERM or SIGINT.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chrono::DateTime;

use super::alert_beyond::Beyond;
use super::alert_desk::Alerts;
use super::context::UsageError;
use super::desk::DaemonDesk;
use super::glance::Glance;
use super::names::Namer;
use super::teller::Teller;
use super::work::store_config;
use crate::clock;
use crate::config::{Config, Security};
use crate::daemon::{self, Daemon, Pages};
use crate::job::folders::Folders;
use crate::job::ownership;
use crate::query::Catalogue;
use crate::render::Skin;
use crate::serve::{
    Auth, Credentials, ErrorPage, InboxesPage, LastCheck, OlderReport, Secret, ServeConfig,
    ServeLimits, Server, Sources, StartError, check_start, host_of_url, run_until_signal,
};

/// How long a run may go on after the server has ended: both together stay below ten seconds.
const END_TIMEOUT: Duration = Duration::from_secs(4);

/// How long names of hosts are looked up before what was found is published.
const LONGEST_PASS: Duration = Duration::from_secs(120);

/// Arguments of the command.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = "Examples:
  DASHBOARD_USERNAME=me DASHBOARD_PASSWORD=… sentinel serve
  sentinel serve --listen 127.0.0.1:9000")]
pub struct ServeArgs {
    /// Address to listen on, instead of `server.listen`
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
}

/// What the server draws itself.
#[derive(Clone)]
pub struct Drawn {
    /// Templates.
    pub skin: Arc<Skin>,
    /// Queries.
    pub catalogue: Arc<Catalogue>,
    /// Reports without a static page.
    pub older_report: OlderReport,
    /// Error pages.
    pub error_page: ErrorPage,
    /// The page `/inboxes`.
    pub inboxes_page: InboxesPage,
}

/// Serves what `config` names, and fetches mail where it names mailboxes, until a signal; prints where.
pub fn run(
    args: &ServeArgs,
    config: &Config,
    drawn: Drawn,
    pages: Pages,
) -> anyhow::Result<ExitCode> {
    let listen = args.listen.unwrap_or(config.server.listen);
    let settings = match settings(config)
        .and_then(|settings| check_start(&settings, listen).map(|()| settings))
    {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("sentinel serve: {error}");
            return Ok(ExitCode::from(2));
        }
    };
    let folders = Folders::new(&config.app.data_dir);
    if !config.inboxes.is_empty()
        && let Some(complaint) =
            ownership::complaint(&folders).context("looking at the data folder")?
    {
        return Err(UsageError(complaint).into());
    }
    let listener = TcpListener::bind(listen).with_context(|| format!("listening on {listen}"))?;
    let bound = listener
        .local_addr()
        .context("asking for the address listened on")?;
    let url = dashboard_url(bound, &settings.base_path);
    let daemon = start_daemon(config, pages)?;
    let sources = sources(config, drawn, &daemon);
    // Who reads this line may send a signal at once.
    let ready = || println!("Dashboard: {url}");
    let stopping = || daemon.handle().stop();
    let server = Server::new(settings, sources);
    run_until_signal(listener, server, ready, stopping).context("serving")?;
    daemon.handle().stop();
    if !daemon.join(END_TIMEOUT) {
        tracing::warn!("a run is left unfinished; the next one goes on from what is durable");
    }
    Ok(ExitCode::SUCCESS)
}

fn sources(config: &Config, drawn: Drawn, daemon: &Daemon) -> Sources {
    let folders = Folders::new(&config.app.data_dir);
    let ledger = Arc::new(Glance::new(folders.ledger()));
    Sources {
        public_dir: folders.public(),
        older_report: drawn.older_report,
        last_check: last_check(Arc::clone(&ledger)),
        error_page: drawn.error_page,
        alerts: Arc::new(Alerts {
            public: folders.public(),
            ledger: folders.ledger(),
            glance: Arc::clone(&ledger),
            resolve_after_days: config.alerts.resolve_after_days,
            skin: drawn.skin,
            catalogue: drawn.catalogue,
            daemon: Some(daemon.handle().clone()),
            beyond: Beyond::default(),
        }),
        desk: Arc::new(DaemonDesk {
            daemon: Some(daemon.handle().clone()),
            inboxes: config.inboxes.clone(),
            folders,
            ledger,
        }),
        inboxes_page: drawn.inboxes_page,
        now: clock::now,
    }
}

/// Fetches mail where there are mailboxes, and publishes what people do with alerts.
fn start_daemon(config: &Config, pages: Pages) -> anyhow::Result<Daemon> {
    let folders = Folders::new(&config.app.data_dir);
    let settings = daemon::Settings {
        inboxes: config.inboxes.clone(),
        timezone: config.app.timezone.clone(),
        store: store_config(config, &folders.database())?,
        folders,
        pages,
        heartbeat: config.notify.heartbeat_url.clone(),
        tell: match Teller::new(config)? {
            Some(mut teller) => Some(Box::new(move || teller.tell())),
            None => None,
        },
        look_up: Namer::new(config)?.map(|namer| -> daemon::LookUp {
            Box::new(move |stop| Ok(namer.pass(LONGEST_PASS, stop)?.has_changed))
        }),
        min_free_bytes: config.app.min_free_disk_bytes,
        time: Arc::new(daemon::System),
    };
    daemon::start(settings)
}

/// Why the server would not start, if so.
pub(super) fn refusal(config: &Config) -> Option<StartError> {
    settings(config)
        .and_then(|settings| check_start(&settings, config.server.listen))
        .err()
}

fn settings(config: &Config) -> Result<ServeConfig, StartError> {
    let server = &config.server;
    let networks = server.trusted_proxies.clone();
    Ok(ServeConfig {
        base_path: server.base_path.clone(),
        auth: auth(&config.security)?,
        homepage_token: config
            .security
            .homepage_token
            .as_ref()
            .map(|token| Secret::of(token.expose().as_bytes())),
        public_host: config.app.base_url.as_deref().and_then(host_of_url),
        base_url: config.app.base_url.clone(),
        // A dual-stack socket shows an IPv4 peer as a mapped IPv6 address.
        is_trusted_proxy: Arc::new(move |ip| {
            networks
                .iter()
                .any(|network| network.contains(&ip.to_canonical()))
        }),
        limits: ServeLimits {
            connections: server.limits.connections,
            head_timeout: Duration::from_secs(server.limits.head_timeout_secs),
            write_timeout: Duration::from_secs(server.limits.write_timeout_secs),
            login_failures: server.limits.login_failures,
            login_window: Duration::from_secs(server.limits.login_window_secs),
            ..ServeLimits::default()
        },
    })
}

fn auth(security: &Security) -> Result<Auth, StartError> {
    if !security.dashboard_auth {
        return Ok(Auth::Open);
    }
    Auth::basic(Credentials {
        user: security.username.as_deref().unwrap_or_default(),
        password: security
            .password
            .as_ref()
            .map(|secret| secret.expose())
            .unwrap_or_default(),
        user_variable: &security.username_env,
        password_variable: &security.password_env,
    })
}

/// Where a browser on this machine finds the dashboard.
fn dashboard_url(bound: SocketAddr, base_path: &str) -> String {
    let shown = if bound.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), bound.port())
    } else {
        bound
    };
    format!("http://{shown}{base_path}/overview")
}

/// The end of the last run in the ledger.
fn last_check(ledger: Arc<Glance>) -> LastCheck {
    Arc::new(move || {
        let ended = ledger.view()?.last_run_utc_secs;
        Ok(ended.and_then(|utc_secs| DateTime::from_timestamp(utc_secs, 0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(yaml: &str, variables: &[(&str, &str)]) -> Config {
        let environment = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.to_string())
        };
        Config::parse("test.yml", yaml, &environment).unwrap()
    }

    #[test]
    fn the_configuration_decides_who_may_look() {
        let full = [
            ("DASHBOARD_USERNAME", "admin"),
            ("DASHBOARD_PASSWORD", "secret"),
        ];
        assert!(matches!(
            settings(&config("", &full)).unwrap().auth,
            Auth::Basic { .. }
        ));
        let open = "security: {dashboard_auth: false}\n";
        assert!(matches!(
            settings(&config(open, &[])).unwrap().auth,
            Auth::Open
        ));
        for (yaml, variables, named) in [
            ("", &[][..], "DASHBOARD_PASSWORD"),
            ("", &full[..1], "DASHBOARD_PASSWORD"),
            ("", &full[1..], "DASHBOARD_USERNAME"),
            (
                "security: {password_env: MY_PASSWORD}\n",
                &full[..],
                "MY_PASSWORD",
            ),
        ] {
            let refused = settings(&config(yaml, variables))
                .err()
                .unwrap()
                .to_string();
            assert!(refused.contains(named), "{yaml} {refused}");
        }
    }

    #[test]
    fn proxies_and_the_public_host_come_from_the_configuration() {
        let yaml = "app: {base_url: 'https://Dmarc.example.org:8443/mail'}\n\
                    security: {dashboard_auth: false}\n\
                    server: {trusted_proxies: ['198.51.100.0/24']}\n";
        let settings = settings(&config(yaml, &[])).unwrap();
        assert_eq!(settings.public_host.as_deref(), Some("dmarc.example.org"));
        let base_url = settings.base_url.as_deref();
        assert_eq!(base_url, Some("https://Dmarc.example.org:8443/mail"));
        for (ip, expect) in [
            ("198.51.100.7", true),
            ("::ffff:198.51.100.7", true),
            ("203.0.113.1", false),
        ] {
            assert_eq!(
                (settings.is_trusted_proxy)(ip.parse().unwrap()),
                expect,
                "{ip}"
            );
        }
    }

    #[test]
    fn the_address_shown_can_be_opened_on_this_machine() {
        for (bound, base_path, expect) in [
            ("127.0.0.1:8000", "", "http://127.0.0.1:8000/overview"),
            ("0.0.0.0:80", "/dmarc", "http://127.0.0.1:80/dmarc/overview"),
            ("[::1]:8000", "", "http://[::1]:8000/overview"),
        ] {
            assert_eq!(dashboard_url(bound.parse().unwrap(), base_path), expect);
        }
    }
}

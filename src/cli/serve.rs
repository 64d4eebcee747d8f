//! `sentinel serve`: the configuration -> a server that runs until SIGTERM or SIGINT.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use chrono::{DateTime, Utc};

use super::work::store_config;
use crate::clock;
use crate::config::{Config, Security};
use crate::daemon::{self, Daemon, Pages};
use crate::job::folders::Folders;
use crate::ledger::{Entry, Event, Ledger};
use crate::serve::{
    Auth, Credentials, ErrorPage, LastCheck, OlderReport, Secret, ServeConfig, ServeLimits, Server,
    Sources, StartError, check_start, host_of_url, run_until_signal,
};

/// How long a run may go on after the server has ended: both together stay below ten seconds.
const END_TIMEOUT: Duration = Duration::from_secs(4);

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
    /// Reports without a static page.
    pub older_report: OlderReport,
    /// Error pages.
    pub error_page: ErrorPage,
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
    let sources = Sources {
        public_dir: config.app.data_dir.join("public"),
        older_report: drawn.older_report,
        last_check: last_check(config.app.data_dir.join("ledger")),
        error_page: drawn.error_page,
        now: clock::now,
    };
    let listener = TcpListener::bind(listen).with_context(|| format!("listening on {listen}"))?;
    let bound = listener
        .local_addr()
        .context("asking for the address listened on")?;
    let url = dashboard_url(bound, &settings.base_path);
    let daemon = start_daemon(config, pages)?;
    // Who reads this line may send a signal at once.
    let ready = || println!("Dashboard: {url}");
    let stopping = || {
        if let Some(daemon) = &daemon {
            daemon.handle().stop();
        }
    };
    let server = Server::new(settings, sources);
    run_until_signal(listener, server, ready, stopping).context("serving")?;
    if let Some(daemon) = daemon {
        daemon.handle().stop();
        if !daemon.join(END_TIMEOUT) {
            tracing::warn!("a run is left unfinished; the next one goes on from what is durable");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Fetches mail where there are mailboxes; a data folder that is filled otherwise is left alone.
fn start_daemon(config: &Config, pages: Pages) -> anyhow::Result<Option<Daemon>> {
    if config.inboxes.is_empty() {
        return Ok(None);
    }
    let folders = Folders::new(&config.app.data_dir);
    let settings = daemon::Settings {
        inboxes: config.inboxes.clone(),
        timezone: config.app.timezone.clone(),
        store: store_config(config, &folders.database())?,
        folders,
        pages,
        heartbeat: config.notify.heartbeat_url.clone(),
        min_free_bytes: config.app.min_free_disk_bytes,
        time: Arc::new(daemon::System),
    };
    daemon::start(settings).map(Some)
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

/// The state of the ledger file when it was last read, and what was found.
type LastRead = (Option<(u64, SystemTime)>, Option<DateTime<Utc>>);

/// The end of the last run in the ledger; reads it again only when the file changed, because a widget asks every few
/// seconds.
fn last_check(folder: PathBuf) -> LastCheck {
    let last = Mutex::new((None, None));
    Arc::new(move || {
        let state = file_state(&folder.join("events.jsonl"))?;
        let mut last: std::sync::MutexGuard<'_, LastRead> =
            last.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_none() {
            return Ok(None);
        }
        if last.0 != state {
            let (entries, _) = Ledger::open(&folder)
                .and_then(|ledger| ledger.read(None))
                .context("reading the ledger")?;
            *last = (state, last_run_end(&entries));
        }
        Ok(last.1)
    })
}

/// Size and time of the file; `None` before it exists.
fn file_state(path: &Path) -> anyhow::Result<Option<(u64, SystemTime)>> {
    match std::fs::metadata(path).and_then(|meta| Ok((meta.len(), meta.modified()?))) {
        Ok(state) => Ok(Some(state)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).context("looking at the ledger"),
    }
}

fn last_run_end(entries: &[Entry]) -> Option<DateTime<Utc>> {
    let ends = entries
        .iter()
        .rev()
        .filter(|entry| matches!(entry.event, Event::RunFinished(_)));
    ends.map(|entry| DateTime::from_timestamp(entry.at_utc_secs, 0))
        .next()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::RunResult;

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

    #[test]
    fn the_last_check_is_the_end_of_the_last_run() {
        let run = Event::RunFinished(RunResult::default());
        let other = Event::AsOfAdvanced {
            as_of: Default::default(),
        };
        let entry = |seq, event: &Event| Entry {
            seq,
            at_utc_secs: seq as i64 * 100,
            event: event.clone(),
        };
        for (entries, expect) in [
            (vec![], None),
            (vec![entry(1, &other)], None),
            (
                vec![entry(1, &run), entry(2, &run), entry(3, &other)],
                DateTime::from_timestamp(200, 0),
            ),
        ] {
            assert_eq!(last_run_end(&entries), expect);
        }
    }

    #[test]
    fn a_run_that_ends_while_the_server_runs_is_seen() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("ledger");
        let last_check = last_check(folder.clone());
        assert_eq!(last_check().unwrap(), None, "before the first run");
        let ledger = Ledger::open(&folder).unwrap();
        for at_utc_secs in [100, 200] {
            ledger
                .append(at_utc_secs, &[Event::RunFinished(RunResult::default())])
                .unwrap();
            assert_eq!(
                last_check().unwrap(),
                DateTime::from_timestamp(at_utc_secs, 0)
            );
        }
    }
}

//! The real server on a loopback port, a hand-made generation, and a client that writes raw bytes.

mod connections;
mod credentials;
mod desk;
mod generations;
mod paths;
mod requests;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::model::alert::Action;
use crate::model::hex::hex;
use crate::publish::{FileEntry, Manifest, Values};
use crate::render::alerts::AlertQuestion;
use crate::render::homepage::{DomainTotals, Homepage};

/// A report without a static page, known to the injected function.
const OLDER: &str = "ffffffffffffffffffffffffffffffff";

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

pub(crate) fn manifest(generation: u64, files: BTreeMap<String, FileEntry>) -> Manifest {
    let values = Values {
        expired_before: None,
        archive_position: 7,
        alert_seq: 0,
        hosts_hash: String::new(),
        ledger_offset: 0,
        as_of: noon().date_naive(),
        config_hash: "0".repeat(64),
        code_hash: "0".repeat(64),
    };
    Manifest {
        format: 1,
        generation,
        values,
        database_bytes: None,
        files,
    }
}

/// A public folder in a temporary one.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("public/releases")).unwrap();
        Self { folder }
    }

    /// Generation 1 with a page, an asset, homepage JSON and a query.
    fn published() -> Self {
        let site = Self::empty();
        let homepage = serde_json::to_vec(&Homepage::default()).unwrap();
        let domain = serde_json::to_vec(&DomainTotals::default()).unwrap();
        site.publish(
            1,
            &[
                ("site/overview.html", b"<h1>one</h1>".as_slice()),
                ("site/domains/example.com.html", b"<h1>example.com</h1>"),
                ("site/assets/app.css", b"body{}"),
                ("site/queries/panels/trend.sql", b"select 1"),
                ("site/api/homepage.json", &homepage),
                ("site/api/homepage/example.com.json", &domain),
                ("site/api/domains.json", b"[]"),
                ("sentinel.duckdb", b"DUCK"),
            ],
        );
        site
    }

    fn public(&self) -> PathBuf {
        self.folder.path().join("public")
    }

    fn release(&self, number: u64) -> PathBuf {
        self.public().join(format!("releases/{number}"))
    }

    /// Writes a generation and flips the link as publishing does: by one rename.
    fn publish(&self, number: u64, files: &[(&str, &[u8])]) {
        let dir = self.release(number);
        let mut entries = BTreeMap::new();
        for (path, content) in files {
            fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
            fs::write(dir.join(path), content).unwrap();
            let sha256 = hex(&Sha256::digest(content));
            let bytes = content.len() as u64;
            entries.insert(path.to_string(), FileEntry { sha256, bytes });
        }
        let manifest = serde_json::to_string(&manifest(number, entries)).unwrap();
        fs::write(dir.join("manifest.json"), manifest).unwrap();
        self.flip(number);
    }

    fn flip(&self, number: u64) {
        let next = self.public().join("next");
        symlink(format!("releases/{number}"), &next).unwrap();
        fs::rename(next, self.public().join("current")).unwrap();
    }

    fn sources(&self) -> Sources {
        Sources {
            public_dir: self.public(),
            older_report: Arc::new(|_, id, form| {
                Ok((id == OLDER).then(|| format!("{form:?} of {id}").into_bytes()))
            }),
            last_check: Arc::new(|| Ok(Some(noon()))),
            error_page: Arc::new(|status, code| {
                (status == 404).then(|| format!("<h1>{code}</h1>").into_bytes())
            }),
            desk: Arc::new(desk::FakeDesk::default()),
            alerts: Arc::new(NoAlerts),
            inboxes_page: Arc::new(|view| {
                let (mailboxes, jobs) = (view.standing.mailboxes.len(), view.jobs.map(<[_]>::len));
                let (asked, refused, refresh) = (view.asked, view.refused, view.may_refresh);
                let text = format!(
                    "mailboxes {mailboxes}, jobs {jobs:?}, asked {asked:?}, refused {refused:?}, refresh {refresh}"
                );
                Ok(text.into_bytes())
            }),
            now: noon,
        }
    }
}

fn basic_auth() -> Auth {
    with_password("secret").unwrap()
}

fn with_password(password: &str) -> Result<Auth, StartError> {
    let (user_variable, password_variable) = ("DASHBOARD_USERNAME", "DASHBOARD_PASSWORD");
    Auth::basic(Credentials {
        user: "admin",
        password,
        user_variable,
        password_variable,
    })
}

/// A running server.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(config: ServeConfig, sources: Sources) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = Arc::new(Server::new(config, sources));
        let task = tokio::spawn(run(
            listener,
            server,
            async move { stopped.await.unwrap_or(()) },
        ));
        Self {
            address,
            stop,
            task,
        }
    }

    /// Over `site`, with a password.
    async fn over(site: &Site) -> Self {
        Self::start(ServeConfig::new(basic_auth()), site.sources()).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes as they are and reads all that comes back.
    async fn raw(&self, request: impl AsRef<[u8]>) -> Reply {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.unwrap();
        read_reply(&mut stream).await
    }

    /// A request with more header lines (each with its line end), on a connection of its own.
    async fn ask(&self, method: &str, path: &str, headers: &str) -> Reply {
        self.raw(format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        ))
        .await
    }

    /// GET with the right credentials.
    async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &login()).await
    }
}

/// The header line of the right credentials.
fn login() -> String {
    basic("admin:secret")
}

fn basic(pair: &str) -> String {
    format!(
        "Authorization: Basic {}\r\n",
        base64::engine::general_purpose::STANDARD.encode(pair)
    )
}

/// A response, taken apart.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Reads to the end of the connection; a hang is a failure of the test, not of the build.
async fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes));
    read.await.expect("the connection ends").unwrap();
    take_apart(&bytes)
}

fn take_apart(bytes: &[u8]) -> Reply {
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a whole head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_string()))
        .collect();
    Reply {
        status,
        headers,
        body: bytes[end + 4..].to_vec(),
    }
}

/// Nobody did anything with an alert.
struct NoAlerts;

impl AlertDesk for NoAlerts {
    fn list(&self, _: Option<&AlertQuestion>, _: AlertForm) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn one(&self, _: &str, _: AlertForm) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn drawn(&self, _: &str, _: AlertForm, _: Option<&str>) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn act(&self, _: &str, _: Action, _: Option<&str>) -> Result<(), Undone> {
        Err(Undone::Unknown)
    }
}

//! Mailboxes and jobs over HTTP, with a desk that is made up.

use std::sync::Mutex;

use super::*;
use crate::model::standing::{Folder, Health, Job, JobState, Mailbox, Standing};

const JOBS: &str = "/api/admin/import-jobs";
const PROCESS_NOW: &str = "/api/admin/import-jobs/process-now";
const BACKLOG: &str = "/api/admin/import-jobs/backlog";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

/// Takes on everything for the inbox `reports`, and remembers it.
#[derive(Default)]
pub(super) struct FakeDesk {
    pub(super) standing: Standing,
    asked: Mutex<Vec<String>>,
    is_without_mailbox: bool,
    is_broken: bool,
}

impl Desk for FakeDesk {
    fn standing(&self) -> Standing {
        self.standing.clone()
    }

    fn jobs(&self, most: usize) -> anyhow::Result<Jobs> {
        anyhow::ensure!(!self.is_broken, "the ledger is damaged");
        assert!(most >= 50);
        Ok(Jobs {
            newest: vec![job()],
            total: 7,
        })
    }

    fn job(&self, id: &str) -> anyhow::Result<Option<Job>> {
        Ok((id == "job-1").then(job))
    }

    fn ask(&self, kind: Kind, parameters: BTreeMap<String, String>) -> Result<String, Declined> {
        if self.is_broken {
            return Err(Declined::Failed(anyhow::anyhow!("the ledger is damaged")));
        }
        if self.is_without_mailbox {
            return Err(Declined::NoMailbox("No mailbox is configured".into()));
        }
        match parameters.get("inbox").map(String::as_str) {
            None | Some("reports") => {}
            Some("busy") => return Err(Declined::Busy("100 jobs wait already".into())),
            Some(_) => return Err(Declined::Value("`inbox` names no mailbox".into())),
        }
        let words = parameters
            .iter()
            .map(|(key, value)| format!(" {key}={value}"));
        let words: String = words.collect();
        self.asked
            .lock()
            .unwrap()
            .push(format!("{}{words}", kind.as_str()));
        Ok("job-1".into())
    }
}

fn job() -> Job {
    Job {
        id: "job-1".into(),
        kind: "backlog".into(),
        parameters: BTreeMap::from([("inbox".into(), "reports".into())]),
        state: JobState::Running,
        requested: Some(noon()),
        started: Some(noon()),
        duration_ms: 1_500,
        seen: 12,
        wanted: Some(40),
        archived: 10,
        outcomes: [5, 4, 0, 0, 2, 0, 0, 1],
        error: None,
        detail: None,
    }
}

fn standing() -> Standing {
    Standing {
        health: Health::Degraded,
        mailboxes: vec![Mailbox {
            failures: 2,
            last_success: Some(noon()),
            last_error: Some((noon(), "the server refuses the password".into())),
            next_try: Some(noon()),
            folders: vec![Folder {
                name: "DMARC".into(),
                uidvalidity: 7,
                uid: 99,
                messages: 90,
            }],
            ..Mailbox::named("re\"ports")
        }],
        owed_jobs: 1,
        running: Some(job()),
        ..Standing::default()
    }
}

async fn over(site: &Site, desk: FakeDesk) -> (Running, Arc<FakeDesk>) {
    let desk = Arc::new(desk);
    let mut sources = site.sources();
    sources.desk = desk.clone();
    let mut config = ServeConfig::new(basic_auth());
    config.base_url = Some("https://dmarc.example.org".into());
    config.limits.body_timeout = Duration::from_millis(200);
    (Running::start(config, sources).await, desk)
}

impl Running {
    async fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        self.raw(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
        .await
    }
}

#[tokio::test]
async fn a_form_is_led_to_the_page_and_a_program_gets_the_job() {
    let site = Site::empty();
    let (server, desk) = over(&site, FakeDesk::default()).await;
    let login = login();
    let form = format!(
        "{login}{FORM}Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Site: same-origin\r\nOrigin: http://localhost\r\n"
    );
    let reply = server.post(PROCESS_NOW, &form, "").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/inboxes?job=job-1"))
    );
    let json = format!("{login}{JSON}");
    let body = r#"{"inbox":"reports","since":"2024-02-01","limit":5,"dry_run":true}"#;
    let reply = server.post(BACKLOG, &json, body).await;
    assert_eq!((reply.status, &reply.json()["id"]), (202, &"job-1".into()));
    let url = reply.header("location").unwrap();
    assert_eq!(server.get(url).await.json()["id"], "job-1");
    assert_eq!(
        server.post(PROCESS_NOW, &login, "").await.status,
        202,
        "no body, no type"
    );
    let chosen = format!("{login}{FORM}Accept: application/json\r\n");
    assert_eq!(
        server
            .post(PROCESS_NOW, &chosen, "inbox=reports")
            .await
            .status,
        202
    );
    let proxied = format!("{login}{FORM}Origin: https://dmarc.example.org\r\n");
    assert_eq!(server.post(PROCESS_NOW, &proxied, "").await.status, 303);
    let expect = [
        "process-now",
        "backlog dry_run=true inbox=reports limit=5 since=2024-02-01",
        "process-now",
        "process-now inbox=reports",
        "process-now",
    ];
    assert_eq!(*desk.asked.lock().unwrap(), expect);
}

#[tokio::test]
async fn what_another_site_or_a_stranger_asks_for_is_not_done() {
    let site = Site::published();
    let (server, desk) = over(&site, FakeDesk::default()).await;
    let login = login();
    for (headers, status, code) in [
        (FORM.to_owned(), 401, "unauthorized"),
        (
            format!("{}{FORM}", basic("admin:wrong")),
            401,
            "unauthorized",
        ),
        (
            format!("{login}{FORM}Sec-Fetch-Site: cross-site\r\n"),
            403,
            "cross-site",
        ),
        (
            format!("{login}{FORM}Sec-Fetch-Site: same-site\r\n"),
            403,
            "cross-site",
        ),
        (
            format!("{login}{FORM}Origin: https://evil.example\r\n"),
            403,
            "cross-site",
        ),
        (format!("{login}{FORM}Origin: null\r\n"), 403, "cross-site"),
        (
            format!("{login}Content-Type: text/plain\r\n"),
            415,
            "unknown-encoding",
        ),
        (
            format!("{login}Content-Type: multipart/form-data; boundary=x\r\n"),
            415,
            "unknown-encoding",
        ),
    ] {
        for path in [PROCESS_NOW, BACKLOG] {
            let reply = server.post(path, &headers, "inbox=reports").await;
            let found = (reply.status, reply.json()["code"].clone());
            assert_eq!(found, (status, code.into()), "{path} {headers}");
            assert_eq!(reply.header("connection"), Some("close"));
        }
    }
    assert!(desk.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_wrong_is_told_and_a_browser_sees_it_on_the_page() {
    let site = Site::published();
    let (server, desk) = over(&site, FakeDesk::default()).await;
    let form = format!("{}{FORM}", login());
    for (path, body, status, named) in [
        (PROCESS_NOW, "folder=x", 400, "`folder`"),
        (PROCESS_NOW, "inbox=other", 400, "`inbox`"),
        (PROCESS_NOW, "inbox=busy", 503, "100 jobs"),
        (BACKLOG, "", 400, "`inbox`"),
        (BACKLOG, "inbox=reports&limit=some", 400, "`limit`"),
        (BACKLOG, "inbox=reports&since=%3Cscript%3E", 400, "`since`"),
    ] {
        let reply = server.post(path, &form, body).await;
        let message = reply.json()["message"].as_str().unwrap().to_owned();
        assert_eq!(reply.status, status, "{body}");
        assert!(message.contains(named), "{message}");
        let browser = format!("{form}Accept: text/html\r\n");
        let page = server.post(path, &browser, body).await;
        assert_eq!(page.status, status, "{body}");
        assert_eq!(
            page.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(
            page.text(),
            format!(
                "mailboxes 0, jobs Some(1), asked None, refused Some({message:?}), refresh true"
            )
        );
    }
    assert!(desk.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_is_bounded_in_bytes_and_in_time() {
    let site = Site::published();
    let (server, desk) = over(&site, FakeDesk::default()).await;
    let head = format!(
        "POST {PROCESS_NOW} HTTP/1.1\r\nHost: localhost\r\n{}{FORM}",
        login()
    );
    let long = "a".repeat(20_000);
    for (request, status) in [
        (format!("{head}Content-Length: 20000\r\n\r\n"), 413),
        (format!("{head}Content-Length: 20000\r\n\r\n{long}"), 413),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\n4e20\r\n{long}\r\n0\r\n\r\n"),
            413,
        ),
        (format!("{head}Content-Length: 13\r\n\r\ninbox"), 408),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\nno size\r\n"),
            400,
        ),
    ] {
        let reply = server.raw(&request).await;
        let shown = &request[..request.len().min(300)];
        assert_eq!(reply.status, status, "{shown}");
        assert_eq!(reply.header("connection"), Some("close"), "{shown}");
    }
    assert!(desk.asked.lock().unwrap().is_empty());
    let most = format!("inbox=reports&inbox={}", " ".repeat(16 * 1024 - 20));
    assert_eq!(
        server
            .post(PROCESS_NOW, &format!("{}{FORM}", login()), &most)
            .await
            .status,
        303
    );
}

#[tokio::test]
async fn each_route_takes_its_own_methods() {
    let site = Site::published();
    let (server, _) = over(&site, FakeDesk::default()).await;
    for (path, allowed) in [
        (PROCESS_NOW, "POST"),
        (BACKLOG, "POST"),
        (JOBS, "GET, HEAD"),
        ("/api/admin/import-jobs/job-1", "GET, HEAD"),
        ("/inboxes", "GET, HEAD"),
        ("/metrics", "GET, HEAD"),
        ("/health", "GET, HEAD"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            let reply = server.ask(method, path, &login()).await;
            let is_allowed = allowed.split(", ").any(|one| one == method);
            assert_eq!(
                reply.status == 405,
                !is_allowed,
                "{method} {path} {}",
                reply.status
            );
            let told = reply.header("allow");
            assert_eq!(told, (!is_allowed).then_some(allowed), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn without_a_mailbox_or_a_ledger_an_action_says_so() {
    let site = Site::published();
    let without = FakeDesk {
        is_without_mailbox: true,
        ..FakeDesk::default()
    };
    let (server, _) = over(&site, without).await;
    let reply = server.post(PROCESS_NOW, &login(), "").await;
    assert_eq!(
        (reply.status, &reply.json()["code"]),
        (409, &"no-inboxes".into())
    );
    let broken = FakeDesk {
        is_broken: true,
        ..FakeDesk::default()
    };
    let (server, _) = over(&site, broken).await;
    for reply in [
        server.post(PROCESS_NOW, &login(), "").await,
        server.get(JOBS).await,
    ] {
        assert_eq!(reply.status, 500);
        assert!(!reply.text().contains("ledger"), "the cause is for the log");
    }
    let page = server.get("/inboxes").await;
    assert_eq!(
        page.text(),
        "mailboxes 0, jobs None, asked None, refused None, refresh true"
    );
}

#[tokio::test]
async fn jobs_are_told_with_counts_and_progress() {
    let site = Site::empty();
    let (server, _) = over(&site, FakeDesk::default()).await;
    let all = server.get(JOBS).await.json();
    assert_eq!(all["total"], 7);
    let one = server.get("/api/admin/import-jobs/job-1").await.json();
    assert_eq!(all["jobs"][0], one);
    let expect = serde_json::json!({
        "id": "job-1", "kind": "backlog", "parameters": { "inbox": "reports" }, "state": "running",
        "requested_at": "2023-11-14T22:13:20Z", "started_at": "2023-11-14T22:13:20Z", "duration_ms": 1500,
        "counts": {
            "seen": 12, "accepted": 5, "duplicates": 4, "conflicts": 0, "no_traffic": 0, "not_reports": 2,
            "foreign": 0, "expired": 0, "refused": 1,
        },
        "progress": { "archived": 10, "wanted": 40 }, "error": null, "detail": null,
    });
    assert_eq!(one, expect);
    assert_eq!(server.get("/api/admin/import-jobs/job-2").await.status, 404);
    for path in [JOBS, "/inboxes", "/api/status"] {
        assert_eq!(server.ask("GET", path, "").await.status, 401, "{path}");
        assert_eq!(
            server.get(path).await.header("cache-control"),
            Some("no-store"),
            "{path}"
        );
    }
    assert_eq!(
        server.get("/inboxes?job=job-1&x").await.text(),
        "mailboxes 0, jobs Some(1), asked Some(\"job-1\"), refused None, refresh true"
    );
    assert_eq!(
        server.get("/inboxes?refresh=off").await.text(),
        "mailboxes 0, jobs Some(1), asked None, refused None, refresh false"
    );
}

#[tokio::test]
async fn health_says_one_word_and_status_why() {
    for (is_published, health, status, word) in [
        (true, Health::Ok, 200, "ok"),
        (true, Health::Degraded, 200, "degraded"),
        (true, Health::Failing, 503, "failing"),
        (false, Health::Ok, 503, "starting"),
        (false, Health::Degraded, 503, "starting"),
        (false, Health::Failing, 503, "failing"),
    ] {
        let site = if is_published {
            Site::published()
        } else {
            Site::empty()
        };
        let desk = FakeDesk {
            standing: Standing {
                health,
                ..standing()
            },
            ..FakeDesk::default()
        };
        let (server, _) = over(&site, desk).await;
        let reply = server.ask("GET", "/health", "").await;
        assert_eq!(
            (reply.status, reply.text()),
            (status, format!(r#"{{"status":"{word}"}}"#).as_str())
        );
        assert_eq!(server.get("/api/status").await.json()["health"], word);
    }
    let desk = FakeDesk {
        standing: standing(),
        ..FakeDesk::default()
    };
    let site = Site::published();
    let (server, _) = over(&site, desk).await;
    let value = server.get("/api/status").await.json();
    assert_eq!(
        value["reasons"],
        serde_json::json!(["inbox \"re\"ports\" failed 2 time(s) in a row"])
    );
    assert_eq!(value["running_job"]["id"], "job-1");
    assert_eq!(
        (&value["low_disk"], &value["owed_jobs"]),
        (&serde_json::Value::Null, &1.into())
    );
    let expect = serde_json::json!([{
        "name": "re\"ports", "state": "starting", "failures": 2, "last_success_at": "2023-11-14T22:13:20Z",
        "last_error_at": "2023-11-14T22:13:20Z", "last_error": "the server refuses the password",
        "next_try_at": "2023-11-14T22:13:20Z", "is_watched": false, "messages": 90,
        "folders": [{ "folder": "DMARC", "uidvalidity": 7, "uid": 99, "messages": 90 }],
    }]);
    assert_eq!(value["inboxes"], expect);
}

#[tokio::test]
async fn metrics_are_for_the_token_or_the_password() {
    let site = Site::published();
    let mut sources = site.sources();
    sources.desk = Arc::new(FakeDesk {
        standing: standing(),
        ..FakeDesk::default()
    });
    let mut config = ServeConfig::new(basic_auth());
    config.homepage_token = Some(Secret::of(b"t0ken"));
    let server = Running::start(config, sources).await;
    assert_eq!(server.ask("GET", "/metrics", "").await.status, 401);
    let reply = server
        .ask("GET", "/metrics", "Authorization: Bearer t0ken\r\n")
        .await;
    assert_eq!(reply.body, server.get("/metrics").await.body);
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    for line in [
        "# TYPE dmarc_sentinel_health gauge",
        "dmarc_sentinel_health{state=\"degraded\"} 1",
        "dmarc_sentinel_health{state=\"ok\"} 0",
        "dmarc_sentinel_generation 1",
        "dmarc_sentinel_last_run_timestamp_seconds 1700000000",
        "dmarc_sentinel_inbox_failures{inbox=\"re\\\"ports\"} 2",
        "dmarc_sentinel_inbox_up{inbox=\"re\\\"ports\"} 0",
        "dmarc_sentinel_inbox_archived_messages{inbox=\"re\\\"ports\"} 90",
        "dmarc_sentinel_inbox_last_success_timestamp_seconds{inbox=\"re\\\"ports\"} 1700000000",
        "dmarc_sentinel_job_running_messages_wanted 40",
        "dmarc_sentinel_jobs_owed 1",
    ] {
        assert!(
            reply.text().lines().any(|found| found == line),
            "{line}\n{}",
            reply.text()
        );
    }
    let site = Site::empty();
    let empty = Running::over(&site).await;
    let text = empty.get("/metrics").await;
    assert!(
        text.text().contains("health{state=\"starting\"} 1") && !text.text().contains("generation")
    );
}

//! Mailboxes and jobs as people and programs see them and ask for them, over a real mail server and in a real browser.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;

use sentinel::job::lock::RunLock;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::mail_server::MailServer;
use crate::mailbox_fetch::{other_mail, product_of, report_mail};
use crate::product::{Mailbox, Product, until};
use crate::whole_browser::assert_fits;
use crate::whole_serving::Served;

const JOBS: &str = "/api/admin/import-jobs";
const PROCESS_NOW: &str = "/api/admin/import-jobs/process-now";
const BACKLOG: &str = "/api/admin/import-jobs/backlog";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\nSec-Fetch-Site: same-origin\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
/// Nothing comes in unless somebody asks.
const BY_HAND: &str = "    poll_interval: 1h\n    idle: false\n";

fn server_with(reports: u32) -> MailServer {
    let server = MailServer::start();
    server.make_folder("reports", "DMARC");
    for number in 1..=reports {
        server.deliver("reports", "DMARC", &report_mail(number));
    }
    server
}

/// A server whose first look is over.
fn settled(product: &Product, messages: u64) -> Served {
    let served = Served::start(product);
    let settled = until(|| {
        let inbox = served.get("/api/status").json()["inboxes"][0].clone();
        inbox["messages"] == messages && inbox["state"] == "waiting"
    });
    assert!(settled, "{}", served.get("/api/status").text());
    served
}

fn job(served: &Served, id: &str) -> Value {
    served.get(&format!("{JOBS}/{id}")).json()
}

/// The job at its end.
#[track_caller]
fn ended(served: &Served, id: &str) -> Value {
    let is_over = |job: &Value| job["state"] == "done" || job["state"] == "failed";
    assert!(until(|| is_over(&job(served, id))), "{}", job(served, id));
    job(served, id)
}

#[test]
fn a_form_is_led_to_the_page_and_its_job_fetches_what_is_new() {
    let server = server_with(3);
    let product = product_of(&server, BY_HAND);
    let served = settled(&product, 3);
    server.deliver("reports", "DMARC", &report_mail(4));
    server.deliver("reports", "DMARC", &other_mail(5));
    let got = served.ask("POST", PROCESS_NOW, FORM, "inbox=dmarc");
    assert_eq!(got.status, 303, "{}", got.text());
    let location = got.header("location").unwrap();
    let id = location.strip_prefix("/inboxes?job=").unwrap();
    let html = served.get(&location).text();
    assert!(html.contains(&format!("id=\"job-{id}\"")), "{html}");
    assert!(html.contains("role=\"status\""), "{html}");
    let job = ended(&served, id);
    let parameters = json!({ "inbox": "dmarc" });
    assert_eq!(
        (&job["kind"], &job["state"], &job["parameters"]),
        (&"process-now".into(), &"done".into(), &parameters)
    );
    let counts = &job["counts"];
    assert_eq!(
        (&counts["seen"], &counts["accepted"], &counts["not_reports"]),
        (&2.into(), &1.into(), &1.into())
    );
    let is_shown = || {
        let status = served.get("/api/status").json();
        let is_idle = status["owed_jobs"] == 0 && status["running_job"].is_null();
        is_idle && status["inboxes"][0]["messages"] == 5
    };
    assert!(until(is_shown), "{}", served.get("/api/status").text());
    let status = served.get("/api/status").json();
    assert_eq!(
        (&status["health"], &status["owed_jobs"], &status["reasons"]),
        (&"ok".into(), &0.into(), &json!([]))
    );
    let inbox = &status["inboxes"][0];
    assert_eq!(
        (
            &inbox["messages"],
            &inbox["folders"][0]["uid"],
            &inbox["failures"]
        ),
        (&5.into(), &5.into(), &0.into())
    );
    let html = served.get(&location).text();
    assert!(
        !html.contains("http-equiv=\"refresh\""),
        "nothing is going on: {html}"
    );
    // The first run, which nobody asked for, is a job too.
    let jobs = served.get(JOBS).json();
    assert_eq!(
        (&jobs["total"], &jobs["jobs"][1]["kind"]),
        (&2.into(), &"run".into())
    );
}

#[test]
fn a_program_gets_the_name_of_its_job_and_is_told_what_is_wrong() {
    let server = server_with(3);
    let product = product_of(&server, BY_HAND);
    let served = settled(&product, 3);
    let got = served.ask(
        "POST",
        BACKLOG,
        JSON,
        r#"{"inbox":"dmarc","dry_run":true,"reprocess":true,"limit":2}"#,
    );
    assert_eq!(got.status, 202, "{}", got.text());
    let id = got.json()["id"].as_str().unwrap().to_owned();
    let job = ended(&served, &id);
    assert_eq!(job["state"], "done", "{job}");
    assert!(
        job["detail"].as_str().unwrap().starts_with("dry run"),
        "{job}"
    );
    for (path, body, status, named) in [
        (PROCESS_NOW, r#"{"inbox":"other"}"#, 400, "`inbox`"),
        (PROCESS_NOW, r#"{"limit":5}"#, 400, "`limit`"),
        (
            BACKLOG,
            r#"{"inbox":"dmarc","since":"yesterday"}"#,
            400,
            "`since`",
        ),
        (BACKLOG, r#"{"inbox":"dmarc","limit":-1}"#, 400, "`limit`"),
        (BACKLOG, "{", 400, "JSON"),
    ] {
        let got = served.ask("POST", path, JSON, body);
        assert_eq!(got.status, status, "{body}");
        assert!(
            got.json()["message"].as_str().unwrap().contains(named),
            "{}",
            got.text()
        );
        let page = served.ask("POST", path, &format!("{JSON}Accept: text/html\r\n"), body);
        assert_eq!(page.status, status, "{body}");
        assert!(page.text().contains("role=\"alert\"") && page.text().contains("Process now"));
    }
    for headers in [
        "Origin: https://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: null\r\n",
    ] {
        let got = served.ask("POST", PROCESS_NOW, &format!("{JSON}{headers}"), "{}");
        assert_eq!(
            (got.status, &got.json()["code"]),
            (403, &"cross-site".into()),
            "{headers}"
        );
    }
    assert_eq!(
        served.get(JOBS).json()["total"],
        2,
        "nothing else was taken on"
    );
}

#[test]
fn a_job_that_was_asked_for_survives_a_kill() {
    let server = server_with(2);
    let product = product_of(&server, BY_HAND);
    let lock = product.data().join("work/run.lock");
    let lock = RunLock::acquire(&lock, "another run", &mut |_| false).unwrap();
    let served = Served::start(&product);
    assert_eq!(
        served.get("/health").status,
        503,
        "nothing is published yet"
    );
    let page = served.get("/inboxes");
    assert_eq!(page.status, 200, "the page needs no generation");
    let asked = [
        served.ask("POST", PROCESS_NOW, JSON, ""),
        served.ask(
            "POST",
            BACKLOG,
            JSON,
            r#"{"inbox":"dmarc","folder":"DMARC"}"#,
        ),
    ];
    let ids = asked.map(|got| got.json()["id"].as_str().unwrap().to_owned());
    for id in &ids {
        assert_eq!(job(&served, id)["state"], "waiting");
    }
    // The same wish while one waits is that one.
    let again = served.ask("POST", PROCESS_NOW, JSON, "");
    assert_eq!(again.json()["id"], ids[0].as_str());
    let page = served.get("/inboxes").text();
    assert!(page.contains("http-equiv=\"refresh\""), "{page}");
    let page = served.get("/inboxes?refresh=off").text();
    assert!(!page.contains("http-equiv=\"refresh\""), "{page}");
    // Without a word of farewell.
    drop(served);
    drop(lock);
    let served = Served::start(&product);
    for id in &ids {
        assert_eq!(ended(&served, id)["state"], "done", "{}", job(&served, id));
    }
    assert!(until(
        || served.get("/api/status").json()["inboxes"][0]["messages"] == 2
    ));
    assert_eq!(served.get("/health").text(), "{\"status\":\"ok\"}");
}

#[test]
fn without_a_mailbox_the_page_says_how_to_get_one_and_lists_what_was_read() {
    let (mailbox, product) = (Mailbox::invented(10, 3), Product::new());
    product.ingest(&mailbox, &mailbox.names);
    let served = Served::start(&product);
    let page = served.get("/inboxes").text();
    assert!(
        page.contains("No mailbox is configured") && !page.contains("<form"),
        "{page}"
    );
    let jobs = served.get(JOBS).json();
    assert_eq!(
        (&jobs["total"], &jobs["jobs"][0]["kind"]),
        (&1.into(), &"ingest".into())
    );
    assert!(page.contains(jobs["jobs"][0]["id"].as_str().unwrap()));
    let got = served.ask("POST", PROCESS_NOW, JSON, "");
    assert_eq!(
        (got.status, &got.json()["code"]),
        (409, &"no-inboxes".into())
    );
    assert_eq!(served.get("/api/status").json()["inboxes"], json!([]));
}

/// Claims of the text format: every sample belongs to the family above it, no family and no sample comes twice.
fn check_metrics(text: &str) {
    let (mut families, mut samples) = (BTreeSet::new(), BTreeSet::new());
    let mut family = "";
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ').unwrap().0;
            assert!(families.insert(family), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{family} gauge"));
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
            assert_eq!(name, family, "{line}");
            assert!(
                labels.ends_with('}') && name.starts_with("dmarc_sentinel_"),
                "{line}"
            );
            assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
            assert!(samples.insert(sample), "{line}");
        }
    }
}

#[test]
fn metrics_are_well_formed_and_tell_of_mailboxes_and_domains() {
    let server = server_with(3);
    let product = product_of(&server, BY_HAND);
    let served = settled(&product, 3);
    let text = served.get("/metrics").text();
    check_metrics(&text);
    for line in [
        "dmarc_sentinel_health{state=\"ok\"} 1",
        "dmarc_sentinel_inbox_up{inbox=\"dmarc\"} 1",
        "dmarc_sentinel_inbox_archived_messages{inbox=\"dmarc\"} 3",
        "dmarc_sentinel_inbox_position{inbox=\"dmarc\",folder=\"DMARC\"} 3",
        "dmarc_sentinel_archive_items 3",
        "dmarc_sentinel_jobs_owed 0",
        "dmarc_sentinel_run_failures 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    for start in [
        "dmarc_sentinel_generation ",
        "dmarc_sentinel_inbox_last_success_timestamp_seconds{inbox=\"dmarc\"} 1",
        "dmarc_sentinel_domain_messages{domain=\"example.com\"} ",
    ] {
        assert!(
            text.lines().any(|found| found.starts_with(start)),
            "{start}\n{text}"
        );
    }
}

#[test]
fn the_page_of_a_mailbox_that_fails_fits_a_phone_and_a_desk() {
    let name = "W".repeat(60);
    let yaml = format!(
        "inboxes:\n  - name: {name}\n    host: 127.0.0.1\n    port: 1\n    tls: none\n    username: reports\n    \
         password_env: IMAP_PASSWORD\n    folders: [DMARC]\n"
    );
    let product = Product::with_config(&yaml);
    let served = Served::start(&product);
    assert!(until(
        || served.get("/api/status").json()["inboxes"][0]["state"] == "failing"
    ));
    let id = served.ask("POST", PROCESS_NOW, JSON, "").json()["id"].clone();
    let failed = ended(&served, id.as_str().unwrap());
    assert_eq!(failed["state"], "failed");
    assert!(until(
        || served.get("/health").text() == "{\"status\":\"failing\"}"
    ));
    let page = served.get("/inboxes").text();
    assert!(page.contains("failing") && page.contains(&name));
    let open = page.replace("<details ", "<details open ");
    let refused = served.ask(
        "POST",
        BACKLOG,
        FORM,
        &format!("inbox={name}&limit={}", "9".repeat(300)),
    );
    let style = include_str!("../templates/assets/style.css");
    assert_fits(
        &product,
        style,
        &[("failing", open), ("refused", refused.text())],
    );
}

#[test]
fn the_button_in_a_browser_has_new_mail_fetched() {
    let server = server_with(1);
    let product = product_of(&server, BY_HAND);
    let served = settled(&product, 1);
    server.deliver("reports", "DMARC", &report_mail(2));
    let mut browser = Browser::at(&format!("http://{}/inboxes", served.address));
    browser.wait_for(
        "document.readyState == 'complete' && document.querySelector('form.act button') != null",
    );
    browser.look("document.querySelector('form.act button').click()");
    // A browser that does not say where a form comes from would be refused.
    browser.wait_for("location.pathname == '/inboxes' && location.search.startsWith('?job=')");
    let id = browser.look("location.search.slice('?job='.length)");
    let job = ended(&served, id.as_str().unwrap());
    assert_eq!(
        (&job["kind"], &job["counts"]["accepted"]),
        (&"process-now".into(), &1.into())
    );
    // The page loads itself anew until it is over.
    browser.wait_for("document.querySelector('tr.asked .badge').innerText == 'done'");
    browser.look("document.querySelector('details').open = true");
    browser.look("document.getElementById('b-limit').value = 1; document.getElementsByName('dry_run')[0].checked = true");
    browser.look("document.querySelector('form.fields button').click()");
    browser.wait_for(&format!(
        "location.search.startsWith('?job=') && location.search != '?job=' + {id}"
    ));
    let id = browser.look("location.search.slice('?job='.length)");
    let job = ended(&served, id.as_str().unwrap());
    assert_eq!(
        job["parameters"],
        json!({ "inbox": "dmarc", "limit": "1", "dry_run": "true" })
    );
    assert_eq!(job["state"], "done", "{job}");
    let log = fs::read_to_string(server.path("dovecot.log")).unwrap_or_default();
    assert!(!log.contains("Panic"), "{log}");
}

//! What is published, and what happens when it changes.

use super::*;

#[tokio::test]
async fn a_new_generation_appears_without_a_restart() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let mut stream = server.connect().await;
    let request = format!("GET /overview HTTP/1.1\r\nHost: a\r\n{}\r\n", login());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = Vec::new();
    while !first.ends_with(b"<h1>one</h1>") {
        assert!(
            stream.read_buf(&mut first).await.unwrap() > 0,
            "the first answer ends"
        );
    }
    site.publish(2, &[("site/overview.html", b"<h1>two</h1>")]);
    fs::remove_dir_all(site.release(1)).unwrap();
    // The same connection, which was opened under the old one.
    let last = request.replace("Host: a\r\n", "Host: a\r\nConnection: close\r\n");
    stream.write_all(last.as_bytes()).await.unwrap();
    assert_eq!(read_reply(&mut stream).await.text(), "<h1>two</h1>");
    assert_eq!(
        server.get("/assets/app.css").await.status,
        404,
        "the new manifest does not name it"
    );
    assert_eq!(server.get("/api/status").await.json()["generation"], 2);
}

#[tokio::test]
async fn the_same_number_published_anew_is_read_anew() {
    let site = Site::published();
    let server = Running::over(&site).await;
    assert_eq!(server.get("/overview").await.text(), "<h1>one</h1>");
    fs::remove_dir_all(site.release(1)).unwrap();
    site.publish(1, &[("site/overview.html", b"<h1>after a rebuild</h1>")]);
    assert_eq!(
        server.get("/overview").await.text(),
        "<h1>after a rebuild</h1>"
    );
}

#[tokio::test]
async fn before_the_first_generation_the_server_says_so() {
    let site = Site::empty();
    let server = Running::over(&site).await;
    let health = server.ask("GET", "/health", "").await;
    assert_eq!(
        (health.status, health.text()),
        (503, r#"{"status":"starting"}"#)
    );
    for path in ["/overview", "/api/homepage", &format!("/reports/{OLDER}")] {
        let reply = server.get(path).await;
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (503, Some("10")),
            "{path}"
        );
    }
    assert_eq!(server.get("/api/status").await.json()["status"], "starting");
    let style = server.get("/assets/style.css").await;
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    assert_eq!(server.get("/assets/app.css").await.status, 503);
    site.publish(1, &[("site/overview.html", b"<h1>first</h1>")]);
    assert_eq!(server.get("/overview").await.text(), "<h1>first</h1>");
    let style = server.get("/assets/style.css").await;
    assert_eq!(
        style.status, 404,
        "now the manifest alone says what there is"
    );
    let health = server.ask("GET", "/health", "").await;
    assert_eq!((health.status, health.text()), (200, r#"{"status":"ok"}"#));
}

#[tokio::test]
async fn a_damaged_manifest_is_an_error_not_an_empty_site() {
    let site = Site::published();
    let server = Running::over(&site).await;
    for damage in ["", "{", "[]", r#"{"generation":1}"#] {
        fs::write(site.release(1).join("manifest.json"), damage).unwrap();
        assert_eq!(server.get("/overview").await.status, 500, "{damage:?}");
        let health = server.ask("GET", "/health", "").await;
        assert_eq!(
            (health.status, health.text()),
            (503, r#"{"status":"failing"}"#),
            "{damage:?}"
        );
    }
}

#[tokio::test]
async fn status_tells_generation_day_position_and_age() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let value = server.get("/api/status").await.json();
    for (key, expect) in [
        ("status", serde_json::json!("ok")),
        ("generation", 1.into()),
        ("as_of", "2023-11-14".into()),
        ("archive_position", 7.into()),
        ("last_check_at", "2023-11-14T22:13:20Z".into()),
    ] {
        assert_eq!(value[key], expect, "{key}");
    }
    assert!(value["age_secs"].is_u64());
}

#[tokio::test]
async fn the_homepage_carries_the_last_check_under_its_own_etag() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let reply = server.get("/api/homepage").await;
    assert_eq!(reply.json()["last_check_at"], "2023-11-14T22:13:20Z");
    let etag = format!("\"{}\"", hex(&Sha256::digest(&reply.body)));
    assert_eq!(reply.header("etag"), Some(etag.as_str()));
    let again = server
        .ask(
            "GET",
            "/api/homepage",
            &format!("{}If-None-Match: {etag}\r\n", login()),
        )
        .await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn a_failed_older_report_is_an_error_not_a_missing_page() {
    let site = Site::published();
    let mut sources = site.sources();
    sources.older_report = Arc::new(|_, _, _| Err(anyhow::anyhow!("the lake cannot be read")));
    let server = Running::start(ServeConfig::new(basic_auth()), sources).await;
    let reply = server.get(&format!("/reports/{OLDER}")).await;
    assert_eq!(reply.status, 500);
    assert!(!reply.text().contains("lake"), "the cause is for the log");
}

#[tokio::test]
async fn slow_older_reports_are_told_to_come_back_and_keep_nobody_else_out() {
    let site = Site::published();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let mut sources = site.sources();
    sources.older_report = Arc::new(move |_, _, _| {
        // Until the test ends: the sender is dropped then.
        let _ = wait.lock().unwrap().recv();
        Ok(None)
    });
    let mut config = ServeConfig::new(basic_auth());
    config.limits.older_report_timeout = Duration::from_millis(50);
    let server = Running::start(config, sources).await;
    for _ in 0..4 {
        let reply = server.get(&format!("/api/reports/{OLDER}")).await;
        assert_eq!(
            (reply.status, reply.json()["code"].as_str()),
            (503, Some("busy"))
        );
    }
    assert_eq!(server.get("/overview").await.status, 200);
    drop(release);
}

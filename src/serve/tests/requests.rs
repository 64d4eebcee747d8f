//! Paths, conditions, methods and headers.

use super::*;

#[tokio::test]
async fn each_path_gets_its_status_type_and_content() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let older = format!("/reports/{OLDER}");
    let older_json = format!("/api/reports/{OLDER}");
    let html = "text/html; charset=utf-8";
    for (path, status, content_type, content) in [
        ("/overview", 200, html, "<h1>one</h1>"),
        ("/overview?x=/../y", 200, html, "<h1>one</h1>"),
        ("/domains/example.com", 200, html, "<h1>example.com</h1>"),
        ("/domains/EXAMPLE.com", 200, html, "<h1>example.com</h1>"),
        ("/assets/app.css", 200, "text/css; charset=utf-8", "body{}"),
        (
            "/queries/panels/trend.sql",
            200,
            "text/plain; charset=utf-8",
            "select 1",
        ),
        ("/api/domains", 200, "application/json", "[]"),
        (
            &older,
            200,
            html,
            "Page of ffffffffffffffffffffffffffffffff",
        ),
        (
            &older_json,
            200,
            "application/json",
            "Json of ffffffffffffffffffffffffffffffff",
        ),
        ("/", 303, "text/plain; charset=utf-8", ""),
    ] {
        let reply = server.get(path).await;
        assert_eq!((reply.status, reply.text()), (status, content), "{path}");
        assert_eq!(reply.header("content-type"), Some(content_type), "{path}");
        assert_eq!(
            reply.header("content-length"),
            Some(content.len().to_string().as_str()),
            "{path}"
        );
    }
    assert_eq!(server.get("/").await.header("location"), Some("/overview"));
}

#[tokio::test]
async fn nothing_outside_the_manifest_is_served() {
    let site = Site::published();
    fs::write(site.release(1).join("site/unlisted.html"), "no").unwrap();
    fs::write(site.release(1).join("site/assets/unlisted.css"), "no").unwrap();
    let server = Running::over(&site).await;
    for path in [
        "/unlisted",
        "/assets/unlisted.css",
        "/manifest.json",
        "/sentinel.duckdb",
        "/../sentinel.duckdb",
        "/../../public/current/manifest.json",
        "/assets/../../sentinel.duckdb",
        "/assets/%2e%2e/%2e%2e/sentinel.duckdb",
        "/assets/%252e%252e/%252e%252e/sentinel.duckdb",
        "/assets/..%2f..%2fsentinel.duckdb",
        "/assets/..%5c..%5csentinel.duckdb",
        "/assets/%00",
        "/assets/app.css%00.html",
        "/assets//app.css",
        "/assets/",
        "/assets",
        "/overview/",
        "/overview.html",
        "//overview",
        "/%2foverview",
        "/etc/passwd",
        "/reports/0123",
        "/reports/00000000000000000000000000000000",
        "/reports/FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/%2e%2e/overview",
    ] {
        let reply = server.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        let content_type = if path.starts_with("/api") {
            "application/json"
        } else {
            "text/html; charset=utf-8"
        };
        assert_eq!(reply.header("content-type"), Some(content_type), "{path}");
    }
}

#[tokio::test]
async fn errors_under_api_are_json_without_a_key_named_error() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let value = server.get("/api/nothing").await.json();
    assert_eq!(
        (&value["status"], &value["code"]),
        (&404.into(), &"not-found".into())
    );
    assert!(
        value["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert!(value.get("error").is_none());
    assert_eq!(
        server.ask("GET", "/api/domains", "").await.json()["code"],
        "unauthorized"
    );
}

#[tokio::test]
async fn a_link_out_of_the_generation_is_not_followed() {
    let site = Site::published();
    let secret = site.folder.path().join("secret");
    fs::write(&secret, "body{}").unwrap();
    let css = site.release(1).join("site/assets/app.css");
    fs::remove_file(&css).unwrap();
    symlink(&secret, &css).unwrap();
    let server = Running::over(&site).await;
    let reply = server.get("/assets/app.css").await;
    assert_eq!(reply.status, 500);
    assert!(!reply.text().contains("body{}"));
}

#[tokio::test]
async fn a_file_that_is_not_what_the_manifest_says_is_an_error() {
    let site = Site::published();
    for content in ["body{}torn", "bod"] {
        fs::write(site.release(1).join("site/assets/app.css"), content).unwrap();
        let server = Running::over(&site).await;
        assert_eq!(server.get("/assets/app.css").await.status, 500, "{content}");
    }
}

#[tokio::test]
async fn the_etag_is_the_content_hash_and_a_known_one_answers_304() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let first = server.get("/overview").await;
    let etag = first.header("etag").unwrap().to_string();
    assert_eq!(
        etag,
        format!("\"{}\"", hex(&Sha256::digest("<h1>one</h1>")))
    );
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    for (value, status) in [
        (etag.clone(), 304),
        (format!("W/{etag}"), 304),
        (format!("\"other\", {etag}"), 304),
        ("*".to_string(), 304),
        ("\"other\"".to_string(), 200),
    ] {
        for method in ["GET", "HEAD"] {
            let headers = format!("{}If-None-Match: {value}\r\n", login());
            let reply = server.ask(method, "/overview", &headers).await;
            assert_eq!(reply.status, status, "{method} {value}");
            assert_eq!(reply.header("etag"), Some(etag.as_str()));
            assert_eq!(
                reply.body.is_empty(),
                status == 304 || method == "HEAD",
                "{method} {value}"
            );
        }
    }
    let unknown = server
        .ask(
            "GET",
            "/nothing",
            &format!("{}If-None-Match: *\r\n", login()),
        )
        .await;
    assert_eq!(unknown.status, 404);
}

#[tokio::test]
async fn head_gives_the_headers_of_get_and_no_body() {
    let site = Site::published();
    let server = Running::over(&site).await;
    for path in ["/overview", "/api/homepage", "/nothing", "/", "/health"] {
        let get = server.get(path).await;
        let head = server.ask("HEAD", path, &login()).await;
        assert!(head.body.is_empty(), "{path}");
        let headers = |reply: &Reply| {
            let others = reply.headers.iter().filter(|(name, _)| name != "date");
            others.cloned().collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(
            (head.status, headers(&head)),
            (get.status, headers(&get)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_the_ones_that_work() {
    let site = Site::published();
    let server = Running::over(&site).await;
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let reply = server.ask(method, "/overview", &login()).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some("GET, HEAD")),
            "{method}"
        );
    }
    let with_body = format!(
        "POST /overview HTTP/1.1\r\nHost: a\r\n{}Content-Length: 1000000\r\n\r\nabc",
        login()
    );
    let reply = server.raw(with_body).await;
    assert_eq!(
        (reply.status, reply.header("connection")),
        (405, Some("close"))
    );
}

#[tokio::test]
async fn a_body_is_refused_and_the_connection_closed() {
    let site = Site::published();
    let server = Running::over(&site).await;
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        let request = format!(
            "GET /overview HTTP/1.1\r\nHost: a\r\n{}{framing}\r\n\r\n",
            login()
        );
        let reply = server.raw(request).await;
        assert_eq!(
            (reply.status, reply.header("connection")),
            (413, Some("close")),
            "{framing}"
        );
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let known = format!("{}If-None-Match: *\r\n", login());
    for (method, path, headers) in [
        ("GET", "/overview", login()),
        ("GET", "/overview", String::new()),
        ("GET", "/overview", known),
        ("GET", "/nothing", login()),
        ("GET", "/api/nothing", login()),
        ("GET", "/", login()),
        ("GET", "/health", String::new()),
        ("GET", "/api/homepage", login()),
        ("POST", "/overview", login()),
    ] {
        let reply = server.ask(method, path, &headers).await;
        let policy = reply.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
        ] {
            assert_eq!(
                reply.header(name),
                Some(value),
                "{method} {path} {}",
                reply.status
            );
        }
        let cache = reply.header("cache-control").unwrap();
        let expect = if reply.header("etag").is_some() {
            "private, no-cache"
        } else {
            "no-store"
        };
        assert_eq!(cache, expect, "{method} {path}");
    }
}

#[tokio::test]
async fn hostile_heads_are_refused() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let login = login();
    let line = "x".repeat(40_000);
    let many: String = (0..200).map(|n| format!("X-{n}: a\r\n")).collect();
    for (request, status) in [
        (format!("GET /overview HTTP/1.1\r\n{login}\r\n"), 400),
        (
            format!("GET /overview HTTP/1.1\r\nHost: a\r\nHost: b\r\n{login}\r\n"),
            400,
        ),
        (
            format!("GET /overview HTTP/1.1\r\nHost: a b\r\n{login}\r\n"),
            400,
        ),
        (
            format!("GET /overview HTTP/1.1\r\nHost: <script>\r\n{login}\r\n"),
            400,
        ),
        (
            format!("GET /overview HTTP/1.1\r\nHost:\r\n{login}\r\n"),
            400,
        ),
        (
            format!("GET /overview HTTP/1.1\r\nHost: a\r\nX: {line}\r\n\r\n"),
            431,
        ),
        (format!("GET /{line} HTTP/1.1\r\nHost: a\r\n\r\n"), 431),
        (
            format!("GET /overview HTTP/1.1\r\nHost: a\r\n{many}\r\n"),
            431,
        ),
        ("GET /overview HTTP/9.9\r\n\r\n".to_string(), 400),
        ("\u{1}\u{2}\u{3} nonsense\r\n\r\n".to_string(), 400),
        (
            format!(
                "GET http://localhost/overview HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{login}\r\n"
            ),
            200,
        ),
        (format!("GET /overview HTTP/1.0\r\n{login}\r\n"), 200),
    ] {
        let reply = server.raw(&request).await;
        assert_eq!(
            reply.status,
            status,
            "{}",
            &request[..request.len().min(80)]
        );
    }
}

#[tokio::test]
async fn below_a_base_path_every_address_carries_it() {
    let site = Site::published();
    let config = ServeConfig {
        base_path: "/dmarc".into(),
        ..ServeConfig::new(basic_auth())
    };
    let server = Running::start(config, site.sources()).await;
    for (path, status) in [
        ("/dmarc/overview", 200),
        ("/dmarc", 303),
        ("/overview", 404),
        ("/dmarcoverview", 404),
        ("/health", 200),
        ("/dmarc/health", 200),
    ] {
        assert_eq!(server.get(path).await.status, status, "{path}");
    }
    assert_eq!(
        server.get("/dmarc/").await.header("location"),
        Some("/dmarc/overview")
    );
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let site = Site::published();
    let server = Running::over(&site).await;
    let one = format!("GET /overview HTTP/1.1\r\nHost: a\r\n{}\r\n", login());
    let last = format!(
        "GET /nothing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n",
        login()
    );
    let mut stream = server.connect().await;
    stream
        .write_all(format!("{one}{one}{last}").as_bytes())
        .await
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    assert_eq!(text.matches("HTTP/1.1 404 Not Found").count(), 1, "{text}");
}

#[tokio::test]
async fn an_error_page_is_the_given_one_or_a_plain_one() {
    let site = Site::published();
    let server = Running::over(&site).await;
    assert_eq!(server.get("/nothing").await.text(), "<h1>not-found</h1>");
    let plain = server.ask("GET", "/overview", "").await;
    assert!(
        plain.text().contains("<h1>Unauthorized</h1>"),
        "{}",
        plain.text()
    );
}

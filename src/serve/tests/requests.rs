//! Conditions, methods and headers.

use super::*;

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

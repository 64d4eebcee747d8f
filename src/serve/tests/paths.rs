//! Which paths lead where, and which nowhere.

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

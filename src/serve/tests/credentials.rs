//! Who may see what.

use super::*;

#[tokio::test]
async fn each_route_takes_its_own_credentials() {
    let site = Site::published();
    let config = ServeConfig {
        homepage_token: Some(Secret::of(b"t0ken")),
        ..ServeConfig::new(basic_auth())
    };
    let server = Running::start(config, site.sources()).await;
    let bearer = "Authorization: Bearer t0ken\r\n".to_string();
    let wrong_bearer = "Authorization: Bearer token\r\n".to_string();
    let none = String::new();
    for (path, headers, status) in [
        ("/health", &none, 200),
        ("/health", &basic("admin:wrong"), 200),
        ("/overview", &none, 401),
        ("/overview", &login(), 200),
        ("/overview", &basic("admin:wrong"), 401),
        ("/overview", &basic("wrong:secret"), 401),
        ("/overview", &bearer, 401),
        ("/", &none, 401),
        ("/assets/app.css", &none, 401),
        ("/nothing", &none, 401),
        ("/api/nothing", &none, 401),
        ("/api/status", &none, 401),
        ("/api/status", &bearer, 401),
        ("/api/status", &login(), 200),
        ("/api/domains", &bearer, 401),
        ("/api/homepage", &none, 401),
        ("/api/homepage", &bearer, 200),
        ("/api/homepage", &wrong_bearer, 401),
        ("/api/homepage", &login(), 200),
        ("/api/homepage/example.com", &bearer, 200),
        ("/api/homepage/nothing.example", &bearer, 404),
        ("/api/homepage/example.com/more", &bearer, 401),
    ] {
        let reply = server.ask("GET", path, headers).await;
        assert_eq!(reply.status, status, "{path} {headers}");
        let schemes = reply
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate")
            .count();
        let expect = match status {
            401 if path.starts_with("/api/homepage") && !path.ends_with("more") => 2,
            401 => 1,
            _ => 0,
        };
        assert_eq!(schemes, expect, "{path} {headers}");
    }
}

#[tokio::test]
async fn many_failures_of_an_address_are_told_to_wait_even_with_the_right_password() {
    let site = Site::published();
    let mut config = ServeConfig::new(basic_auth());
    config.limits.login_failures = 3;
    let server = Running::start(config, site.sources()).await;
    for _ in 0..3 {
        assert_eq!(
            server
                .ask("GET", "/overview", &basic("admin:guess"))
                .await
                .status,
            401
        );
    }
    let reply = server.get("/overview").await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("60"))
    );
    assert_eq!(
        server.ask("GET", "/overview", "").await.status,
        401,
        "nothing presented, nothing guessed"
    );
    assert_eq!(server.ask("GET", "/health", &login()).await.status, 200);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_address_is_throttled() {
    let site = Site::published();
    let mut config = ServeConfig::new(basic_auth());
    config.limits.login_failures = 1;
    config.is_trusted_proxy = Arc::new(|ip| ip.is_loopback());
    let server = Running::start(config, site.sources()).await;
    let from = |address: &str, pair: &str| format!("X-Forwarded-For: {address}\r\n{}", basic(pair));
    assert_eq!(
        server
            .ask("GET", "/overview", &from("192.0.2.1", "admin:guess"))
            .await
            .status,
        401
    );
    assert_eq!(
        server
            .ask("GET", "/overview", &from("192.0.2.1", "admin:secret"))
            .await
            .status,
        429
    );
    assert_eq!(
        server
            .ask("GET", "/overview", &from("192.0.2.2", "admin:secret"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn without_a_password_only_this_machines_names_are_answered() {
    let site = Site::published();
    let config = ServeConfig {
        public_host: Some("dmarc.example.org".into()),
        ..ServeConfig::new(Auth::Open)
    };
    let server = Running::start(config, site.sources()).await;
    for (host, status) in [
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("dmarc.example.org", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
    ] {
        let reply = server
            .raw(format!(
                "GET /overview HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert_eq!(reply.status, status, "{host}");
    }
}

#[test]
fn a_server_without_credentials_starts_on_loopback_only() {
    for (auth, listen, expect) in [
        (Auth::Open, "127.0.0.1:8000", true),
        (Auth::Open, "[::1]:8000", true),
        (Auth::Open, "0.0.0.0:8000", false),
        (Auth::Open, "192.0.2.1:8000", false),
        (basic_auth(), "0.0.0.0:8000", true),
    ] {
        assert_eq!(
            check_start(&ServeConfig::new(auth), listen.parse().unwrap()).is_ok(),
            expect,
            "{listen}"
        );
    }
}

#[test]
fn a_refused_start_says_the_way_out() {
    let missing = with_password("").err().unwrap().to_string();
    assert!(
        missing.contains("DASHBOARD_PASSWORD") && missing.contains("security.dashboard_auth"),
        "{missing}"
    );
    let open = check_start(&ServeConfig::new(Auth::Open), "0.0.0.0:80".parse().unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        open.contains("127.0.0.1") && open.contains("DASHBOARD_PASSWORD"),
        "{open}"
    );
    let listen = "127.0.0.1:80".parse().unwrap();
    for (base_path, expect) in [
        ("", true),
        ("/a", true),
        ("/a/b-c", true),
        ("a", false),
        ("/", false),
        ("/a/", false),
        ("/a/../b", false),
        ("/a b", false),
        ("/<", false),
    ] {
        let config = ServeConfig {
            base_path: base_path.into(),
            ..ServeConfig::new(basic_auth())
        };
        assert_eq!(
            check_start(&config, listen).is_ok(),
            expect,
            "{base_path:?}"
        );
    }
}

//! The gates before a route: Host, method, body, credentials, other sites. They need no file.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode, Version};

use super::auth::{self, Auth, Door, Verdict};
use super::origin::{self, CrossSite, Sender, check_unsafe};
use super::problem::Problem;
use super::route::Routed;
use super::settings::ServeConfig;
use super::throttle::Throttle;

/// What the gates look at beside the request.
pub(crate) struct Gate<'a> {
    pub(crate) config: &'a ServeConfig,
    pub(crate) throttle: &'a Mutex<Throttle>,
    pub(crate) now_utc: DateTime<Utc>,
}

/// The gates that need no file: Host, method, body, credentials, other sites.
pub(crate) fn admit(
    gate: &Gate<'_>,
    peer: IpAddr,
    head: &Parts,
    has_body: bool,
    routed: &Routed,
) -> Result<(), Problem> {
    let close =
        |problem: Problem| problem.with(header::CONNECTION, HeaderValue::from_static("close"));
    let is_http_11 = head.version == Version::HTTP_11;
    let host = origin::host_of(&head.uri, &head.headers, is_http_11).map_err(|()| {
        close(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-host",
            "The request names no host, or more than one.",
        ))
    })?;
    if matches!(gate.config.auth, Auth::Open) && routed.door() != Door::Public {
        check_open_host(gate.config.public_host.as_deref(), host.as_deref())?;
    }
    let problem = match check_method(head, routed) {
        Ok(()) if routed.is_action() => check_action(gate, peer, head, routed).err(),
        Ok(()) if has_body => Some(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-refused",
            "This request must not have a body.",
        )),
        Ok(()) => return check_credentials(gate, peer, &head.headers, routed),
        Err(problem) => Some(problem),
    };
    match problem {
        None => Ok(()),
        // What was not read would be taken for the next request.
        Some(problem) if has_body => Err(close(problem)),
        Some(problem) => Err(problem),
    }
}

/// Each path takes one kind of method.
fn check_method(head: &Parts, routed: &Routed) -> Result<(), Problem> {
    let is_read = head.method == Method::GET || head.method == Method::HEAD;
    let (is_right, allowed, words) = if routed.is_action() {
        (head.method == Method::POST, "POST", "Only POST works here.")
    } else {
        (is_read, "GET, HEAD", "Only GET and HEAD work here.")
    };
    if is_right {
        return Ok(());
    }
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Err(Problem::new(status, "method-not-allowed", words)
        .with(header::ALLOW, HeaderValue::from_static(allowed)))
}

/// Who may look may act, but not another site in the name of who looks.
fn check_action(
    gate: &Gate<'_>,
    peer: IpAddr,
    head: &Parts,
    routed: &Routed,
) -> Result<(), Problem> {
    check_credentials(gate, peer, &head.headers, routed)?;
    let sender = Sender::of(&head.headers);
    check_unsafe(&head.method, sender, gate.config.base_url.as_deref()).map_err(|CrossSite| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "cross-site",
            "This request was sent by another site. Behind a proxy, app.base_url has to name the address of the \
             dashboard.",
        )
    })
}

/// Without credentials the Host is all that tells our pages from a foreign one that resolves to this machine.
fn check_open_host(public_host: Option<&str>, host: Option<&str>) -> Result<(), Problem> {
    match host {
        Some(host) if origin::is_loopback_name(host) || public_host == Some(host) => Ok(()),
        _ => Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "wrong-host",
            "Without a password the dashboard answers to this machine's own names only.",
        )),
    }
}

fn check_credentials(
    gate: &Gate<'_>,
    peer: IpAddr,
    headers: &HeaderMap,
    routed: &Routed,
) -> Result<(), Problem> {
    let door = routed.door();
    let is_counted = door != Door::Public && auth::presents_credentials(headers);
    let address = origin::client_address(peer, headers, &*gate.config.is_trusted_proxy);
    let now_utc = gate.now_utc;
    let mut throttle = gate.throttle.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(wait_secs) = is_counted
        .then(|| throttle.wait_secs(address, now_utc))
        .flatten()
    {
        let text = "Too many failed logins from this address. Try again in a minute.";
        return Err(
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-failures", text)
                .with(header::RETRY_AFTER, HeaderValue::from(wait_secs)),
        );
    }
    match auth::judge(
        &gate.config.auth,
        gate.config.homepage_token.as_ref(),
        door,
        headers,
    ) {
        Verdict::Allowed => return Ok(()),
        Verdict::Missing => {}
        Verdict::Wrong => throttle.fail(address, now_utc),
    }
    Err(unauthorized(gate.config, door))
}

fn unauthorized(config: &ServeConfig, door: Door) -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "User name and password are needed to see this.",
    );
    if matches!(config.auth, Auth::Basic { .. }) {
        let basic = HeaderValue::from_static("Basic realm=\"DMARC Sentinel\", charset=\"UTF-8\"");
        problem = problem.with(header::WWW_AUTHENTICATE, basic);
    }
    if door == Door::Homepage && config.homepage_token.is_some() {
        let bearer = HeaderValue::from_static("Bearer realm=\"DMARC Sentinel\"");
        problem = problem.with(header::WWW_AUTHENTICATE, bearer);
    }
    problem
}

//! Requests that the program sends, with bounds on time and size. The only user of `reqwest`.

use std::io::{self, Read as _};
use std::net::IpAddr;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use crate::clock;
use crate::tls::Trust;

/// How long a request may take, from its first byte to the last of the answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 64 << 10;

/// All but what RFC 3986 calls unreserved.
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Content, cut at 64 KiB.
    pub body: Vec<u8>,
    /// Header `Retry-After` where it is a number of seconds.
    pub retry_after_secs: Option<u64>,
}

impl Reply {
    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What kept a request from being answered, without the address: that may hold a token.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RequestError(String);

/// Top-level names of networks that the world does not know (RFC 6762, RFC 8375, and by custom).
const OWN_NETWORKS: [&str; 5] = [".local", ".lan", ".internal", ".home.arpa", ".localhost"];

/// Whether a request may be sent there: by `https`, or by `http` within one's own network.
pub fn may_be_asked(url: &str) -> bool {
    if !url.bytes().all(|b| b.is_ascii_graphic()) {
        return false;
    }
    // What the client makes of it counts: it reads numbers as addresses, and decodes what is encoded.
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => {
            url.username().is_empty() && url.password().is_none() && is_own_network(host)
        }
        _ => false,
    }
}

/// Whether a host lies in the network of who runs the program: this machine, a private address (RFC 1918, RFC 4193,
/// link-local), a name without a dot, as containers have them, or one that only such networks know.
fn is_own_network(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(IpAddr::V4(v4)) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        Ok(IpAddr::V6(v6)) => {
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
        }
        Err(_) => !host.contains('.') || OWN_NETWORKS.iter().any(|end| host.ends_with(end)),
    }
}

/// Asks for an address.
pub fn get(trust: &Trust, url: &str) -> Result<Reply, RequestError> {
    send(client(trust)?.get(url))
}

/// Sends a form.
pub fn post_form(trust: &Trust, url: &str, fields: &[(&str, &str)]) -> Result<Reply, RequestError> {
    let body: Vec<String> = fields
        .iter()
        .map(|(name, value)| {
            let [name, value] = [name, value].map(|text| utf8_percent_encode(text, &ENCODED));
            format!("{name}={value}")
        })
        .collect();
    let request = client(trust)?
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .body(body.join("&"));
    send(request)
}

/// Sends JSON with more headers; their values are visible ASCII.
pub fn post_json(
    trust: &Trust,
    url: &str,
    headers: &[(&str, &str)],
    json: &serde_json::Value,
) -> Result<Reply, RequestError> {
    let mut request = client(trust)?
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "application/json");
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| RequestError(format!("the value of {name} is no header")))?;
        // It may be a token: shown nowhere.
        value.set_sensitive(true);
        request = request.header(*name, value);
    }
    send(request.body(json.to_string()))
}

fn client(trust: &Trust) -> Result<Client, RequestError> {
    Client::builder()
        .tls_backend_preconfigured(trust.settings())
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .no_proxy()
        .user_agent(concat!("dmarc-sentinel/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| said(&error))
}

fn send(request: RequestBuilder) -> Result<Reply, RequestError> {
    let began = clock::instant();
    let answer = request.send().map_err(|error| said(&error))?;
    let status = answer.status().as_u16();
    let retry_after = answer.headers().get("retry-after");
    let retry_after_secs = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut answer = answer.take(ANSWER_BYTES);
    let (mut body, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        // Its text may name the address.
        let cut_off = |error: io::Error| format!("the answer was cut off: {}", error.kind());
        match answer.read(&mut piece).map_err(cut_off) {
            Ok(0) => {
                return Ok(Reply {
                    status,
                    body,
                    retry_after_secs,
                });
            }
            Ok(count) => body.extend_from_slice(&piece[..count]),
            Err(words) => return Err(RequestError(words)),
        }
        // The client's time-out is one of each piece.
        if clock::instant().duration_since(began) > TIMEOUT {
            return Err(RequestError("no answer in time".to_owned()));
        }
    }
}

/// The causes of an error; the outermost text names the address.
fn said(error: &reqwest::Error) -> RequestError {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    RequestError(text)
}

//! Requests that carry messages, and what their answers mean.

use std::time::Duration;

use super::fate::{Delivery, Retry, SendError};
use super::harmless::said;
use crate::http::{self, Reply};
use crate::model::secret::FromEnvironment;
use crate::tls::Trust;

/// Nobody is asked for more patience than that.
const LONGEST_WAIT_SECS: u64 = 24 * 60 * 60;

/// A request that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to; may hold a secret.
    pub url: String,
    /// Headers beside those of JSON.
    pub headers: Vec<(&'static str, String)>,
    /// What it carries.
    pub json: serde_json::Value,
    /// What no message may repeat.
    pub secrets: Vec<String>,
}

impl Request {
    /// To an address, with nothing in it yet.
    pub fn new(url: String, json: serde_json::Value) -> Self {
        // Servers like to repeat the path that they were asked for.
        let path = url
            .split_once("://")
            .and_then(|(_, rest)| Some(format!("/{}", rest.split_once('/')?.1)));
        Self {
            secrets: [Some(url.clone()), path].into_iter().flatten().collect(),
            url,
            headers: Vec::new(),
            json,
        }
    }

    /// With a header that holds a secret.
    pub fn with_secret(mut self, name: &'static str, before: &str, secret: &str) -> Self {
        self.headers.push((name, format!("{before}{secret}")));
        self.secrets.push(secret.to_owned());
        self
    }

    /// Sends it; nothing is followed anywhere.
    pub fn send(&self) -> Result<Reply, SendError> {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let reply = http::post_json(&trust(&self.url)?, &self.url, &headers, &self.json);
        reply.map_err(|error| self.unanswered(&error.to_string()))
    }

    /// Sends it and says who took it.
    pub fn deliver(&self) -> Result<Delivery, SendError> {
        let reply = self.send()?;
        self.check(&reply, reply.retry_after_secs)?;
        Ok(Delivery {
            words: format!("taken by {}", host(&self.url)),
        })
    }

    /// What an answer means.
    pub fn check(&self, reply: &Reply, retry_after_secs: Option<u64>) -> Result<(), SendError> {
        if reply.is_success() {
            return Ok(());
        }
        let patience = retry_after_secs.map(|secs| Retry::After(secs.min(LONGEST_WAIT_SECS)));
        let (retry, hint) = match reply.status {
            300..=399 => (
                Retry::NeedsPerson,
                " (it leads elsewhere, and that is not followed: name the right address)",
            ),
            408 | 425 | 429 | 500.. => (patience.unwrap_or(Retry::Soon), ""),
            401 | 403 => (Retry::NeedsPerson, " (is the token right?)"),
            404 | 410 => (Retry::NeedsPerson, " (is the address right?)"),
            _ => (Retry::NeedsPerson, ""),
        };
        let body = String::from_utf8_lossy(&reply.body);
        let body = self.said(&body);
        let said = if body.is_empty() {
            String::new()
        } else {
            format!(": {body}")
        };
        let words = format!("{} answers {}{hint}{said}", host(&self.url), reply.status);
        Err(SendError::new(words, retry))
    }

    fn unanswered(&self, words: &str) -> SendError {
        // Neither a certificate nor a token gets better by itself.
        let is_lasting = ["certificate", "UnknownIssuer", "is no header"]
            .iter()
            .any(|word| words.contains(word));
        let words = format!("{}: {}", host(&self.url), self.said(words));
        if is_lasting {
            SendError::needs_person(words)
        } else {
            SendError::soon(words)
        }
    }

    fn said(&self, words: &str) -> String {
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        said(words, &secrets)
    }
}

/// A secret that has to be there.
pub fn needed(secret: &FromEnvironment) -> Result<&str, SendError> {
    let secret = secret.get();
    secret
        .map(|secret| secret.expose())
        .map_err(|error| SendError::needs_person(error.to_string()))
}

/// Whom a connection to an address trusts; one to this machine needs no authorities.
pub fn trust(url: &str) -> Result<Trust, SendError> {
    let trust = if url.starts_with("http://") {
        Trust::of_nobody()
    } else {
        Trust::new(None)
    };
    trust.map_err(|error| SendError::needs_person(error.to_string()))
}

/// The host of an address; the rest of it may be secret.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

/// Whether something listens there and, where the address wants it, can be trusted; nothing is asked.
pub fn reach(url: &str) -> Result<(), SendError> {
    const TIMEOUT: Duration = Duration::from_secs(10);
    let authority = host(url);
    let is_tls = url.starts_with("https://");
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (authority, Some(if is_tls { 443 } else { 80 })),
    };
    let Some(port) = port else {
        return Err(SendError::needs_person(format!(
            "{authority} is no host and port"
        )));
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let stream = super::connect::connect(name, port, TIMEOUT)?;
    if is_tls {
        let timed = crate::tls::Timed::new(stream, TIMEOUT);
        trust(url)?.connect_timed(name, timed).map_err(|error| {
            SendError::needs_person(format!("{name} cannot be trusted: {error}"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_the_host_is_told() {
        for (url, expect) in [
            ("https://hooks.example/services/T/B/x", "hooks.example"),
            (
                "https://user:pass@hooks.example:8443/x?token=y",
                "hooks.example:8443",
            ),
            ("http://[::1]:80/x", "[::1]:80"),
        ] {
            assert_eq!(host(url), expect);
        }
    }

    #[test]
    fn what_can_be_tried_again_is_told_from_what_cannot() {
        let request = Request::new(
            "https://hooks.example/secret".to_owned(),
            serde_json::Value::Null,
        );
        let asked = |status, retry_after_secs| {
            let reply = Reply {
                status,
                body: b"no, not https://hooks.example/secret".to_vec(),
                retry_after_secs,
            };
            request.check(&reply, retry_after_secs)
        };
        for (status, patience, expect) in [
            (429, Some(7), Retry::After(7)),
            (429, None, Retry::Soon),
            (429, Some(u64::MAX), Retry::After(LONGEST_WAIT_SECS)),
            (503, Some(30), Retry::After(30)),
            (500, None, Retry::Soon),
            (408, None, Retry::Soon),
            (302, None, Retry::NeedsPerson),
            (400, Some(5), Retry::NeedsPerson),
            (401, None, Retry::NeedsPerson),
            (404, None, Retry::NeedsPerson),
        ] {
            let error = asked(status, patience).unwrap_err();
            assert_eq!(error.retry, expect, "{status}");
            assert!(!error.words.contains("secret"), "{error}");
            assert!(error.words.contains(&status.to_string()), "{error}");
        }
        assert_eq!(asked(204, None), Ok(()));
    }
}

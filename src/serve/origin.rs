//! Where a request comes from: a Host that makes sense, the address behind a proxy, and whether an unsafe method was
//! sent by our own pages.

use std::net::IpAddr;

use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::{Method, Uri};

/// The host a request is for, lower case and without its port; `Err` for one that no honest client sends.
pub(crate) fn host_of(
    uri: &Uri,
    headers: &HeaderMap,
    is_http_11: bool,
) -> Result<Option<String>, ()> {
    let mut given = headers.get_all(HOST).iter();
    let first = given.next();
    if given.next().is_some() || (first.is_none() && is_http_11) {
        return Err(());
    }
    let header = first
        .map(|value| value.to_str().map_err(|_| ()))
        .transpose()?;
    match uri
        .authority()
        .map(|authority| authority.as_str())
        .or(header)
    {
        Some(authority) => split_host(authority).map(Some).ok_or(()),
        None => Ok(None),
    }
}

/// `name`, `name:port`, `[v6]`, `[v6]:port` -> the name, lower case.
fn split_host(authority: &str) -> Option<String> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (
                address,
                port.strip_prefix(':').or(port.is_empty().then_some("0"))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "0")),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    let is_good = !host.is_empty() && host.len() <= 255 && host.bytes().all(is_name);
    (is_good && port.parse::<u16>().is_ok()).then(|| host.to_ascii_lowercase())
}

/// The host of an `http` or `https` address as `app.base_url`, lower case and without its port.
pub fn host_of_url(url: &str) -> Option<String> {
    split_host(origin_of(url)?.split_once("://")?.1)
}

/// Whether `host` names this machine to itself.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The address to hold responsible: the peer, or what a trusted proxy says stands behind it.
pub(crate) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    is_trusted: &dyn Fn(IpAddr) -> bool,
) -> IpAddr {
    let forwarded = HeaderName::from_static("x-forwarded-for");
    let lines: Vec<&str> = headers
        .get_all(forwarded)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let mut address = peer;
    // From the nearest hop outwards; everything beyond the first untrusted one is that one's claim.
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_trusted(address) {
            break;
        }
        match hop.trim().parse() {
            Ok(next) => address = next,
            Err(_) => break,
        }
    }
    address
}

/// The headers by which a browser says who sent a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sender<'a> {
    /// `Sec-Fetch-Site`
    pub fetch_site: Option<&'a str>,
    /// `Origin`
    pub origin: Option<&'a str>,
    /// `Host`
    pub host: Option<&'a str>,
}

impl<'a> Sender<'a> {
    /// From the headers of a request; what is not text counts as present and wrong.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let text = |name| {
            headers
                .get(name)
                .map(|value: &hyper::header::HeaderValue| value.to_str().unwrap_or("\u{0}"))
        };
        Self {
            fetch_site: text(HeaderName::from_static("sec-fetch-site")),
            origin: text(ORIGIN),
            host: text(HOST),
        }
    }
}

/// A request with consequences that another site caused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("refused: this request was sent by another site")]
pub struct CrossSite;

/// Refuses an unsafe method from another site: a `Sec-Fetch-Site` other than `same-origin` or `none`, or an `Origin`
/// that is neither `base_url` nor the Host. With neither header (no browser) the credentials suffice.
pub fn check_unsafe(
    method: &Method,
    sender: Sender<'_>,
    base_url: Option<&str>,
) -> Result<(), CrossSite> {
    if method.is_safe() {
        return Ok(());
    }
    if sender
        .fetch_site
        .is_some_and(|site| site != "same-origin" && site != "none")
    {
        return Err(CrossSite);
    }
    let Some(origin) = sender.origin else {
        return Ok(());
    };
    let is_base = base_url
        .and_then(origin_of)
        .is_some_and(|base| base.eq_ignore_ascii_case(origin));
    let is_host = sender.host.is_some_and(|host| {
        let behind = origin
            .strip_prefix("https://")
            .or_else(|| origin.strip_prefix("http://"));
        behind.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    if is_base || is_host {
        Ok(())
    } else {
        Err(CrossSite)
    }
}

/// `https://a.example/path` -> `https://a.example`
fn origin_of(url: &str) -> Option<&str> {
    let after_scheme = url.find("://")? + 3;
    let end = url[after_scheme..]
        .find('/')
        .map_or(url.len(), |slash| after_scheme + slash);
    Some(&url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_split_or_refused() {
        for (authority, expect) in [
            ("Dash.Example.com", Some("dash.example.com")),
            ("dash.example.com:8000", Some("dash.example.com")),
            ("[::1]:8000", Some("::1")),
            ("[::1]", Some("::1")),
            ("", None),
            (":80", None),
            ("a b", None),
            ("a/b", None),
            ("a@b", None),
            ("a<script>", None),
            ("a:99999", None),
            ("a:", None),
            ("[::1", None),
            ("[::1]x", None),
            ("[nope]", None),
        ] {
            assert_eq!(split_host(authority).as_deref(), expect, "{authority:?}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for (host, expect) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com", false),
            ("192.0.2.1", false),
        ] {
            assert_eq!(is_loopback_name(host), expect, "{host}");
        }
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
        let trusted = |ip: IpAddr| ip.is_loopback() || ip == IpAddr::from([198, 51, 100, 1]);
        for (peer, forwarded, expect) in [
            ("127.0.0.1", vec!["192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", vec!["203.0.113.9, 192.0.2.1"], "192.0.2.1"),
            (
                "127.0.0.1",
                vec!["203.0.113.9", "192.0.2.1, 198.51.100.1"],
                "192.0.2.1",
            ),
            ("127.0.0.1", vec!["not an address"], "127.0.0.1"),
            ("127.0.0.1", vec![], "127.0.0.1"),
            ("203.0.113.5", vec!["192.0.2.1"], "203.0.113.5"),
        ] {
            let mut headers = HeaderMap::new();
            for value in &forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let found = client_address(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found.to_string(), expect, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn unsafe_methods_are_taken_from_our_own_pages_only() {
        let host = Some("dash.example.com:8000");
        let base = Some("https://dmarc.example.org/mail");
        for (method, fetch_site, origin, allowed) in [
            (Method::POST, None, None, true),
            (
                Method::POST,
                Some("same-origin"),
                Some("http://dash.example.com:8000"),
                true,
            ),
            (Method::POST, Some("none"), None, true),
            (Method::POST, Some("same-site"), None, false),
            (
                Method::POST,
                Some("cross-site"),
                Some("http://dash.example.com:8000"),
                false,
            ),
            (Method::POST, Some("\u{0}"), None, false),
            (Method::POST, None, Some("https://dmarc.example.org"), true),
            (
                Method::POST,
                Some("same-origin"),
                Some("https://evil.example"),
                false,
            ),
            (Method::POST, None, Some("null"), false),
            (Method::POST, None, Some("http://dash.example.com"), false),
            (
                Method::POST,
                None,
                Some("ftp://dash.example.com:8000"),
                false,
            ),
            (Method::DELETE, Some("cross-site"), None, false),
            (
                Method::GET,
                Some("cross-site"),
                Some("https://evil.example"),
                true,
            ),
            (Method::HEAD, Some("cross-site"), None, true),
        ] {
            let sender = Sender {
                fetch_site,
                origin,
                host,
            };
            let found = check_unsafe(&method, sender, base).is_ok();
            assert_eq!(found, allowed, "{method} {fetch_site:?} {origin:?}");
        }
    }
}

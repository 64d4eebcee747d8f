//! What a request gets: status, content, and the headers that every answer has.

use crate::model::hex::hex;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use sha2::{Digest, Sha256};

/// No script, no frame, no other host.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every answer.
const FIXED_HEADERS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-embedder-policy"),
        "require-corp",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// Pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// JSON, as every route under `/api` answers.
pub(crate) const JSON: &str = "application/json";

/// An answer before the headers that all have in common.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) content: Bytes,
    /// Strong entity tag with its quotes; only what may be revalidated has one.
    pub(crate) etag: Option<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Answer {
    /// Content that may be kept and revalidated, under the hash of its bytes (lower-case hex).
    pub(crate) fn content(content_type: &'static str, content: Vec<u8>, sha256: &str) -> Self {
        let etag = Some(format!("\"{sha256}\""));
        Self {
            status: StatusCode::OK,
            content_type,
            content: content.into(),
            etag,
            headers: Vec::new(),
        }
    }

    /// Content made on request.
    pub(crate) fn made(content_type: &'static str, content: Vec<u8>) -> Self {
        let sha256 = hex(&Sha256::digest(&content));
        Self::content(content_type, content, &sha256)
    }

    /// JSON that is never kept.
    pub(crate) fn state(status: StatusCode, value: &serde_json::Value) -> Self {
        Self::fresh(status, JSON, value.to_string().into_bytes())
    }

    /// Content that is never kept.
    pub(crate) fn fresh(status: StatusCode, content_type: &'static str, content: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            content: content.into(),
            etag: None,
            headers: Vec::new(),
        }
    }

    /// Another address.
    pub(crate) fn redirect(location: &str) -> Self {
        let mut headers = Vec::new();
        if let Ok(value) = HeaderValue::from_str(location) {
            headers.push((header::LOCATION, value));
        }
        let status = StatusCode::SEE_OTHER;
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            content: Bytes::new(),
            etag: None,
            headers,
        }
    }

    /// The response to a request with these headers.
    pub(crate) fn into_response(
        mut self,
        request: &HeaderMap,
        is_head: bool,
    ) -> Response<Full<Bytes>> {
        let is_known = self
            .etag
            .as_deref()
            .is_some_and(|etag| names_etag(request, etag));
        if is_known {
            self.status = StatusCode::NOT_MODIFIED;
        }
        let bytes = self.content.len();
        let body = if is_head || is_known {
            Bytes::new()
        } else {
            self.content
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in FIXED_HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if !is_known {
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(self.content_type),
            );
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
        }
        let cache = if self.etag.is_some() {
            "private, no-cache"
        } else {
            "no-store"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        if let Some(etag) = self.etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
            headers.insert(header::ETAG, etag);
        }
        headers.extend(self.headers);
        response
    }
}

/// The content type of a published file, by its name.
pub(crate) fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "json" => JSON,
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "sql" | "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Whether `If-None-Match` names the tag: a list of strong or weak tags, or `*` (RFC 9110 section 13.1.2).
fn names_etag(request: &HeaderMap, etag: &str) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH).iter();
    lines
        .filter_map(|value| value.to_str().ok())
        .any(|line| line.trim() == "*" || lists_etag(line, etag))
}

/// A comma may stand inside the quotes, so the list is read tag by tag.
fn lists_etag(mut list: &str, etag: &str) -> bool {
    loop {
        list = list.trim_start_matches([' ', '\t', ',']);
        list = list.strip_prefix("W/").unwrap_or(list);
        let Some(end) = list.strip_prefix('"').and_then(|rest| rest.find('"')) else {
            return false;
        };
        let (tag, rest) = list.split_at(end + 2);
        if tag == etag {
            return true;
        }
        list = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_is_read_as_a_list_of_tags() {
        let etag = "\"abc\"";
        for (value, expect) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("\"x\",W/\"abc\" , \"y\"", true),
            ("*", true),
            (" * ", true),
            ("\"a,b\", \"abc\"", true),
            ("abc", false),
            ("\"abcd\"", false),
            ("\"x, abc\"", false),
            ("\"abc", false),
            ("", false),
            (",,,,", false),
            ("w/\"abc\"", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(header::IF_NONE_MATCH, value.parse().unwrap());
            assert_eq!(names_etag(&headers, etag), expect, "{value:?}");
        }
        assert!(!names_etag(&HeaderMap::new(), etag));
    }

    #[test]
    fn only_html_is_served_as_html() {
        for (path, expect) in [
            ("site/overview.html", "text/html; charset=utf-8"),
            ("site/domains/html", "application/octet-stream"),
            ("site/queries/a.sql", "text/plain; charset=utf-8"),
            ("site/api/x.json", "application/json"),
        ] {
            assert_eq!(content_type(path), expect, "{path}");
        }
    }
}

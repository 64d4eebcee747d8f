//! A request that gets no content -> JSON under `/api`, a page elsewhere.

use std::borrow::Cow;

use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};

use super::answer::Answer;
use super::settings::ErrorPage;
use crate::render::escape_into;

/// A request that gets no content, and why.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing at this address.",
        )
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong while reading what was published. The log says more.",
        )
    }

    pub(crate) fn unpublished() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-published",
            "Nothing has been published yet. The dashboard appears after the first run.",
        )
        .with(header::RETRY_AFTER, HeaderValue::from_static("10"))
    }

    pub(crate) fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "The server is busy. Try again in a moment.",
        )
        .with(header::RETRY_AFTER, HeaderValue::from_static("5"))
    }

    /// JSON under `/api`, a page elsewhere.
    pub(crate) fn into_answer(self, is_api: bool, page: &ErrorPage, base_path: &str) -> Answer {
        let status = self.status;
        let mut answer = if is_api {
            // No key named `error`: the homepage widget takes it for a failure of its own.
            let value = serde_json::json!({
                "status": status.as_u16(), "code": self.code, "message": self.message,
            });
            Answer::state(status, &value)
        } else {
            let title = status.canonical_reason().unwrap_or("Error");
            let html = page(status.as_u16(), self.code).unwrap_or_else(|| {
                plain_page(status.as_u16(), title, &self.message, base_path).into_bytes()
            });
            let content = html.into();
            Answer {
                status,
                content_type: "text/html; charset=utf-8",
                content,
                etag: None,
                headers: Vec::new(),
            }
        };
        answer.headers = self.headers;
        answer
    }
}

/// The page for an error that has no better one. Words that others had a part in are answers under `/api` only, but who
/// knows.
fn plain_page(status: u16, title: &str, message: &str, base_path: &str) -> String {
    let mut escaped = String::with_capacity(message.len());
    escape_into(&mut escaped, message);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{status} {title}</title>\n<h1>{title}</h1>\n<p>{escaped}</p>\n\
         <p><a href=\"{base_path}/overview\">Overview</a></p>\n</html>\n"
    )
}

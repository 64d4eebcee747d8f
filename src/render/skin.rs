//! The templates, compiled once, and the files that every page needs. The only caller of tera.

use std::collections::BTreeMap;

use anyhow::Context as _;
use tera::{Context, Tera, Value};

use super::html::{Html, escape_into};

/// Compiled templates, the path prefix of all links and the name of the dashboard.
pub struct Skin {
    tera: Tera,
    base_path: String,
    title: String,
}

/// What surrounds the body of a page.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Name in the browser's tab.
    pub title: String,
    /// The one `h1`.
    pub heading: String,
    /// The line below: what the page covers.
    pub lead: String,
    /// Something to know before reading on.
    pub notice: Option<String>,
    /// Path of the entry of the main navigation that is this page, such as `/overview`.
    pub current: &'static str,
    /// Pages above this one, as path and name.
    pub trail: Vec<(String, String)>,
    /// After so many seconds the page is loaded anew.
    pub refresh_secs: Option<u32>,
    /// The line at the end, where it is not the one about queries.
    pub foot: Option<&'static str>,
}

/// Why the server answers without a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorPage {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 500.
    Internal,
    /// 503: no run has published yet.
    NothingPublished,
}

impl ErrorPage {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Internal => 500,
            Self::NothingPublished => 503,
        }
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Unauthorized => (
                "Sign in",
                "This page needs the user name and password of the dashboard.",
                "",
            ),
            Self::Forbidden => (
                "Not allowed",
                "The request came from another site or lacks a right.",
                "",
            ),
            Self::NotFound => (
                "Page not found",
                "Nothing is published under this address. The overview lists all domains.",
                "",
            ),
            Self::MethodNotAllowed => (
                "Method not allowed",
                "This address does not take that kind of request.",
                "",
            ),
            Self::Internal => (
                "Something went wrong",
                "The server's log says what; the published data is untouched.",
                "",
            ),
            Self::NothingPublished => (
                "Nothing published yet",
                "No run has finished so far. Give the program some report files and reload this page:",
                "sentinel ingest PATH…",
            ),
        }
    }
}

/// Entries of the main navigation: path and name.
const NAVIGATION: [(&str, &str); 7] = [
    ("/overview", "Overview"),
    ("/alerts", "Alerts"),
    ("/overview#domains", "Domains"),
    ("/senders", "Senders"),
    ("/sources", "Sources"),
    ("/intake", "Intake"),
    ("/inboxes", "Inboxes"),
];

/// The line at the end of pages that queries make.
const FOOT: &str = "Every number comes from a query: its “SQL” link shows the text, and the published DuckDB file \
    gives the same answer.";

impl Skin {
    /// Compiles the templates. `base_path` is empty or starts with `/` and does not end with one.
    pub fn new(base_path: &str) -> anyhow::Result<Self> {
        let mut tera = Tera::new();
        // Every template is escaped, whatever its name.
        tera.autoescape_on([""]);
        tera.set_escape_fn(|text, out| {
            let mut escaped = String::with_capacity(text.len());
            escape_into(&mut escaped, text);
            out.write_all(escaped.as_bytes())
        });
        tera.add_raw_templates([
            ("base.html", include_str!("../../templates/base.html")),
            ("page.html", include_str!("../../templates/page.html")),
            ("error.html", include_str!("../../templates/error.html")),
        ])
        .context("compiling the page templates")?;
        Ok(Self {
            tera,
            base_path: base_path.trim_end_matches('/').to_owned(),
            title: "DMARC Sentinel".to_owned(),
        })
    }

    /// The same with another name of the dashboard; an empty one changes nothing.
    pub fn titled(mut self, title: &str) -> Self {
        if !title.trim().is_empty() {
            title.trim().clone_into(&mut self.title);
        }
        self
    }

    /// Prefix of all links: empty, or `/` and a path.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// A whole page around `body`.
    pub fn page(&self, frame: &Frame, body: &Html) -> anyhow::Result<Vec<u8>> {
        let mut context = self.context(&frame.title, frame.current);
        context.insert_value("heading", frame.heading.as_str().into());
        context.insert_value("lead", frame.lead.as_str().into());
        context.insert_value("notice", frame.notice.as_deref().unwrap_or_default().into());
        let trail = frame
            .trail
            .iter()
            .map(|(href, name)| link(href, name, false));
        context.insert_value("trail", trail.collect::<Vec<_>>().into());
        context.insert_value("refresh_secs", frame.refresh_secs.unwrap_or(0).into());
        context.insert_value("foot", frame.foot.unwrap_or(FOOT).into());
        context.insert_value("body", Value::safe_string(body.as_str()));
        self.render("page.html", &context, body.as_str().len())
    }

    /// The page of an error.
    pub fn error_page(&self, error: ErrorPage) -> anyhow::Result<Vec<u8>> {
        let (heading, sentence, command) = error.words();
        let mut context = self.context(heading, "");
        context.insert_value("status", u32::from(error.status()).into());
        context.insert_value("heading", heading.into());
        context.insert_value("sentence", sentence.into());
        context.insert_value("command", command.into());
        self.render("error.html", &context, 0)
    }

    fn context(&self, title: &str, current: &str) -> Context {
        let mut context = Context::new();
        context.insert_value("base", self.base_path.as_str().into());
        context.insert_value("title", title.into());
        context.insert_value("site", self.title.as_str().into());
        let nav = NAVIGATION
            .iter()
            .map(|(href, name)| link(href, name, *href == current));
        context.insert_value("nav", nav.collect::<Vec<_>>().into());
        context.insert_value("refresh_secs", 0_u32.into());
        context.insert_value("foot", FOOT.into());
        context
    }

    fn render(
        &self,
        template: &str,
        context: &Context,
        body_bytes: usize,
    ) -> anyhow::Result<Vec<u8>> {
        let mut page = Vec::with_capacity(body_bytes + 4096);
        self.tera
            .render_to(template, context, &mut page)
            .with_context(|| format!("rendering {template}"))?;
        Ok(page)
    }
}

fn link(href: &str, name: &str, is_current: bool) -> Value {
    let entry: BTreeMap<&'static str, Value> = BTreeMap::from([
        ("href", href.into()),
        ("name", name.into()),
        ("is_current", is_current.into()),
    ]);
    entry.into()
}

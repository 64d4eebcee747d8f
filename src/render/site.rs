//! The pages that are made from the panels of the catalogue.

use super::answers::{Answers, Shown};
use super::html::Html;
use super::panel::{write_panel, write_query_link};
use super::skin::{Frame, Skin};
use super::words;
use super::{Emit, Rows};
use crate::model::day::{Day, days_before};
use crate::model::domain::is_host_name;
use crate::query::{Catalogue, Chart, Value};

/// Days that the panels look back over, `as_of` itself not among them.
pub const WINDOW_DAYS: u64 = 30;

/// Names in `-- panel: page=…` of what is drawn for each domain.
pub const DOMAIN_PAGES: [&str; 4] = [
    "domain",
    "api/domain_summary",
    "api/domain_reports",
    "api/domain_sources",
];

/// What all pages of a generation are made of.
pub struct Site<'a> {
    /// Templates and path prefix.
    pub skin: &'a Skin,
    /// The queries, with their panels.
    pub catalogue: &'a Catalogue,
    /// The day for which things are judged.
    pub as_of: Day,
    /// Domains with data, sorted by name.
    pub domains: &'a [DomainDays],
}

/// A domain with data and its newest day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainDays {
    /// Normalised name; only host names get a page.
    pub name: String,
    /// The newest day with a report.
    pub last_day: Day,
}

impl Site<'_> {
    /// `site/overview.html`.
    pub fn overview(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let mut lead = self.window_words();
        match self.domains.len() {
            0 => {}
            1 => lead.push_str(" · 1 domain"),
            count => lead.push_str(&format!(" · {count} domains")),
        }
        let notice = self.notice(self.domains.iter().map(|domain| domain.last_day).max());
        let frame = frame("Overview", "/overview", lead, notice);
        let answers = self.answers("overview", rows)?;
        self.write_page("overview", &frame, &answers, "site/overview.html", emit)
    }

    /// `site/senders.html`.
    pub fn senders(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let notice = self.notice(self.domains.iter().map(|domain| domain.last_day).max());
        let frame = frame("Senders", "/senders", self.window_words(), notice);
        let answers = self.answers("senders", rows)?;
        self.write_page("senders", &frame, &answers, "site/senders.html", emit)
    }

    /// `site/sources.html`.
    pub fn sources(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let notice = self.notice(self.domains.iter().map(|domain| domain.last_day).max());
        let frame = frame("Sources", "/sources", self.window_words(), notice);
        let answers = self.answers("sources", rows)?;
        self.write_page("sources", &frame, &answers, "site/sources.html", emit)
    }

    /// `site/intake.html`: the fate of every document, over all time.
    pub fn intake(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let lead = "What became of everything that came in".to_owned();
        let frame = frame("Intake", "/intake", lead, None);
        let answers = self.answers("intake", rows)?;
        self.write_page("intake", &frame, &answers, "site/intake.html", emit)
    }

    /// `site/domains/NAME.html` and `site/api/domains/NAME/…` of each domain; nothing for a name that is not a host
    /// name.
    pub fn domains(&self, names: &[&str], rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let names: Vec<&str> = (names.iter().copied())
            .filter(|name| is_host_name(name))
            .collect();
        for (name, answers) in self.domain_answers(&DOMAIN_PAGES, &names, rows)? {
            self.domain(&name, &answers, emit)?;
            self.api_domain(&name, &answers, emit)?;
        }
        Ok(())
    }

    fn domain(&self, name: &str, answers: &Answers, emit: Emit<'_>) -> anyhow::Result<()> {
        let place = self
            .domains
            .binary_search_by(|domain| domain.name.as_str().cmp(name));
        let last_day = place
            .ok()
            .and_then(|at| self.domains.get(at))
            .map(|domain| domain.last_day);
        let mut lead = self.window_words();
        if let Some(day) = last_day {
            lead.push_str(&format!(" · newest report from {}", words::day(day)));
        }
        let mut frame = frame(name, "", lead, self.notice(last_day));
        frame.trail = vec![("/overview#domains".to_owned(), "Domains".to_owned())];
        let path = format!("site/domains/{name}.html");
        self.write_page("domain", &frame, answers, &path, emit)
    }

    fn write_page(
        &self,
        page: &str,
        frame: &Frame,
        answers: &Answers,
        path: &str,
        emit: Emit<'_>,
    ) -> anyhow::Result<()> {
        let mut body = Html::with_capacity(32 * 1024);
        body.raw("<div class=\"panels\">\n");
        let mut has_anchor = page != "overview";
        let (full, empty): (Vec<_>, Vec<_>) =
            (self.shown(page, answers).into_iter()).partition(|shown| !shown.table.rows.is_empty());
        for shown in &full {
            // Before the first report the notice says all; zeros would only hide it.
            if self.domains.is_empty() && shown.panel.chart == Chart::Figures {
                continue;
            }
            let is_domain_list =
                !has_anchor && shown.table.columns.iter().any(|column| column == "domain");
            has_anchor |= is_domain_list;
            let anchor = if is_domain_list { "domains" } else { "" };
            write_panel(&mut body, self.skin.base_path(), shown, anchor);
        }
        if !has_anchor {
            self.write_domain_list(&mut body);
        }
        // Before the first report the notice says all.
        if !self.domains.is_empty() {
            write_empty_panels(&mut body, self.skin.base_path(), &empty);
        }
        body.raw("</div>");
        emit(path, &self.skin.page(frame, &body)?)
    }

    /// The plain list, for a catalogue whose overview has no panel with domains.
    fn write_domain_list(&self, html: &mut Html) {
        html.raw("<section class=\"panel wide\" id=\"domains\" aria-labelledby=\"domains-h\">");
        html.raw("<header><h2 id=\"domains-h\">Domains</h2></header>");
        html.raw(if self.domains.is_empty() {
            "<p class=\"empty\">No domain has data yet.</p>"
        } else {
            "<ul class=\"names\">"
        });
        for domain in self.domains {
            html.raw("<li>");
            super::cell::write_cell(
                html,
                self.skin.base_path(),
                "domain",
                &Value::Text(domain.name.clone()),
            );
            html.raw("</li>");
        }
        html.raw(if self.domains.is_empty() { "" } else { "</ul>" })
            .raw("</section>\n");
    }

    /// `30 days to 2026-11-19`.
    pub(super) fn window_words(&self) -> String {
        format!(
            "{WINDOW_DAYS} days to {}",
            words::day(days_before(self.as_of, 1))
        )
    }

    /// What a reader of an empty page has to know.
    fn notice(&self, last_day: Option<Day>) -> Option<String> {
        let first_shown = days_before(self.as_of, WINDOW_DAYS);
        match last_day {
            None => Some("There is no data yet. Give the program report files or mails: sentinel ingest PATH…".to_owned()),
            Some(day) if day < first_shown => Some(format!(
                "There are no reports in these {WINDOW_DAYS} days. The newest data is from {}.",
                words::day(day)
            )),
            Some(_) => None,
        }
    }
}

/// The panels without rows, in one box at the end: a page of empty boxes would hide what there is.
fn write_empty_panels(html: &mut Html, base_path: &str, empty: &[Shown<'_>]) {
    if empty.is_empty() {
        return;
    }
    html.raw("<section class=\"panel wide\" aria-labelledby=\"nothing-h\"><header>");
    html.raw("<h2 id=\"nothing-h\">Nothing to show</h2></header>");
    html.raw("<p class=\"about\">These have no row in their period.</p><ul class=\"names\">");
    for Shown { query, panel, .. } in empty {
        html.raw("<li class=\"pair\"><span>")
            .text(&panel.title)
            .raw("</span>");
        write_query_link(html, base_path, &query.name, &panel.title);
        html.raw("</li>");
    }
    html.raw("</ul></section>\n");
}

fn frame(title: &str, current: &'static str, lead: String, notice: Option<String>) -> Frame {
    Frame {
        title: title.to_owned(),
        heading: title.to_owned(),
        lead,
        notice,
        current,
        ..Frame::default()
    }
}

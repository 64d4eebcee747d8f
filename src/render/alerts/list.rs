//! The page of all alerts, and its JSON.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::super::cell::write_badge;
use super::super::html::Html;
use super::super::panel::write_query_link;
use super::super::skin::{Frame, Skin};
use super::super::words::grouped;
use super::AlertQuestion;
use crate::model::alert::{Reason, Severity, Status};
use crate::model::day::Day;
use crate::model::domain::is_host_name;
use crate::model::rule_fault::RuleFault;

/// Resolved alerts on the page.
const RESOLVED_SHOWN: usize = 100;

/// What is published of all alerts, or some of them as they stand: `/api/alerts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertList {
    /// The day for which things are judged.
    #[serde(with = "crate::model::day::iso")]
    pub as_of: Day,
    /// How many alerts there are.
    pub total: u64,
    /// How many of them how grave and standing how; only what there is.
    #[serde(default)]
    pub counts: Vec<AlertCount>,
    /// How many there are of those that are asked for; no more than [`super::MOST_ALERTS`] are listed at a time.
    #[serde(default)]
    pub matching: u64,
    /// How many of them come before the first that is listed.
    #[serde(default)]
    pub offset: u64,
    /// What is wrong with rules, those that cannot be asked first.
    #[serde(default)]
    pub rule_faults: Vec<RuleFault>,
    /// Those that want somebody first.
    pub alerts: Vec<Listed>,
}

/// How many alerts of a severity stand so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCount {
    /// How they stand.
    pub status: Status,
    /// How grave they are.
    pub severity: Severity,
    /// How many.
    pub alerts: u64,
}

/// An alert of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Rule that found it.
    pub rule: String,
    /// Policy domain.
    pub domain: Option<String>,
    /// What it is about.
    pub subject: String,
    /// How grave.
    pub severity: Severity,
    /// How it stands.
    pub status: Status,
    /// Why it is resolved.
    pub reason: Option<Reason>,
    /// First day of its evidence.
    #[serde(with = "crate::model::day::iso")]
    pub first_day: Day,
    /// Last day of its evidence.
    #[serde(with = "crate::model::day::iso")]
    pub last_day: Day,
    /// Messages concerned.
    pub messages: i64,
    /// How often it came up.
    pub occurrences: u64,
    /// One line for people.
    pub title: String,
}

impl AlertList {
    /// The bytes of `site/api/alerts.json`.
    pub fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        super::super::json::to_bytes(self)
    }

    /// Sorts as the list is: what wants somebody first.
    pub fn sort(&mut self) {
        self.alerts.sort_by(Listed::before);
    }

    /// How many stand so.
    pub fn count(&self, status: Status) -> u64 {
        let of = self.counts.iter().filter(|count| count.status == status);
        of.fold(0, |sum, count| sum.saturating_add(count.alerts))
    }

    /// How many are open and critical.
    pub fn critical(&self) -> u64 {
        let is_meant = |count: &&AlertCount| {
            count.status == Status::Open && count.severity == Severity::Critical
        };
        let of = self.counts.iter().filter(is_meant);
        of.fold(0, |sum, count| sum.saturating_add(count.alerts))
    }

    /// An alert stands otherwise than when it was counted.
    pub fn recount(&mut self, before: (Status, Severity), now: (Status, Severity)) {
        let place = |count: &AlertCount| (count.status, count.severity);
        if let Some(count) = self.counts.iter_mut().find(|count| place(count) == before) {
            count.alerts = count.alerts.saturating_sub(1);
        }
        match self.counts.iter_mut().find(|count| place(count) == now) {
            Some(count) => count.alerts += 1,
            None => self.counts.push(AlertCount {
                status: now.0,
                severity: now.1,
                alerts: 1,
            }),
        }
        self.counts.retain(|count| count.alerts > 0);
        self.counts
            .sort_by_key(|count| (count.status.as_str(), count.severity.as_str()));
    }
}

impl Listed {
    /// The order of the list: what wants somebody first.
    pub fn before(&self, other: &Self) -> Ordering {
        let rank = |status: Status| Status::ALL.iter().position(|known| *known == status);
        let (a, b) = (self, other);
        (rank(a.status), b.severity, b.last_day, b.messages)
            .cmp(&(rank(b.status), a.severity, a.last_day, a.messages))
            .then_with(|| a.id.cmp(&b.id))
    }
}

/// `/alerts`; with a question, what it asks for.
pub fn list_page(
    skin: &Skin,
    list: &AlertList,
    asked: Option<&AlertQuestion>,
) -> anyhow::Result<Vec<u8>> {
    let mut body = Html::with_capacity(1024 + list.alerts.len() * 512);
    body.raw("<div class=\"panels\">\n");
    write_faults(&mut body, skin.base_path(), &list.rule_faults);
    match asked {
        Some(asked) => write_asked(&mut body, skin.base_path(), list, asked),
        None => write_all(&mut body, skin.base_path(), list),
    }
    body.raw("</div>");
    let frame = Frame {
        title: "Alerts".to_owned(),
        heading: "Alerts".to_owned(),
        lead: format!(
            "{} open, {} of them critical · {} acknowledged · as of {}",
            grouped(int(list.count(Status::Open))),
            grouped(int(list.critical())),
            grouped(int(list.count(Status::Acknowledged))),
            list.as_of
        ),
        current: "/alerts",
        trail: match asked {
            Some(_) => vec![("/alerts".to_owned(), "Alerts".to_owned())],
            None => Vec::new(),
        },
        foot: Some(
            "The same for programs: /api/alerts, and the table alerts of the published database.",
        ),
        ..Frame::default()
    };
    skin.page(&frame, &body)
}

/// All that are listed, by how they stand, and how many are not.
fn write_all(body: &mut Html, base: &str, list: &AlertList) {
    if list.count(Status::Open) == 0 {
        body.raw("<section class=\"panel wide\"><header><h2>Open</h2></header><p class=\"empty\">Nothing wants your attention.</p></section>\n");
    }
    for (status, title, most) in [
        (Status::Open, "Open", usize::MAX),
        (Status::Acknowledged, "Acknowledged", usize::MAX),
        (Status::Resolved, "Resolved", RESOLVED_SHOWN),
    ] {
        let of = list.alerts.iter().filter(|alert| alert.status == status);
        let shown: Vec<&Listed> = of.take(most).collect();
        let all = list.count(status);
        if all == 0 {
            continue;
        }
        if !shown.is_empty() {
            write_table(body, base, title, status.as_str(), &shown);
        }
        let rest = all.saturating_sub(shown.len() as u64);
        if rest > 0 {
            let asked = AlertQuestion {
                status: Some(status),
                ..AlertQuestion::default()
            };
            body.raw("<p class=\"more\"><a href=\"").text(base);
            body.raw("/alerts?").text(&asked.address(shown.len()));
            body.raw("\">and ").text(&grouped(int(rest)));
            body.raw(" more ").raw(status.as_str()).raw("</a></p>");
        }
    }
}

/// What was asked for, with the way to those before and behind.
fn write_asked(body: &mut Html, base: &str, list: &AlertList, asked: &AlertQuestion) {
    let title = match asked.status {
        Some(Status::Open) => "Open",
        Some(Status::Acknowledged) => "Acknowledged",
        Some(Status::Resolved) => "Resolved",
        None => "All",
    };
    let shown: Vec<&Listed> = list.alerts.iter().collect();
    if shown.is_empty() {
        body.raw("<section class=\"panel wide\"><p class=\"empty\">There are no such alerts.</p></section>\n");
    } else {
        write_table(body, base, title, "asked", &shown);
    }
    let end = list.offset.saturating_add(shown.len() as u64);
    body.raw("<p class=\"more\">");
    if !shown.is_empty() {
        body.text(&format!(
            "{} to {} of {}",
            grouped(int(list.offset + 1)),
            grouped(int(end)),
            grouped(int(list.matching))
        ));
    }
    let mut link = |offset: usize, rel: &'static str, words: &'static str| {
        body.raw(" · <a rel=\"")
            .raw(rel)
            .raw("\" href=\"")
            .text(base);
        body.raw("/alerts?").text(&asked.address(offset)).raw("\">");
        body.raw(words).raw("</a>");
    };
    if asked.offset > 0 {
        link(
            asked.offset.saturating_sub(asked.limit),
            "prev",
            "those before",
        );
    }
    if end < list.matching && !shown.is_empty() {
        link(
            asked.offset.saturating_add(shown.len()),
            "next",
            "those behind",
        );
    }
    body.raw("</p>");
}

fn int(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What keeps alerts from the list.
fn write_faults(html: &mut Html, base: &str, faults: &[RuleFault]) {
    if faults.is_empty() {
        return;
    }
    html.raw("<section class=\"panel wide\" id=\"rule-faults\" aria-labelledby=\"rule-faults-h\"><header>");
    html.raw("<h2 id=\"rule-faults-h\">Rules that do not work as they should</h2></header><ul class=\"advice\">");
    for fault in faults {
        html.raw("<li>");
        html.raw("<strong>").text(&fault.rule).raw("</strong> ");
        if fault.is_failure {
            html.raw("cannot be asked, and none of its alerts is shown until it can: ");
        }
        html.text(&fault.problem);
        if let Some(rows) = fault.rows {
            html.raw(" (").text(&grouped(rows));
            html.raw(if rows == 1 { " row) " } else { " rows) " });
        }
        write_query_link(html, base, &fault.rule, "the rule");
        html.raw("</li>");
    }
    html.raw("</ul><p class=\"more\">All other rules are asked as ever. ");
    html.raw(
        "<code>sentinel check</code> asks each of them, and says what is wrong.</p></section>\n",
    );
}

fn write_table(
    html: &mut Html,
    base: &str,
    title: &'static str,
    anchor: &'static str,
    alerts: &[&Listed],
) {
    html.raw("<section class=\"panel wide\" id=\"")
        .raw(anchor)
        .raw("\" aria-labelledby=\"")
        .raw(anchor);
    html.raw("-h\"><header><h2 id=\"")
        .raw(anchor)
        .raw("-h\">")
        .raw(title)
        .raw("</h2></header>");
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"")
        .raw(title);
    html.raw(" alerts, table\"><table class=\"alerts\"><caption class=\"unseen\">")
        .raw(title);
    html.raw(" alerts</caption><thead><tr><th scope=\"col\">Alert</th><th scope=\"col\">Severity</th>\
        <th scope=\"col\">Domain</th><th scope=\"col\">First day</th><th scope=\"col\">Last day</th>\
        <th scope=\"col\" class=\"num\">Messages</th></tr></thead><tbody>");
    for alert in alerts {
        write_row(html, base, alert);
    }
    html.raw("</tbody></table></div></section>\n");
}

fn write_row(html: &mut Html, base: &str, alert: &Listed) {
    html.raw("<tr><th scope=\"row\"><a href=\"")
        .text(base)
        .raw("/alerts/")
        .text(&alert.id)
        .raw("\">");
    html.text(&alert.title).raw("</a>");
    html.raw(match alert.reason {
        Some(Reason::Withdrawn) => " <span class=\"soft\">no longer found</span>",
        Some(Reason::RuleOff) => " <span class=\"soft\">rule switched off</span>",
        Some(Reason::Quiet) => " <span class=\"soft\">quiet</span>",
        Some(Reason::RuleFailed) => " <span class=\"soft\">rule failed</span>",
        Some(Reason::Ended) => " <span class=\"soft\">over</span>",
        _ => "",
    });
    html.raw("</th><td class=\"short\">");
    write_badge(html, alert.severity.as_str());
    html.raw("</td><td>");
    match &alert.domain {
        Some(domain) if is_host_name(domain) => {
            html.raw("<a href=\"")
                .text(base)
                .raw("/domains/")
                .text(domain)
                .raw("\">");
            html.text(domain).raw("</a>");
        }
        Some(domain) => {
            html.text(domain);
        }
        None => {
            html.raw("<span class=\"none\">all</span>");
        }
    }
    html.raw("</td><td class=\"short\">")
        .text(&alert.first_day.to_string());
    html.raw("</td><td class=\"short\">")
        .text(&alert.last_day.to_string());
    html.raw("</td><td class=\"num\">");
    if alert.messages > 0 {
        html.text(&grouped(alert.messages));
    } else {
        html.raw("<span class=\"none\">\u{2013}</span>");
    }
    html.raw("</td></tr>");
}

//! The page of all alerts, and its JSON.

use serde::{Deserialize, Serialize};

use super::super::cell::write_badge;
use super::super::html::Html;
use super::super::panel::write_query_link;
use super::super::skin::{Frame, Skin};
use super::super::words::grouped;
use crate::model::alert::{Reason, Severity, Status};
use crate::model::day::Day;
use crate::model::domain::is_host_name;
use crate::model::rule_fault::RuleFault;

/// Resolved alerts on the page.
const RESOLVED_SHOWN: usize = 100;

/// What is published of all alerts: `/api/alerts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertList {
    /// The day for which things are judged.
    #[serde(with = "crate::model::day::iso")]
    pub as_of: Day,
    /// How many there are; no more than [`super::MOST_ALERTS`] are listed.
    pub total: u64,
    /// What is wrong with rules, those that cannot be asked first.
    #[serde(default)]
    pub rule_faults: Vec<RuleFault>,
    /// Those that want somebody first.
    pub alerts: Vec<Listed>,
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
        let rank = |status: Status| Status::ALL.iter().position(|known| *known == status);
        self.alerts.sort_by(|a, b| {
            (rank(a.status), b.severity, b.last_day, b.messages)
                .cmp(&(rank(b.status), a.severity, a.last_day, a.messages))
                .then_with(|| a.id.cmp(&b.id))
        });
    }
}

/// `/alerts`.
pub fn list_page(skin: &Skin, list: &AlertList) -> anyhow::Result<Vec<u8>> {
    let mut body = Html::with_capacity(1024 + list.alerts.len() * 512);
    let of = |status: Status| {
        list.alerts
            .iter()
            .filter(move |alert| alert.status == status)
    };
    let (open, known) = (of(Status::Open).count(), of(Status::Acknowledged).count());
    body.raw("<div class=\"panels\">\n");
    let base = skin.base_path();
    write_faults(&mut body, base, &list.rule_faults);
    if open > 0 {
        write_table(&mut body, base, "Open", "open", of(Status::Open));
    } else {
        body.raw("<section class=\"panel wide\"><header><h2>Open</h2></header><p class=\"empty\">Nothing wants your attention.</p></section>\n");
    }
    if known > 0 {
        write_table(
            &mut body,
            base,
            "Acknowledged",
            "acknowledged",
            of(Status::Acknowledged),
        );
    }
    let resolved = of(Status::Resolved).count();
    if resolved > 0 {
        let shown = of(Status::Resolved).take(RESOLVED_SHOWN);
        write_table(&mut body, base, "Resolved", "resolved", shown);
        if resolved > RESOLVED_SHOWN {
            body.raw("<p class=\"more\">and ")
                .text(&grouped((resolved - RESOLVED_SHOWN) as i64));
            body.raw(" older ones, in the table alerts of the published database.</p>");
        }
    }
    body.raw("</div>");
    let critical = of(Status::Open)
        .filter(|alert| alert.severity == Severity::Critical)
        .count();
    let frame = Frame {
        title: "Alerts".to_owned(),
        heading: "Alerts".to_owned(),
        lead: format!(
            "{} open, {} of them critical · {} acknowledged · as of {}",
            grouped(open as i64),
            grouped(critical as i64),
            grouped(known as i64),
            list.as_of
        ),
        current: "/alerts",
        foot: Some(
            "The same for programs: /api/alerts, and the table alerts of the published database.",
        ),
        ..Frame::default()
    };
    skin.page(&frame, &body)
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

fn write_table<'a>(
    html: &mut Html,
    base: &str,
    title: &'static str,
    anchor: &'static str,
    alerts: impl Iterator<Item = &'a Listed>,
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
        Some(Reason::Withdrawn) => " <span class=\"soft\">withdrawn</span>",
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

//! The body of a report's page, written directly: figures, facts, remarks, records.

use super::answers::Shown;
use super::cell::{write_badge, write_cell};
use super::html::Html;
use super::panel::{write_panel, write_query_link};
use super::report::{RECORDS_SHOWN, ReportView, Row};
use super::skin::{Frame, Skin};
use super::words::{grouped, heading, minute, shown};
use crate::query::{Catalogue, Value};

/// Where links of the page lead.
#[derive(Clone, Copy)]
struct Place<'a> {
    skin: &'a Skin,
    catalogue: &'a Catalogue,
}

impl Place<'_> {
    /// Opens a section with its heading and the link to the query that answers the same for one report.
    fn write_section(
        self,
        html: &mut Html,
        width: &'static str,
        query: &'static str,
        title: &'static str,
    ) {
        html.raw("<section class=\"panel ")
            .raw(width)
            .raw("\"><header><h2>")
            .raw(title)
            .raw("</h2>");
        if self.catalogue.queries.contains_key(query) {
            write_query_link(html, self.skin.base_path(), query, title);
        }
        html.raw("</header>");
    }
}

/// The page of one report.
pub fn page(skin: &Skin, catalogue: &Catalogue, view: ReportView<'_>) -> anyhow::Result<Vec<u8>> {
    let (head, place) = (view.head, Place { skin, catalogue });
    let mut body = Html::with_capacity(8 * 1024 + view.records.len().min(RECORDS_SHOWN) * 1024);
    body.raw("<div class=\"panels\">\n");
    write_figures(&mut body, place, head);
    write_facts(&mut body, place, "Report", &REPORT_FACTS, head);
    write_facts(&mut body, place, "Published policy", &POLICY_FACTS, head);
    write_remarks(&mut body, place, head);
    write_records(&mut body, place, view);
    for (query, panel, answer) in view.panels {
        let table = panel.shown(answer);
        let shown = Shown {
            query,
            panel,
            table,
        };
        write_panel(&mut body, skin.base_path(), &shown, "");
    }
    body.raw("</div>");
    skin.page(&frame(head), &body)
}

fn frame(head: Row<'_>) -> Frame {
    let reporter = if head.text("org_name").is_empty() {
        "an unnamed reporter"
    } else {
        head.text("org_name")
    };
    let domain = head.text("domain");
    let mut trail = vec![("/overview#domains".to_owned(), "Domains".to_owned())];
    if crate::model::domain::is_host_name(domain) {
        trail.push((format!("/domains/{domain}"), domain.to_owned()));
    }
    Frame {
        title: format!("Report from {reporter}"),
        heading: format!("Report from {reporter}"),
        lead: format!("{domain} · {}", period(head)),
        trail,
        ..Frame::default()
    }
}

fn period(head: Row<'_>) -> String {
    match (head.get("begin_utc"), head.get("end_utc")) {
        (Value::Timestamp(begin), Value::Timestamp(end)) => {
            format!(
                "{} to {}",
                minute(*begin).trim_end_matches(" UTC"),
                minute(*end)
            )
        }
        _ => shown("day", head.get("day")),
    }
}

fn write_figures(html: &mut Html, place: Place<'_>, head: Row<'_>) {
    let (messages, passed) = (head.int("messages"), head.int("passed"));
    place.write_section(html, "wide plain", "report_head", "This report");
    html.raw("<dl class=\"figures\">");
    let figures = [
        ("Messages", messages),
        ("Passed", passed),
        ("Failing", messages.saturating_sub(passed)),
        ("Records", head.int("record_count")),
    ];
    for (name, number) in figures {
        html.raw("<div><dt>").raw(name).raw("</dt><dd>");
        html.text(&grouped(number)).raw("</dd></div>");
    }
    html.raw("</dl></section>\n");
}

const REPORT_FACTS: [&str; 13] = [
    "domain",
    "org_name",
    "org_domain",
    "org_email",
    "extra_contact",
    "report_id",
    "begin_utc",
    "end_utc",
    "schema",
    "generator",
    "inbox",
    "mail_from",
    "file_name",
];

const POLICY_FACTS: [&str; 9] = [
    "p",
    "sp",
    "np",
    "adkim",
    "aspf",
    "pct",
    "fo",
    "testing",
    "discovery_method",
];

fn write_facts(
    html: &mut Html,
    place: Place<'_>,
    title: &'static str,
    names: &[&str],
    head: Row<'_>,
) {
    place.write_section(html, "half", "report_head", title);
    html.raw("<dl class=\"facts\">");
    for name in names {
        let value = head.get(name);
        if *value == Value::Null || *value == Value::Text(String::new()) {
            continue;
        }
        html.raw("<div><dt>")
            .text(fact_name(name).unwrap_or(&heading(name)))
            .raw("</dt><dd>");
        match fact_words(name, value) {
            Some(words) => _ = html.text(words),
            None => write_cell(html, place.skin.base_path(), name, value),
        }
        html.raw("</dd></div>");
    }
    html.raw("</dl></section>\n");
}

fn fact_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "org_name" => "Reporter",
        "org_domain" => "Reporter's domain",
        "org_email" => "Contact",
        "extra_contact" => "More contact",
        "p" => "Policy",
        "sp" => "Subdomain policy",
        "np" => "Policy for missing subdomains",
        "adkim" => "DKIM alignment",
        "aspf" => "SPF alignment",
        "pct" => "Percentage applied",
        "fo" => "Failure reporting",
        "testing" => "Test mode",
        "mail_from" => "Mailed by",
        "file_name" => "File",
        _ => return None,
    })
}

fn fact_words<'a>(name: &str, value: &'a Value) -> Option<&'a str> {
    match (name, value) {
        ("adkim" | "aspf", Value::Text(mode)) if mode == "r" => Some("relaxed"),
        ("adkim" | "aspf", Value::Text(mode)) if mode == "s" => Some("strict"),
        _ => None,
    }
}

/// What the reporter complained about and what the reader forgave.
fn write_remarks(html: &mut Html, place: Place<'_>, head: Row<'_>) {
    let lists = [
        ("errors", "report_head", "Errors stated by the reporter"),
        ("oddities", "report_oddities", "Oddities that were forgiven"),
    ];
    for (name, query, title) in lists {
        let value = head.get(name);
        if matches!(value, Value::List(items) if !items.is_empty()) {
            place.write_section(html, "half", query, title);
            write_cell(html, place.skin.base_path(), name, value);
            html.raw("</section>\n");
        }
    }
}

fn write_records(html: &mut Html, place: Place<'_>, view: ReportView<'_>) {
    place.write_section(html, "wide", "report_records", "Records");
    if view.records.is_empty() {
        html.raw("<p class=\"empty\">This report has no records: the reporter saw no mail of this domain.</p>");
        html.raw("</section>\n");
        return;
    }
    write_count(html, view);
    html.raw(RECORDS_HEAD);
    for values in view.records.iter().take(RECORDS_SHOWN) {
        let columns = view.record_columns;
        write_record(html, place.skin, Row { columns, values });
    }
    html.raw("</tbody></table></div></section>\n");
}

const RECORDS_HEAD: &str = "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Records, table\">\
    <table class=\"records\"><caption class=\"unseen\">Records of the report</caption><thead><tr>\
    <th scope=\"col\">Source IP</th><th scope=\"col\" class=\"num\">Messages</th><th scope=\"col\">DKIM</th>\
    <th scope=\"col\">SPF</th><th scope=\"col\">Disposition</th><th scope=\"col\">From, envelope</th>\
    <th scope=\"col\">Sender, category</th><th scope=\"col\">Signatures and checks</th></tr></thead><tbody>";

/// Says so when not all records are shown.
fn write_count(html: &mut Html, view: ReportView<'_>) {
    let given = i64::try_from(view.records.len()).unwrap_or(i64::MAX);
    let total = view.head.int("record_count").max(given);
    if total > i64::try_from(RECORDS_SHOWN).unwrap_or(i64::MAX) {
        html.raw("<p class=\"about\">The first ")
            .text(&grouped(given.min(1000)))
            .raw(" of ");
        html.text(&grouped(total))
            .raw(" records; the published database has all of them.</p>");
    }
}

fn write_record(html: &mut Html, skin: &Skin, record: Row<'_>) {
    html.raw("<tr><th scope=\"row\">");
    write_cell(html, skin.base_path(), "source_ip", record.get("source_ip"));
    html.raw("</th><td class=\"num\">")
        .text(&grouped(record.int("messages")))
        .raw("</td>");
    for name in ["dkim_aligned", "spf_aligned"] {
        html.raw("<td>");
        write_badge(html, &shown(name, record.get(name)));
        html.raw("</td>");
    }
    html.raw("<td>");
    write_cell(
        html,
        skin.base_path(),
        "disposition",
        record.get("disposition"),
    );
    html.raw("</td><td><ul class=\"mini\">");
    for (name, label) in [
        ("header_from", ""),
        ("envelope_from", "envelope "),
        ("envelope_to", "to "),
    ] {
        let text = record.text(name);
        if !text.is_empty() {
            html.raw("<li>").raw(label).text(text).raw("</li>");
        }
    }
    html.raw("</ul></td><td><ul class=\"mini\">");
    for (name, label) in [
        ("sender", ""),
        ("carrier", "carried by "),
        ("category", ""),
        ("fail_cause", ""),
    ] {
        let text = record.text(name);
        if !text.is_empty() {
            html.raw("<li>").raw(label);
            write_cell(html, skin.base_path(), name, record.get(name));
            html.raw("</li>");
        }
    }
    html.raw("</ul></td><td>");
    write_checks(html, record);
    html.raw("</td></tr>");
}

/// DKIM and SPF results and override reasons, one a line.
fn write_checks(html: &mut Html, record: Row<'_>) {
    html.raw("<ul class=\"mini\">");
    for (name, label) in [("dkim", "DKIM"), ("spf", "SPF"), ("reasons", "Override:")] {
        let Value::List(items) = record.get(name) else {
            continue;
        };
        for item in items.iter().take(20) {
            html.raw("<li>").raw(label).raw(" ");
            write_check(html, item);
            html.raw("</li>");
        }
        if items.len() > 20 {
            html.raw("<li>and ")
                .text(&(items.len() - 20).to_string())
                .raw(" more</li>");
        }
    }
    html.raw("</ul>");
}

fn write_check(html: &mut Html, item: &Value) {
    let Value::Struct(fields) = item else {
        html.text(&shown("", item));
        return;
    };
    let mut is_first = true;
    for (name, value) in fields {
        let words = match (&**name, value) {
            (_, Value::Null) => continue,
            ("aligned", Value::Bool(yes)) => {
                if *yes { "aligned" } else { "not aligned" }.to_owned()
            }
            ("selector", Value::Text(text)) => format!("({text})"),
            ("human_result" | "comment", Value::Text(text)) => format!("\u{201c}{text}\u{201d}"),
            ("type", Value::Text(text)) => text.replace('_', " "),
            _ => shown(name, value),
        };
        html.raw(if is_first { "" } else { " " }).text(&words);
        is_first = false;
    }
}

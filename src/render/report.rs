//! Pages and JSON of single reports, from rows of `reports` and `records`.
//!
//! A thousand of them are made on a first publish, so the body is written directly, and the rows of many reports come
//! in two sorted tables. The server makes the page of an older report with the same functions.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Emit;
use super::cell::{is_report_id, write_badge, write_cell};
use super::html::Html;
use super::json::{JsonRow, JsonValue, to_bytes};
use super::panel::write_query_link;
use super::skin::{Frame, Skin};
use super::words::{grouped, heading, minute, shown};
use crate::query::{Catalogue, Table, Value};

/// Records on a page and in its JSON; the database has all of them.
pub const RECORDS_SHOWN: usize = 500;

/// One row by column name.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Column names of the table.
    pub columns: &'a [String],
    /// Values, as many as columns.
    pub values: &'a [Value],
}

impl<'a> Row<'a> {
    fn get(&self, name: &str) -> &'a Value {
        let at = self.columns.iter().position(|column| column == name);
        at.and_then(|at| self.values.get(at))
            .unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> &'a str {
        if let Value::Text(text) = self.get(name) {
            text
        } else {
            ""
        }
    }

    fn int(&self, name: &str) -> i64 {
        if let Value::Int(number) = self.get(name) {
            *number
        } else {
            0
        }
    }
}

/// One report with its records (all, or at least the first [`RECORDS_SHOWN`]), in the order of the report.
#[derive(Clone, Copy)]
pub struct ReportView<'a> {
    /// Its row of `reports`.
    pub head: Row<'a>,
    /// Column names of `records`.
    pub record_columns: &'a [String],
    /// Its rows of `records`.
    pub records: &'a [Vec<Value>],
}

/// Writes `site/reports/ID.html` and `site/api/reports/ID.json` for each row of `reports`, which is sorted by `id`;
/// `records` is sorted by `report` and `record_no`. Returns how many reports were written.
pub fn write_reports(
    skin: &Skin,
    catalogue: &Catalogue,
    reports: &Table,
    records: &Table,
    emit: Emit<'_>,
) -> anyhow::Result<usize> {
    let report_column = records.columns.iter().position(|column| column == "report");
    let key = |row: &[Value]| match report_column.and_then(|at| row.get(at)) {
        Some(Value::Text(id)) => id.clone(),
        _ => String::new(),
    };
    let mut rest = records.rows.as_slice();
    let mut written = 0;
    for values in &reports.rows {
        let head = Row {
            columns: &reports.columns,
            values,
        };
        let id = head.text("id");
        anyhow::ensure!(is_report_id(id), "a row of reports has no usable id");
        rest = &rest[rest.partition_point(|row| key(row).as_str() < id)..];
        let count = rest.partition_point(|row| key(row).as_str() <= id);
        let view = ReportView {
            head,
            record_columns: &records.columns,
            records: &rest[..count],
        };
        emit(
            &format!("site/reports/{id}.html"),
            &page(skin, catalogue, view)?,
        )?;
        emit(&format!("site/api/reports/{id}.json"), &json(view)?)?;
        rest = &rest[count..];
        written += 1;
    }
    Ok(written)
}

/// The page of one report.
pub fn page(skin: &Skin, catalogue: &Catalogue, view: ReportView<'_>) -> anyhow::Result<Vec<u8>> {
    let head = view.head;
    let mut body = Html::with_capacity(8 * 1024 + view.records.len().min(RECORDS_SHOWN) * 1024);
    body.raw("<div class=\"panels\">\n");
    write_figures(&mut body, head);
    write_facts(&mut body, skin, "Report", "half", &REPORT_FACTS, head);
    write_facts(
        &mut body,
        skin,
        "Published policy",
        "half",
        &POLICY_FACTS,
        head,
    );
    write_remarks(&mut body, skin, head);
    write_records(&mut body, skin, catalogue, view);
    body.raw("</div>");
    skin.page(&frame(head), &body)
}

/// The JSON of one report: its columns, then `records`.
pub fn json(view: ReportView<'_>) -> anyhow::Result<Vec<u8>> {
    to_bytes(&JsonReport(view))
}

struct JsonReport<'a>(ReportView<'a>);

impl Serialize for JsonReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.0;
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in view.head.columns.iter().zip(view.head.values) {
            map.serialize_entry(name, &JsonValue(value))?;
        }
        let rows = view
            .records
            .iter()
            .take(RECORDS_SHOWN)
            .map(|row| JsonRow(view.record_columns, row));
        map.serialize_entry("records", &rows.collect::<Vec<_>>())?;
        map.end()
    }
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
        notice: None,
        current: "",
        trail,
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

fn write_figures(html: &mut Html, head: Row<'_>) {
    let (messages, passed) = (head.int("messages"), head.int("passed"));
    html.raw("<section class=\"panel wide plain\" aria-label=\"Figures\"><dl class=\"figures\">");
    let figures = [
        ("Messages", messages),
        ("Passed", passed),
        ("Failing", messages.saturating_sub(passed)),
    ];
    for (name, number) in figures
        .into_iter()
        .chain([("Records", head.int("record_count"))])
    {
        html.raw("<div><dt>")
            .text(name)
            .raw("</dt><dd>")
            .text(&grouped(number))
            .raw("</dd></div>");
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
    skin: &Skin,
    title: &'static str,
    width: &'static str,
    names: &[&str],
    head: Row<'_>,
) {
    html.raw("<section class=\"panel ")
        .raw(width)
        .raw("\"><header><h2>")
        .raw(title)
        .raw("</h2></header><dl class=\"facts\">");
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
            None => write_cell(html, skin.base_path(), name, value),
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
fn write_remarks(html: &mut Html, skin: &Skin, head: Row<'_>) {
    let lists = [
        ("errors", "Errors stated by the reporter"),
        ("oddities", "Oddities that were forgiven"),
    ];
    for (name, title) in lists {
        let value = head.get(name);
        if matches!(value, Value::List(items) if !items.is_empty()) {
            html.raw("<section class=\"panel half\"><header><h2>")
                .raw(title)
                .raw("</h2></header>");
            write_cell(html, skin.base_path(), name, value);
            html.raw("</section>\n");
        }
    }
}

fn write_records(html: &mut Html, skin: &Skin, catalogue: &Catalogue, view: ReportView<'_>) {
    html.raw("<section class=\"panel wide\" aria-labelledby=\"records-h\"><header><h2 id=\"records-h\">Records</h2>");
    for query in catalogue.panels("report") {
        let title = query
            .panel
            .as_ref()
            .map_or("this page", |panel| panel.title.as_str());
        write_query_link(html, skin.base_path(), &query.name, title);
    }
    html.raw("</header>");
    if view.records.is_empty() {
        html.raw("<p class=\"empty\">This report has no records: the reporter saw no mail of this domain.</p></section>\n");
        return;
    }
    let total = view
        .head
        .int("record_count")
        .max(i64::try_from(view.records.len()).unwrap_or(i64::MAX));
    if total > i64::try_from(RECORDS_SHOWN).unwrap_or(0) {
        html.raw("<p class=\"about\">The first ")
            .text(&RECORDS_SHOWN.to_string())
            .raw(" of ")
            .text(&grouped(total));
        html.raw(" records; the published database has all of them.</p>");
    }
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Records, table\">");
    html.raw("<table class=\"records\"><caption class=\"unseen\">Records of the report</caption><thead><tr>");
    html.raw("<th scope=\"col\">Source IP</th><th scope=\"col\" class=\"num\">Messages</th>");
    html.raw(
        "<th scope=\"col\">DKIM</th><th scope=\"col\">SPF</th><th scope=\"col\">Disposition</th>",
    );
    html.raw("<th scope=\"col\">From, envelope</th><th scope=\"col\">Category</th>");
    html.raw("<th scope=\"col\">Signatures and checks</th></tr></thead><tbody>");
    for values in view.records.iter().take(RECORDS_SHOWN) {
        write_record(
            html,
            skin,
            Row {
                columns: view.record_columns,
                values,
            },
        );
    }
    html.raw("</tbody></table></div></section>\n");
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
    for name in ["sender", "category", "fail_cause"] {
        let text = record.text(name);
        if !text.is_empty() {
            html.raw("<li>");
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
        let words = match (name.as_str(), value) {
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

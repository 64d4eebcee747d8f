//! A letter as HTML for mail programs: tables and inline styles, because many know nothing else; nothing is loaded from
//! anywhere, nothing runs.

use crate::model::alert::Severity;
use crate::model::text::escape_into;

use super::entry::Entry;
use super::letter::{Letter, Row};
use super::trend::Trend;

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const INK: &str = "#18202c";
const SOFT: &str = "#566173";
const LINE: &str = "#e2e6ec";
const ACCENT: &str = "#0b5fa5";

/// HTML in the making: constants of this program, and text that is escaped.
struct Page(String);

impl Page {
    fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        escape_into(&mut self.0, text);
        self
    }

    fn link(&mut self, url: &str, words: &str, style: &str) -> &mut Self {
        self.raw("<a href=\"")
            .text(url)
            .raw("\" style=\"")
            .raw(style);
        self.raw("\">").text(words).raw("</a>")
    }
}

/// The page; `picture` is the content id of the trend's picture, where there is a trend.
pub fn html(letter: &Letter, trend: Option<(&Trend, &str)>) -> String {
    let mut page = Page(String::with_capacity(16 << 10));
    page.raw("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"")
        .raw("width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light\"><title>")
        .text(&letter.subject)
        .raw("</title></head>\n<body style=\"margin:0;padding:0;background:#f5f6f8;color:")
        .raw(INK)
        .raw(";-webkit-text-size-adjust:100%\">\n")
        .raw("<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"")
        .raw("background:#f5f6f8\"><tr><td align=\"center\" style=\"padding:16px 8px\">\n")
        .raw("<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"")
        .raw("max-width:600px;")
        .raw(FONT)
        .raw(";font-size:15px;line-height:1.45;text-align:left\">\n");
    head(&mut page, letter);
    if let Some((trend, picture)) = trend {
        figure(&mut page, trend, picture);
    }
    if !letter.table.is_empty() {
        domains(&mut page, &letter.table, letter.more_domains);
    }
    for line in &letter.entries {
        entry(&mut page, line);
    }
    foot(&mut page, letter);
    if let Some((trend, _)) = trend {
        days(&mut page, trend);
    }
    page.raw("</table>\n</td></tr></table>\n</body></html>\n");
    page.0
}

fn head(page: &mut Page, letter: &Letter) {
    if !letter.heading.is_empty() {
        page.raw("<tr><td style=\"padding:4px 8px 12px\"><h1 style=\"margin:0 0 6px;font-size:19px;line-height:1.3\">")
            .text(&letter.heading)
            .raw("</h1>");
        for line in &letter.lead {
            page.raw("<p style=\"margin:0 0 4px;color:")
                .raw(SOFT)
                .raw("\">")
                .text(line)
                .raw("</p>");
        }
        page.raw("</td></tr>\n");
    }
    if !letter.fixed.is_empty() {
        open_card(page, LINE);
        page.raw("<pre style=\"margin:0;white-space:pre-wrap;word-break:break-word;font-family:Consolas,Menlo,monospace;")
            .raw("font-size:13px;line-height:1.4\">");
        for line in &letter.fixed {
            page.text(line).raw("\n");
        }
        page.raw("</pre>");
        close_card(page);
    }
}

fn open_card(page: &mut Page, edge: &str) {
    page.raw("<tr><td style=\"padding:0 0 12px\"><table role=\"presentation\" width=\"100%\" cellpadding=\"0\" ")
        .raw("cellspacing=\"0\" border=\"0\" style=\"background:#ffffff;border:1px solid #e2e6ec;border-left:")
        .raw(if edge == LINE { "1px solid " } else { "4px solid " })
        .raw(edge)
        .raw(";border-radius:6px\"><tr><td style=\"padding:14px 16px\">");
}

fn close_card(page: &mut Page) {
    page.raw("</td></tr></table></td></tr>\n");
}

/// Edge, background and ink of a severity, as on the pages.
fn colours(severity: Severity) -> [&'static str; 3] {
    match severity {
        Severity::Critical => ["#c8501b", "#fcebe2", "#9a3208"],
        Severity::Warning => ["#d99a16", "#fbf1d9", "#7a5200"],
        Severity::Info => ["#2f7fc1", "#e3effa", "#14568f"],
    }
}

fn entry(page: &mut Page, entry: &Entry) {
    let [edge, ground, ink] = colours(entry.severity);
    open_card(page, edge);
    page.raw("<p style=\"margin:0 0 6px;font-size:12px;color:")
        .raw(SOFT);
    page.raw("\"><span style=\"display:inline-block;padding:1px 8px;border-radius:9px;font-weight:600;background:")
        .raw(ground)
        .raw(";color:")
        .raw(ink)
        .raw("\">")
        .text(entry.severity.as_str())
        .raw("</span>");
    if let Some(occasion) = entry.occasion {
        page.raw(" ").text(occasion);
    }
    page.raw(
        "</p><h2 style=\"margin:0 0 8px;font-size:16px;line-height:1.35;word-break:break-word;",
    )
    .raw("overflow-wrap:anywhere\">")
    .text(&entry.title)
    .raw("</h2>");
    if !entry.facts.is_empty() {
        page.raw("<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"font-size:14px;margin:0 0 8px\">");
        for (name, value) in &entry.facts {
            page.raw("<tr><th align=\"left\" valign=\"top\" style=\"padding:1px 14px 1px 0;font-weight:400;color:")
                .raw(SOFT)
                .raw("\">")
                .text(name)
                .raw("</th><td valign=\"top\" style=\"padding:1px 0;word-break:break-word;overflow-wrap:anywhere\">")
                .text(value)
                .raw("</td></tr>");
        }
        page.raw("</table>");
    }
    if !entry.advice.is_empty() {
        page.raw(
            "<p style=\"margin:8px 0 2px;font-weight:600;font-size:14px\">What to do next</p>",
        )
        .raw("<ul style=\"margin:0 0 8px;padding:0 0 0 20px;font-size:14px\">");
        for advice in &entry.advice {
            page.raw("<li style=\"margin:2px 0;word-break:break-word;overflow-wrap:anywhere\">")
                .text(advice)
                .raw("</li>");
        }
        page.raw("</ul>");
    }
    if let Some(url) = &entry.url {
        page.raw("<p style=\"margin:4px 0 0;font-size:14px\">");
        page.link(
            url,
            "Facts, history and actions",
            &format!("color:{ACCENT};font-weight:600"),
        );
        page.raw("</p>");
    }
    close_card(page);
}

fn foot(page: &mut Page, letter: &Letter) {
    let more = letter.more_words();
    if more.is_none() && letter.url.is_none() {
        return;
    }
    page.raw("<tr><td style=\"padding:0 8px 14px\">");
    if let Some(more) = more {
        page.raw("<p style=\"margin:0 0 6px;color:")
            .raw(SOFT)
            .raw("\">")
            .text(&more)
            .raw("</p>");
    }
    if let Some(url) = &letter.url {
        let style = format!(
            "display:inline-block;background:{ACCENT};color:#ffffff;padding:8px 16px;border-radius:6px;text-decoration:none"
        );
        page.raw("<p style=\"margin:0\">")
            .link(url, "Open the dashboard", &style)
            .raw("</p>");
    }
    page.raw("</td></tr>\n");
}

fn figure(page: &mut Page, trend: &Trend, picture: &str) {
    open_card(page, LINE);
    page.raw("<p style=\"margin:0 0 8px;font-size:14px;font-weight:600\">Messages a day ")
        .raw("<span style=\"font-weight:400;color:#566173\">&nbsp; <span style=\"color:#2f7fc1\">&#9632;</span> passed ")
        .raw("&nbsp;<span style=\"color:#c8501b\">&#9632;</span> failed</span></p><img src=\"cid:")
        .text(picture)
        .raw("\" width=\"564\" alt=\"")
        .text(&trend.words())
        .raw("\" style=\"display:block;width:100%;max-width:564px;height:auto;border:0\">");
    close_card(page);
}

fn cell(page: &mut Page, tag: &'static str, is_number: bool, text: &str) {
    page.raw("<").raw(tag);
    if tag == "th" {
        page.raw(" scope=\"col\"");
    }
    page.raw(" style=\"padding:5px 6px;border-bottom:1px solid #e2e6ec;vertical-align:top;");
    page.raw(match (tag, is_number) {
        ("th", true) => "text-align:right;font-weight:400;color:#566173",
        ("th", false) => "text-align:left;font-weight:400;color:#566173",
        (_, true) => "text-align:right;white-space:nowrap",
        (_, false) => "text-align:left;word-break:break-word;overflow-wrap:anywhere",
    });
    page.raw("\">").text(text).raw("</").raw(tag).raw(">");
}

fn open_table(page: &mut Page, columns: &[&str]) {
    page.raw("<table width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"font-size:13px;")
        .raw("border-collapse:collapse\"><thead><tr>");
    for (at, column) in columns.iter().enumerate() {
        cell(page, "th", at > 0, column);
    }
    page.raw("</tr></thead><tbody>");
}

fn domains(page: &mut Page, rows: &[Row], more: usize) {
    open_card(page, LINE);
    open_table(page, &["Domain", "Messages", "Passed", "Before", "Alerts"]);
    for row in rows {
        page.raw("<tr>");
        cell(page, "td", false, &row.domain);
        for text in [&row.messages, &row.passed, &row.before, &row.open] {
            cell(page, "td", true, text);
        }
        page.raw("</tr>");
    }
    page.raw("</tbody></table>");
    if more > 0 {
        page.raw("<p style=\"margin:8px 0 0;font-size:13px;color:#566173\">")
            .text(&format!("And {more} more domains."))
            .raw("</p>");
    }
    close_card(page);
}

/// The numbers behind the picture.
fn days(page: &mut Page, trend: &Trend) {
    open_card(page, LINE);
    open_table(page, &["Day (UTC)", "Passed", "Failed", "Pass rate"]);
    for [day, passed, failed, rate] in trend.rows() {
        page.raw("<tr>");
        cell(page, "td", false, &day);
        for text in [&passed, &failed, &rate] {
            cell(page, "td", true, text);
        }
        page.raw("</tr>");
    }
    page.raw("</tbody></table>");
    close_card(page);
}

//! Writes one aggregate report in the style of its reporter.

use std::fmt::Write as _;

use super::traffic::Row;
use super::world::Style;

/// The head of a report.
#[derive(Debug, Clone)]
pub struct Head<'a> {
    /// `org_name`.
    pub org_name: &'a str,
    /// Domain of the reporter, for `email`.
    pub org_domain: &'a str,
    /// `report_id`.
    pub report_id: &'a str,
    /// First second.
    pub begin_utc_secs: i64,
    /// Last second, or the first one after, as the reporter has it.
    pub end_utc_secs: i64,
    /// Domain of the policy.
    pub domain: &'a str,
    /// `p`.
    pub policy: &'a str,
}

/// The document.
pub fn report(style: Style, head: &Head<'_>, rows: &[Row]) -> String {
    let indent = match style {
        Style::Tabs => Some("\t"),
        Style::OneLine => None,
        Style::Pretty | Style::Namespaced | Style::PerEnvelope => Some("  "),
    };
    let mut xml = Xml {
        text: String::with_capacity(900 + rows.len() * 900),
        indent,
        depth: 0,
    };
    if style != Style::OneLine {
        xml.text
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n");
    }
    match style {
        Style::Namespaced => xml.open_with("feedback", " xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\""),
        Style::PerEnvelope => xml.open_with(
            "feedback",
            " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"",
        ),
        _ => xml.open("feedback"),
    }
    if matches!(style, Style::Namespaced | Style::PerEnvelope) {
        xml.leaf("version", "1.0");
    }
    metadata(&mut xml, style, head);
    policy(&mut xml, style, head);
    for (number, row) in rows.iter().enumerate() {
        record(&mut xml, style, head, row, number);
    }
    xml.close("feedback");
    xml.text
}

fn metadata(xml: &mut Xml, style: Style, head: &Head<'_>) {
    xml.open("report_metadata");
    xml.leaf("org_name", head.org_name);
    xml.leaf("email", &format!("dmarc-reports@{}", head.org_domain));
    if style == Style::Pretty {
        xml.leaf(
            "extra_contact_info",
            &format!("https://{}/dmarc", head.org_domain),
        );
    }
    xml.leaf("report_id", head.report_id);
    xml.open("date_range");
    xml.leaf("begin", &head.begin_utc_secs.to_string());
    xml.leaf("end", &head.end_utc_secs.to_string());
    xml.close("date_range");
    if style == Style::Namespaced {
        xml.leaf("generator", "reportd 3.2");
    }
    xml.close("report_metadata");
}

fn policy(xml: &mut Xml, style: Style, head: &Head<'_>) {
    xml.open("policy_published");
    xml.leaf("domain", head.domain);
    xml.leaf("adkim", "r");
    xml.leaf("aspf", "r");
    xml.leaf("p", head.policy);
    xml.leaf("sp", head.policy);
    if style == Style::Namespaced {
        xml.leaf("np", head.policy);
        xml.leaf("testing", "n");
        xml.leaf("discovery_method", "treewalk");
    } else {
        xml.leaf("pct", "100");
    }
    xml.close("policy_published");
}

fn record(xml: &mut Xml, style: Style, head: &Head<'_>, row: &Row, number: usize) {
    let word = |passes: bool| if passes { "pass" } else { "fail" };
    let disposition = match (row.dkim_aligned || row.spf_aligned, row.reason) {
        (true, _) if style == Style::Namespaced => "pass",
        (true, _) | (false, Some(_)) => "none",
        (false, None) => head.policy,
    };
    xml.open("record");
    xml.open("row");
    xml.leaf("source_ip", &row.ip.to_string());
    xml.leaf("count", &row.count.to_string());
    xml.open("policy_evaluated");
    xml.leaf("disposition", disposition);
    xml.leaf("dkim", word(row.dkim_aligned));
    xml.leaf("spf", word(row.spf_aligned));
    if let Some((kind, comment)) = row.reason {
        xml.open("reason");
        xml.leaf("type", kind);
        xml.leaf("comment", comment);
        xml.close("reason");
    }
    xml.close("policy_evaluated");
    xml.close("row");
    xml.open("identifiers");
    if style == Style::PerEnvelope {
        xml.leaf(
            "envelope_to",
            [
                "outpost.example",
                "mail.outpost.example",
                "customer.example",
            ][number % 3],
        );
    }
    if matches!(style, Style::PerEnvelope | Style::Namespaced) {
        xml.leaf("envelope_from", &row.envelope_from);
    }
    xml.leaf("header_from", &row.header_from);
    xml.close("identifiers");
    auth_results(xml, style, row);
    xml.close("record");
}

fn auth_results(xml: &mut Xml, style: Style, row: &Row) {
    xml.open("auth_results");
    for (domain, selector, result) in &row.dkim {
        xml.open("dkim");
        xml.leaf("domain", domain);
        if style != Style::OneLine {
            xml.leaf("selector", selector);
        }
        xml.leaf("result", result);
        xml.close("dkim");
    }
    xml.open("spf");
    xml.leaf("domain", &row.spf.0);
    if style != Style::Tabs {
        xml.leaf("scope", "mfrom");
    }
    xml.leaf("result", row.spf.1);
    xml.close("spf");
    xml.close("auth_results");
}

struct Xml {
    text: String,
    indent: Option<&'static str>,
    depth: usize,
}

impl Xml {
    fn begin_line(&mut self) {
        for _ in 0..self.depth {
            self.text.push_str(self.indent.unwrap_or_default());
        }
    }

    fn end_line(&mut self) {
        if self.indent.is_some() {
            self.text.push('\n');
        }
    }

    fn open(&mut self, tag: &str) {
        self.open_with(tag, "");
    }

    fn open_with(&mut self, tag: &str, attributes: &str) {
        self.begin_line();
        // Writing to a String cannot fail.
        let _ = write!(self.text, "<{tag}{attributes}>");
        self.end_line();
        self.depth += 1;
    }

    fn close(&mut self, tag: &str) {
        self.depth -= 1;
        self.begin_line();
        let _ = write!(self.text, "</{tag}>");
        self.end_line();
    }

    /// Every value of the generator is free of characters that XML would need escaped.
    fn leaf(&mut self, tag: &str, value: &str) {
        self.begin_line();
        for part in ["<", tag, ">", value, "</", tag, ">"] {
            self.text.push_str(part);
        }
        self.end_line();
    }
}

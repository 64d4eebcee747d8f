//! A stand-in catalogue and rows of fixed reports for the tests of this room.

use std::collections::BTreeMap;

use crate::model::day::Day;
use crate::query::{Catalogue, Chart, Panel, Query, Table, Value};

/// 2026-11-20.
pub fn as_of() -> Day {
    "2026-11-20".parse().unwrap()
}

/// Id of the sample report.
pub const REPORT_ID: &str = "0123456789abcdef0123456789abcdef";

/// Words that try to break out of every context that they could land in.
pub const HOSTILE: &str =
    "</title><script>alert('x')</script>\"'=cmd|' /C calc'!A0\u{202e}\u{200b}\0{{ 7*7 }}";

/// Panels for each kind of page and drawing.
pub fn catalogue() -> Catalogue {
    let panels = [
        (
            "overview_figures",
            "overview",
            "Figures",
            Chart::Figures,
            "",
            "",
            1,
        ),
        (
            "overview_trend",
            "overview",
            "Messages per day",
            Chart::Stacked,
            "day",
            "passed,failing",
            2,
        ),
        (
            "overview_alignment",
            "overview",
            "Alignment",
            Chart::Line,
            "day",
            "spf_aligned_percent,dkim_aligned_percent",
            3,
        ),
        (
            "overview_reporters",
            "overview",
            "Reporters",
            Chart::Bars,
            "org_name",
            "messages",
            4,
        ),
        (
            "overview_domains",
            "overview",
            "Domains",
            Chart::Table,
            "",
            "",
            5,
        ),
        (
            "policy_verdict",
            "domain",
            "Policy advice",
            Chart::Verdict,
            "",
            "",
            3,
        ),
        (
            "domain_trend",
            "domain",
            "Daily volume",
            Chart::Stacked,
            "day",
            "passed,failing",
            1,
        ),
        (
            "domain_reports",
            "domain",
            "Newest reports",
            Chart::Table,
            "",
            "",
            2,
        ),
        (
            "senders_domains",
            "senders",
            "Senders by domain",
            Chart::Table,
            "sender",
            "messages",
            1,
        ),
        (
            "senders_addresses",
            "senders",
            "Addresses of senders",
            Chart::Table,
            "sender",
            "messages",
            2,
        ),
        (
            "sources_top",
            "sources",
            "Top sources",
            Chart::Table,
            "",
            "",
            1,
        ),
        (
            "intake_outcomes",
            "intake",
            "Outcomes",
            Chart::Bars,
            "outcome",
            "documents",
            1,
        ),
        (
            "intake_newest",
            "intake",
            "Newest documents",
            Chart::Table,
            "",
            "",
            2,
        ),
        (
            "report_records",
            "report",
            "Records",
            Chart::Table,
            "",
            "",
            1,
        ),
        (
            "api_homepage",
            "api/homepage",
            "Homepage",
            Chart::Table,
            "",
            "",
            1,
        ),
        (
            "api_domains",
            "api/domains",
            "Domains",
            Chart::Table,
            "",
            "",
            1,
        ),
        (
            "api_domain_summary",
            "api/domain_summary",
            "Summary",
            Chart::Figures,
            "",
            "",
            1,
        ),
        (
            "api_policy_verdict",
            "api/domain_summary",
            "Policy advice",
            Chart::Verdict,
            "",
            "",
            2,
        ),
        (
            "api_domain_reports",
            "api/domain_reports",
            "Reports",
            Chart::Table,
            "",
            "",
            1,
        ),
        (
            "api_domain_sources",
            "api/domain_sources",
            "Sources",
            Chart::Table,
            "",
            "",
            1,
        ),
    ];
    let queries = panels.map(|(name, page, title, chart, x, y, order)| {
        let panel = Panel {
            page: page.into(),
            title: title.into(),
            chart,
            x: (!x.is_empty()).then(|| x.to_owned()),
            y: y.split(',')
                .filter(|y| !y.is_empty())
                .map(str::to_owned)
                .collect(),
            order,
            id: name.into(),
            ..Panel::default()
        };
        let query = Query {
            name: name.into(),
            folder: "panels".into(),
            description: format!("{} of the window. One row per (day).", title.to_lowercase()),
            panels: vec![panel],
            text: format!("-- {name}: sample\nselect 1\n"),
            ..Query::default()
        };
        (name.to_owned(), query)
    });
    Catalogue {
        queries: BTreeMap::from(queries),
        tables: BTreeMap::new(),
    }
}

/// A table from its columns and rows.
pub fn table<const N: usize>(columns: [&str; N], rows: Vec<[Value; N]>) -> Table {
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.into_iter().map(Vec::from).collect(),
    }
}

/// VARCHAR.
pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Rows of `reports`.
pub fn reports(ids: &[&str], org_name: &str) -> Table {
    use Value::{Int, List, Null, Timestamp};
    let oddity = Value::Struct(vec![
        ("code".into(), text("timestamp-milliseconds")),
        ("detail".into(), text("begin 1795046400000")),
    ]);
    let row = |id: &&str| {
        [
            text(id),
            text(org_name),
            text("reporter.example"),
            text("dmarc@reporter.example"),
            text(org_name),
            text("2026.11.19-1"),
            Timestamp(1_795_046_400),
            Timestamp(1_795_132_799),
            Value::Day("2026-11-19".parse().unwrap()),
            text("example.com"),
            text("r"),
            text("s"),
            text("reject"),
            text("quarantine"),
            Null,
            Int(100),
            Null,
            text("rfc7489"),
            Int(2),
            Int(1_210),
            Int(1_200),
            List(vec![text(org_name)]),
            List(vec![oddity.clone()]),
            text("reports/a.xml.gz"),
        ]
    };
    table(
        [
            "id",
            "org_name",
            "org_domain",
            "org_email",
            "extra_contact",
            "report_id",
            "begin_utc",
            "end_utc",
            "day",
            "domain",
            "adkim",
            "aspf",
            "p",
            "sp",
            "np",
            "pct",
            "testing",
            "schema",
            "record_count",
            "messages",
            "passed",
            "errors",
            "oddities",
            "file_name",
        ],
        ids.iter().map(row).collect(),
    )
}

/// Rows of `records`, `count` for each report.
pub fn records(ids: &[&str], count: i64, word: &str) -> Table {
    use Value::{Bool, Int, List, Null};
    let field = |name: &str, value: Value| (name.into(), value);
    let dkim = Value::Struct(vec![
        field("domain", text("example.com")),
        field("selector", text(word)),
        field("result", text("pass")),
        field("aligned", Bool(true)),
        field("human_result", Null),
    ]);
    let spf = Value::Struct(vec![
        field("domain", text("bounce.example.net")),
        field("scope", text("mfrom")),
        field("result", text("softfail")),
        field("aligned", Bool(false)),
        field("human_result", text(word)),
    ]);
    let reason = Value::Struct(vec![
        field("type", text("local_policy")),
        field("comment", text(word)),
    ]);
    let mut rows = Vec::new();
    for id in ids {
        for n in 1..=count {
            rows.push([
                text(id),
                Int(n),
                text("192.0.2.10"),
                Int(1_200 / n),
                text("none"),
                Bool(true),
                Bool(false),
                Bool(true),
                text("example.com"),
                text("bounce.example.net"),
                Null,
                List(vec![reason.clone()]),
                List(vec![dkim.clone()]),
                List(vec![spf.clone()]),
                text("Own servers"),
                text("compliant"),
                Null,
            ]);
        }
    }
    table(
        [
            "report",
            "record_no",
            "source_ip",
            "messages",
            "disposition",
            "dkim_aligned",
            "spf_aligned",
            "dmarc_pass",
            "header_from",
            "envelope_from",
            "envelope_to",
            "reasons",
            "dkim",
            "spf",
            "sender",
            "category",
            "fail_cause",
        ],
        rows,
    )
}

//! Fixed answers to the queries of the stand-in catalogue.

use super::fixture::{REPORT_ID, as_of, table, text};
use crate::model::day::Day;
use crate::query::{Params, Query, Table, Value};

fn days() -> impl Iterator<Item = (i64, Day)> {
    let first: Day = "2026-10-21".parse().unwrap();
    (0..30).zip(first.iter_days())
}

/// Fixed answers to the queries of [`catalogue`].
pub fn answer(query: &Query, _params: &Params) -> anyhow::Result<Table> {
    use Value::{Bool, Double, Int, Null, Timestamp};
    let name = query.name.as_str();
    Ok(match name {
        "overview_figures" | "api_domain_summary" => table(
            [
                "messages",
                "failing",
                "pass_rate_percent",
                "domains",
                "reports",
                "sources",
                "last_report_utc",
            ],
            vec![[
                Int(148_230),
                Int(3_112),
                Double(97.9),
                Int(3),
                Int(412),
                Int(96),
                Timestamp(1_795_132_800),
            ]],
        ),
        "overview_trend" | "domain_trend" => table(
            ["day", "passed", "failing"],
            days()
                .filter(|(n, _)| *n != 11)
                .map(|(n, day)| {
                    [
                        Value::Day(day),
                        Int(3_900 + n * 731 % 1_900),
                        Int(if (18..22).contains(&n) {
                            900
                        } else {
                            n * 37 % 60
                        }),
                    ]
                })
                .collect(),
        ),
        "overview_alignment" => table(
            ["day", "spf_aligned_percent", "dkim_aligned_percent"],
            days()
                .map(|(n, day)| {
                    let spf = if n == 12 {
                        Null
                    } else {
                        Double(80.0 + f64::from((n * 7 % 13) as i32))
                    };
                    [
                        Value::Day(day),
                        spf,
                        Double(97.5 - f64::from((n * 5 % 9) as i32) / 4.0),
                    ]
                })
                .collect(),
        ),
        "overview_reporters" => table(
            ["org_name", "messages", "reports"],
            (0..15)
                .map(|n| {
                    [
                        text(&format!("Reporter {} of example mail", n + 1)),
                        Int(90_000 / (n * n + 1)),
                        Int(30 - n),
                    ]
                })
                .collect(),
        ),
        "overview_domains" | "api_domains" => table(
            [
                "domain",
                "messages",
                "passed",
                "failing",
                "pass_rate_percent",
                "policy",
                "reports",
                "last_day",
            ],
            vec![
                [
                    text("example.com"),
                    Int(120_000),
                    Int(118_900),
                    Int(1_100),
                    Double(99.1),
                    text("reject"),
                    Int(301),
                    Value::Day(as_of()),
                ],
                [
                    text("example.org"),
                    Int(28_229),
                    Int(26_217),
                    Int(2_012),
                    Double(92.9),
                    text("none"),
                    Int(99),
                    Value::Day(as_of()),
                ],
                [
                    text("not a host name"),
                    Int(1),
                    Int(1),
                    Int(0),
                    Double(100.0),
                    Null,
                    Int(12),
                    Null,
                ],
            ],
        ),
        "domain_reports" | "api_domain_reports" => table(
            ["report", "org_name", "day", "messages", "failing"],
            vec![[
                text(REPORT_ID),
                text("reporter.example"),
                Value::Day(as_of()),
                Int(1_200),
                Int(3),
            ]],
        ),
        "senders_domains" => table(
            [
                "domain",
                "sender",
                "kind",
                "approved",
                "messages",
                "pass_rate_percent",
                "categories",
            ],
            vec![[
                text("example.com"),
                text("Own servers"),
                text("configured"),
                Bool(true),
                Int(90_000),
                Double(99.5),
                Value::List(vec![text("compliant 89 550"), text("misconfigured 450")]),
            ]],
        ),
        "senders_addresses" => table(
            ["sender", "source_ip", "carrier", "messages"],
            vec![
                [text("Own servers"), text("192.0.2.10"), Null, Int(80_000)],
                [text("Own servers"), text("192.0.2.11"), Null, Int(10_000)],
                [
                    text("postroom"),
                    text("198.51.100.1"),
                    text("carrier"),
                    Int(3),
                ],
            ],
        ),
        "sources_top" | "api_domain_sources" => table(
            [
                "source_ip",
                "domain",
                "sender",
                "category",
                "messages",
                "pass_rate_percent",
                "first_day",
            ],
            vec![
                [
                    text("192.0.2.10"),
                    text("example.com"),
                    text("Own servers"),
                    text("compliant"),
                    Int(90_000),
                    Double(100.0),
                    Value::Day(as_of()),
                ],
                [
                    text("2001:db8::25"),
                    text("example.com"),
                    Null,
                    text("threat"),
                    Int(800),
                    Double(0.0),
                    Value::Day(as_of()),
                ],
            ],
        ),
        "policy_verdict" | "api_policy_verdict" => verdict(),
        "intake_outcomes" => table(
            ["outcome", "documents"],
            vec![
                [text("accepted"), Int(412)],
                [text("duplicate"), Int(7)],
                [text("refused"), Int(2)],
            ],
        ),
        "intake_newest" => table(
            [
                "item_no",
                "file_name",
                "outcome",
                "code",
                "detail",
                "report",
            ],
            vec![
                [
                    Int(1_421),
                    text("reports/a.xml.gz"),
                    text("accepted"),
                    Null,
                    Null,
                    text(REPORT_ID),
                ],
                [
                    Int(1_420),
                    text("reports/bad.zip"),
                    text("refused"),
                    text("zip-corrupt"),
                    text("the archive has no directory; send it again"),
                    Null,
                ],
            ],
        ),
        "api_homepage" => table(
            [
                "domain",
                "messages",
                "passed",
                "failing",
                "unknown_sources",
                "reports",
                "last_report_at",
                "is_new",
            ],
            vec![
                [
                    Null,
                    Int(148_229),
                    Int(145_117),
                    Int(3_112),
                    Int(4),
                    Int(400),
                    Timestamp(1_795_132_800),
                    Bool(false),
                ],
                [
                    text("example.com"),
                    Int(120_000),
                    Int(118_900),
                    Int(1_100),
                    Int(4),
                    Int(301),
                    Timestamp(1_795_132_800),
                    Bool(false),
                ],
                [
                    text("example.net"),
                    Int(0),
                    Int(0),
                    Int(0),
                    Int(0),
                    Int(0),
                    Null,
                    Bool(true),
                ],
            ],
        ),
        _ => Table::default(),
    })
}

/// A verdict with a reason of each state.
fn verdict() -> Table {
    use Value::{Double, Int, Null};
    let reason = |reason: &str, name: Value, state: &str, number: Value, unit: &str| {
        let (bound, threshold) = match state {
            "ok" => (text("at least"), Double(30.0)),
            "broken" => (text("below"), Double(0.5)),
            _ => (Null, Null),
        };
        [
            text("fix"),
            text("p=none"),
            text("p=quarantine"),
            text(reason),
            name,
            text(state),
            number,
            text(unit),
            bound,
            threshold,
        ]
    };
    table(
        [
            "verdict",
            "policy",
            "next_policy",
            "reason",
            "name",
            "state",
            "number",
            "unit",
            "bound",
            "threshold",
        ],
        vec![
            reason("days_of_data", Null, "ok", Double(61.0), "days"),
            reason(
                "reporter_gone_quiet",
                text("reporter.example"),
                "broken",
                Double(14.46),
                "percent",
            ),
            reason(
                "sender_to_fix",
                text("Newsletter service"),
                "fix",
                Double(2_399.0),
                "messages",
            ),
            reason("forwarded_failing", Null, "note", Int(1_024), "messages"),
            reason("sender_pass_rate", Null, "note", Null, "percent"),
        ],
    )
}

//! The text, the object and the message of given rows.

use super::*;

const COLUMNS: [&str; 10] = [
    "place",
    "source_ip",
    "name",
    "kind",
    "messages",
    "passed",
    "failing",
    "pass_rate_percent",
    "problem",
    "problems",
];

/// Address, name, kind, messages, failing, problem.
type Source<'a> = (&'a str, &'a str, &'a str, i64, i64, &'a str);

fn text_or_null(text: &str) -> Value {
    if text.is_empty() {
        Value::Null
    } else {
        Value::Text(text.to_owned())
    }
}

fn summary_of(sources: &[Source], days: u16) -> Summary {
    let count = |number: usize| Value::Int(i64::try_from(number).unwrap());
    let problems = sources.iter().filter(|source| !source.5.is_empty()).count();
    let row = |(at, (address, name, kind, messages, failing, problem)): (usize, &Source)| {
        let passed = messages - failing;
        vec![
            count(at + 1),
            text_or_null(address),
            text_or_null(name),
            text_or_null(kind),
            Value::Int(*messages),
            Value::Int(passed),
            Value::Int(*failing),
            Value::Double(f64::from(i32::try_from(passed * 1000 / messages).unwrap()) / 10.0),
            text_or_null(problem),
            count(problems),
        ]
    };
    let messages: i64 = sources.iter().map(|source| source.3).sum();
    let failing: i64 = sources.iter().map(|source| source.4).sum();
    let totals = [
        ("first_day", Value::Day("2026-01-24".parse().unwrap())),
        ("last_day", Value::Day("2026-01-30".parse().unwrap())),
        ("messages", Value::Int(messages)),
        ("passed", Value::Int(messages - failing)),
        ("failing", Value::Int(failing)),
        ("pass_rate_percent", Value::Double(50.0)),
        ("domains", Value::Int(1)),
        ("sources", count(sources.len())),
        ("reports", Value::Int(4)),
        ("reporters", Value::Int(2)),
    ];
    let (columns, row_of_totals) = totals
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .unzip();
    Summary {
        days,
        domain: None,
        totals: Table {
            columns,
            rows: vec![row_of_totals],
        },
        sources: Table {
            columns: COLUMNS.map(str::to_owned).to_vec(),
            rows: sources.iter().enumerate().map(row).collect(),
        },
    }
}

#[test]
fn a_terminal_never_gets_what_it_would_act_on() {
    let long = "n".repeat(60);
    let names = ["a\u{1b}[31mb\r\nc\u{202e}\0", "tab\there", long.as_str()];
    let sources = names.map(|name| ("203.0.113.1", name, "external", 30, 30, "external"));
    let text = text::of(&summary_of(&sources, 7));
    assert!(
        text.chars()
            .all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'),
        "{text:?}"
    );
    assert!(
        text.contains("a\u{b7}[31mb\u{b7}\u{b7}c\u{b7}\u{b7}"),
        "{text}"
    );
    assert!(
        text.contains(&format!(" ({}\u{2026})", "n".repeat(39))),
        "{text}"
    );
}

#[test]
fn what_is_not_listed_is_counted() {
    let sources: Vec<Source> = (0..60)
        .map(|_| ("203.0.113.1", "", "external", 30, 30, "external"))
        .collect();
    let summary = summary_of(&sources, 7);
    let text = text::of(&summary);
    assert!(
        text.contains("\nThe 25 sources with most messages:\n"),
        "{text}"
    );
    assert!(text.ends_with("\n  and 10 more\n"), "{text}");
    assert_eq!(text.matches("external address").count(), 50);
    let object = object(&summary);
    assert_eq!(object["sources"].as_array().unwrap().len(), 25);
    assert_eq!(object["problems"].as_array().unwrap().len(), 60);
    assert_eq!(object["problem_count"], 60);
}

#[test]
fn a_record_without_an_address_is_named_so() {
    let text = text::of(&summary_of(&[("", "", "external", 20, 20, "external")], 1));
    let expect = "\
DMARC summary of all domains, 2026-01-24 to 2026-01-30 (1 day)

20 messages: 0 pass DMARC (50.0%), 20 fail
1 source, 1 domain, 4 reports by 2 reporters

Sources:
  Source        Name  Kind      Messages  Pass rate  Failing
  (no address)        external        20       0.0%       20

1 problem:
  external address (no address): 20 of 20 messages fail
";
    assert_eq!(text, expect);
}

#[test]
fn a_message_says_the_same_and_has_a_key_of_its_own() {
    let summary = summary_of(&[("192.0.2.1", "Office", "own", 20, 2, "own")], 7);
    let notice = notice(&summary, 1_769_817_600);
    assert_eq!(
        notice.title,
        "DMARC summary of all domains, 7 days to 2026-01-30: 1 problem"
    );
    assert_eq!(notice.text, text::of(&summary));
    assert!(
        notice
            .text
            .contains("own address 192.0.2.1 (Office): only 90.0% of 20 messages pass, 2 fail\n")
    );
    assert_eq!(notice.key.len(), 32);
    assert_eq!(super::notice(&summary, 1_769_817_600), notice);
    assert_ne!(super::notice(&summary, 1_769_817_601).key, notice.key);
}

#[test]
fn what_is_no_domain_is_a_mistake_of_the_caller() {
    assert_eq!(domain(" Example.COM. ").unwrap(), "example.com");
    for text in ["", "a b", "example.com'; drop table x"] {
        let problem = domain(text).unwrap_err();
        assert!(problem.downcast_ref::<UsageError>().is_some(), "{text}");
    }
}

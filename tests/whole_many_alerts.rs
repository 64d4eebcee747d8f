//! More alerts than have a file of their own: each can be found, looked at, acted on and told of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::http_endpoint::Endpoint;
use crate::product::{Mailbox, Product, until};
use crate::whole_serving::Served;

/// Alerts of the rule.
const MANY: usize = 1_300;

/// Of each domain so many subjects, the first three of them critical.
const RULE: &str = "-- crowd: many things about each domain, for a test of how many there can be. One row per (domain, subject, day).
-- rule: title=\"{subject} of {domain}\" severity=warning
select
    domain,
    'thing ' || lpad(number::varchar, 5, '0') as subject,
    max(day) as day,
    case when number < 3 then 'critical' else 'warning' end as severity,
    max(number) as messages
from reports, range(1300) as numbers(number)
where domain = 'example.com'
group by domain, number
order by domain, subject, day
";

fn crowded(more: &str) -> Product {
    let product = Product::with_config(more);
    product.add_query("alerts/crowd.sql", RULE);
    let mailbox = Mailbox::invented(60, 10);
    product.ingest(&mailbox, &mailbox.names);
    product
}

/// Ids of the rule's alerts, the gravest first; those with most messages first among them.
fn ids(product: &Product) -> Vec<String> {
    let sql = "select id from alerts where rule = 'crowd' order by severity, messages desc";
    let rows = product.query(&[sql]);
    let ids: Vec<String> = rows
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), MANY);
    ids
}

fn listed(list: &Json) -> Vec<&str> {
    let alerts = list["alerts"].as_array().unwrap().iter();
    alerts.map(|alert| alert["id"].as_str().unwrap()).collect()
}

#[test]
fn every_alert_has_a_page_and_lists_say_how_many_there_are() {
    let product = crowded("");
    let served = Served::start(&product);
    let rows = product.query(&["select count(*)::bigint as n, count(*) filter (status = 'open')::bigint as open, \
        count(*) filter (status = 'open' and severity = 'critical')::bigint as critical from alerts"]);
    let number = |name: &str| rows[0][name].as_u64().unwrap();
    let (total, open, critical) = (number("n"), number("open"), number("critical"));
    // The beginning is published, and says that it is the beginning.
    let list = served.get("/api/alerts").json();
    assert_eq!(list["total"], total);
    assert_eq!(
        (&list["matching"], &list["offset"]),
        (&list["total"], &Json::from(0))
    );
    assert_eq!(listed(&list).len(), 1_000);
    let page = served.get("/alerts").text();
    let lead = format!("1,{} open, {critical} of them critical", open - 1_000);
    assert!(
        page.replace(['\u{202f}', '\u{a0}'], ",").contains(&lead),
        "{lead}\n{page}"
    );
    assert!(
        page.contains("/alerts?status=open&amp;offset=1000\">and "),
        "{page}"
    );
    // The rest in parts.
    let mut all = BTreeSet::new();
    for offset in (0..open).step_by(500) {
        let part = served
            .get(&format!(
                "/api/alerts?status=open&limit=500&offset={offset}"
            ))
            .json();
        assert_eq!(part["matching"], open);
        let ids = listed(&part)
            .iter()
            .map(|id| (*id).to_owned())
            .collect::<Vec<_>>();
        assert_eq!(ids.len() as u64, (open - offset).min(500));
        all.extend(ids);
    }
    assert_eq!(all.len() as u64, open, "none twice, none left out");
    let behind = served.get("/alerts?status=open&offset=1000").text();
    assert!(
        behind.contains("those before") && !behind.contains("those behind"),
        "{behind}"
    );
    assert_eq!(served.get("/api/alerts?status=shut").status, 400);
    // The last of them.
    let ids = ids(&product);
    let last = ids.last().unwrap();
    let page = served.get(&format!("/alerts/{last}")).text();
    for text in [
        "thing 00003 of example.com",
        "What was done",
        "Its SQL",
        "Acknowledge",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    let json = served.get(&format!("/api/alerts/{last}")).json();
    assert_eq!(
        (
            json["id"].as_str(),
            json["evidence"].as_array().unwrap().len()
        ),
        (Some(&**last), 1)
    );
    assert_eq!(
        served.get(&format!("/alerts/{}", "0".repeat(32))).status,
        404
    );
    // The shell.
    let said = product.run(&["alerts"]);
    assert_eq!(said.out.lines().count(), 1_001);
    assert_eq!(
        said.last_line(),
        format!("and {} more: --offset 1000 lists them", open - 1_000)
    );
    let said = product.run(&["alerts", "list", "--offset", "1000"]);
    assert_eq!(said.out.lines().count() as u64, open - 1_000);
    let said = product.run(&[
        "alerts",
        "list",
        "--domain",
        "example.com",
        "--limit",
        "100000",
    ]);
    assert!(
        said.out
            .lines()
            .filter(|line| line.contains("thing "))
            .count()
            == MANY
    );
    assert_eq!(product.run(&["alerts", "show", &last[..12]]).code, 0);
}

#[test]
fn an_alert_beyond_those_with_a_file_is_acted_on_like_any_other() {
    let product = crowded("");
    let ids = ids(&product);
    let (last, second) = (&ids[MANY - 1], &ids[MANY - 2]);
    let said = product.run(&["alerts", "ack", last, "--note", "we know"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("acknowledged"), "{}", said.out);
    let count = |list: &Json, status: &str| -> u64 {
        let counts = list["counts"].as_array().unwrap().iter();
        let of = counts.filter(|count| count["status"] == status);
        of.map(|count| count["alerts"].as_u64().unwrap()).sum()
    };
    let served = Served::start(&product);
    let before = served.get("/api/alerts").json();
    assert_eq!(count(&before, "acknowledged"), 1);
    let form = "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\n";
    let done = served.ask(
        "POST",
        &format!("/api/alerts/{second}/ack"),
        form,
        "note=me+too",
    );
    assert_eq!(done.status, 303, "{}", done.text());
    let page = served.get(&format!("/alerts/{second}")).text();
    assert!(
        page.contains("<q>me too</q>") && page.contains("Acknowledged, until"),
        "{page}"
    );
    let known = served.get("/api/alerts?status=acknowledged").json();
    assert_eq!(listed(&known), [second.as_str(), last.as_str()]);
    assert_eq!(count(&known, "acknowledged"), 2);
    let parts = [0, 1_000].map(|offset| {
        let path = format!("/api/alerts?limit=1000&offset={offset}");
        served.get(&path).json()
    });
    let all: std::collections::BTreeSet<&str> = parts.iter().flat_map(listed).collect();
    assert_eq!(parts[0]["total"], all.len(), "each is on one page");
    drop(served);
    assert_eq!(
        product
            .run(&["rebuild", "--as-of", crate::product::AS_OF])
            .code,
        0
    );
    let rows = product
        .query(&["select id from alerts where status = 'acknowledged' order by messages desc"]);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["id"].as_str(), Some(last.as_str()));
    product.assert_verified("more alerts than files");
}

#[test]
fn people_are_told_of_all_of_them() {
    let endpoint = Endpoint::start(|_, _| (200, "ok".to_owned()));
    let product = crowded(&format!(
        "alerts: {{notify_within_days: 60}}\nnotify:\n  channels:\n    - {{type: webhook, name: hook, format: generic, url: '{}'}}\n",
        endpoint.url
    ));
    let rows = product.query(&[
        "select count(*)::bigint as n from alerts where status = 'open' and severity <> 'info'",
    ]);
    let due = rows[0]["n"].as_u64().unwrap();
    assert!(due >= MANY as u64);
    let served = Served::start(&product);
    assert!(until(|| !endpoint.requests().is_empty()));
    let asked = endpoint.requests();
    let message: Json = serde_json::from_str(&asked[0].body).unwrap();
    let named = message["alerts"].as_array().unwrap();
    assert_eq!(named.len() as u64 + message["more"].as_u64().unwrap(), due);
    assert!(
        named
            .iter()
            .all(|alert| !alert["title"].as_str().unwrap().is_empty())
    );
    assert_eq!(named[0]["severity"], "critical");
    drop(served);
}

#[test]
fn a_list_that_nobody_reads_to_its_end_is_no_failure() {
    let product = crowded("");
    let mut child = product
        .command(&product.home(), &["alerts", "list", "--status", "all"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && said.is_empty(),
        "{} {said}",
        output.status
    );
}

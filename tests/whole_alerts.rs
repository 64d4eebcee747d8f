//! Alerts of the real program: the story of the demo, any order of arrival, what people do, a rule of the user's own.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::product::{AS_OF, Mailbox, Product};
use crate::whole_serving::Served;

/// Everything that rules found, a line a day, and how alerts stand.
fn found(product: &Product) -> Vec<Json> {
    let days =
        "select rule, domain, subject, day, severity, messages, ended_day, facts::varchar as facts
        from alert_days order by all";
    let alerts = "select id, status, reason, first_day, last_day, evidence_days, occurrences, messages, title
        from alerts order by id";
    let mut rows = product.query(&[days]);
    rows.extend(product.query(&[alerts]));
    rows
}

/// One `<record>`: address, messages, whether it passes.
pub type Row<'a> = (&'a str, u32, bool);

/// A report of a reporter about example.com on a day of 2026.
pub fn report(reporter: &str, day: &str, rows: &[Row<'_>]) -> Vec<u8> {
    let day: chrono::NaiveDate = format!("2026-{day}").parse().unwrap();
    let begin = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    let rows: String = rows
        .iter()
        .map(|(ip, count, passes)| {
            let word = if *passes { "pass" } else { "fail" };
            format!(
                "<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>\
                 <disposition>none</disposition><dkim>{word}</dkim><spf>{word}</spf></policy_evaluated></row>\
                 <identifiers><header_from>example.com</header_from></identifiers><auth_results>\
                 <spf><domain>example.com</domain><result>{word}</result></spf></auth_results></record>"
            )
        })
        .collect();
    format!(
        "<feedback><report_metadata><org_name>{reporter}</org_name><email>dmarc@{reporter}</email>\
         <report_id>{reporter}-{day}</report_id><date_range><begin>{begin}</begin><end>{}</end></date_range>\
         </report_metadata><policy_published><domain>example.com</domain><p>none</p></policy_published>{rows}</feedback>",
        begin + 86_399
    )
    .into_bytes()
}

fn alerts(product: &Product) -> Vec<(String, String, String, String)> {
    let sql =
        "select rule, subject, status, coalesce(reason, '') as reason from alerts order by all";
    let text = |row: &Json, name: &str| row[name].as_str().unwrap().to_owned();
    product
        .query(&[sql])
        .iter()
        .map(|row| {
            (
                text(row, "rule"),
                text(row, "subject"),
                text(row, "status"),
                text(row, "reason"),
            )
        })
        .collect()
}

fn is(rule: &str, subject: &str, status: &str, reason: &str) -> (String, String, String, String) {
    (
        rule.to_owned(),
        subject.to_owned(),
        status.to_owned(),
        reason.to_owned(),
    )
}

#[test]
fn the_demo_tells_its_story_and_the_clean_domain_has_no_alert() {
    let product = Product::new();
    let said = product.run(&["demo", "--end", "2026-11-21", "--data-dir", "data"]);
    assert_eq!(said.code, 0, "{}", said.err);
    // The demo has a configuration of its own; the database is where this one looks.
    let sql = "select rule, domain, subject, severity, first_day, last_day, messages from alerts order by all";
    let rows = product.query(&[sql]);
    let got: Vec<String> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {} {} {}",
                text("rule"),
                text("domain"),
                text("subject"),
                text("severity"),
                text("first_day"),
                text("last_day")
            )
        })
        .collect();
    assert_eq!(
        got,
        [
            // The attachment that is cut.
            "intake_refusals - gzip-truncated warning 2026-11-02 2026-11-02",
            // The week of the broken key; the service sends on Tuesdays and Thursdays.
            "known_sender_failing example.org Newsletter service critical 2026-10-13 2026-10-15",
            // The newsletter service that begins.
            "new_source shop.example Campaign service info 2026-10-29 2026-10-29",
            "policy_changed example.org p=quarantine info 2026-10-23 2026-10-23",
            // It stops on the 13th, and was missed a week later.
            "reporter_missing example.com yonder.example warning 2026-11-19 2026-11-19",
            // The ticket system that nobody set up.
            "unknown_sender_failing example.com 198.51.100.77 warning 2026-10-17 2026-11-21",
            // The wave.
            "unknown_sender_failing example.com 203.0.113.66 critical 2026-11-07 2026-11-12",
        ]
    );
    // The counts are those of the records.
    let behind = [
        (
            "known_sender_failing",
            "sender = 'Newsletter service' and category = 'misconfigured' and domain = 'example.org'",
        ),
        (
            "unknown_sender_failing",
            "source_ip in ('203.0.113.66', '198.51.100.77')",
        ),
    ];
    for (rule, records) in behind {
        let sql = format!(
            "select (select sum(messages) from alerts where rule = '{rule}')::bigint as told,
                (select sum(messages) from records where not dmarc_pass and {records})::bigint as counted"
        );
        let row = &product.query(&[&sql])[0];
        assert_eq!(row["told"], row["counted"], "{rule}");
        assert!(row["told"].as_i64().unwrap() > 1_000, "{row}");
    }
}

#[test]
fn alerts_are_the_same_for_any_order_of_arrival_and_any_split() {
    let mut mailbox = Mailbox::invented(600, 45);
    // Of two reports in conflict, the one that came first counts.
    mailbox
        .names
        .retain(|name| !name.contains("small.example-2"));
    let names = &mailbox.names;
    let whole = Product::new();
    whole.ingest(&mailbox, names);
    let expect = found(&whole);
    let rules: BTreeSet<&str> = expect
        .iter()
        .filter_map(|row| row["rule"].as_str())
        .collect();
    assert!(rules.len() >= 4, "{rules:?}");
    let reversed: Vec<String> = names.iter().rev().cloned().collect();
    let (even, odd): (Vec<_>, Vec<_>) = names
        .iter()
        .cloned()
        .enumerate()
        .partition(|(at, _)| at % 2 == 0);
    let pick =
        |some: Vec<(usize, String)>| some.into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    let interleaved = [pick(odd), pick(even)].concat();
    for (what, order, pieces) in [
        ("backwards at once", &reversed, 1),
        ("backwards in five runs", &reversed, 5),
        ("every second one first, in three runs", &interleaved, 3),
        ("forwards in nine runs", names, 9),
    ] {
        let product = Product::new();
        for piece in order.chunks(order.len().div_ceil(pieces)) {
            product.ingest(&mailbox, piece);
        }
        assert_eq!(found(&product), expect, "{what}");
        product.assert_verified(what);
    }
}

#[test]
fn late_reports_withdraw_an_alert_and_what_was_done_stays() {
    let mut mailbox = Mailbox::empty();
    let mut day = |reporter: &str, at: &str| {
        mailbox.add(
            &format!("{reporter} {at}.xml"),
            &report(reporter, at, &[("192.0.2.10", 50, true)]),
        );
    };
    for at in 1..=28 {
        day("steady.example", &format!("02-{at:02}"));
        if at <= 18 {
            day("late.example", &format!("02-{at:02}"));
        }
    }
    let first = mailbox.names.clone();
    for at in 19..=24 {
        let name = format!("02-{at:02}");
        mailbox.add(
            &format!("late {name}.xml"),
            &report("late.example", &name, &[("192.0.2.10", 50, true)]),
        );
    }
    let late = mailbox.names[first.len()..].to_vec();
    let product = Product::new();
    product.ingest_as_of(&mailbox, &first, "2026-03-01");
    assert_eq!(
        alerts(&product),
        [is("reporter_missing", "late.example", "open", "")]
    );
    let id = product.query(&["select id from alerts"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let acked = product.run(&["alerts", "ack", &id[..8], "--note", "asked them"]);
    assert_eq!(acked.code, 0, "{}", acked.err);
    product.ingest_as_of(&mailbox, &late, "2026-03-01");
    assert_eq!(
        alerts(&product),
        [is(
            "reporter_missing",
            "late.example",
            "resolved",
            "withdrawn"
        )]
    );
    let shown = product.run(&["alerts", "show", &id]);
    assert!(shown.out.contains("ack: asked them"), "{}", shown.out);
    product.assert_verified("withdrawn");
    let rebuilt = product.run(&["rebuild"]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.err);
    assert_eq!(
        alerts(&product),
        [is(
            "reporter_missing",
            "late.example",
            "resolved",
            "withdrawn"
        )]
    );
    // Without an action it leaves no trace: the same as if the reports had come in time.
    let (in_time, untouched) = (Product::new(), Product::new());
    in_time.ingest_as_of(&mailbox, &mailbox.names, "2026-03-01");
    untouched.ingest_as_of(&mailbox, &first, "2026-03-01");
    untouched.ingest_as_of(&mailbox, &late, "2026-03-01");
    assert_eq!(found(&in_time), found(&untouched));
    assert!(alerts(&in_time).is_empty());
}

#[test]
fn evidence_after_what_was_resolved_opens_it_again_and_a_graver_one_what_was_acknowledged() {
    let mut mailbox = Mailbox::empty();
    let mut day = |at: &str, count: u32| {
        mailbox.add(
            &format!("{at}.xml"),
            &report(
                "r.example",
                at,
                &[("203.0.113.9", count, false), ("192.0.2.10", 9_000, true)],
            ),
        );
        mailbox.names.last().unwrap().clone()
    };
    let [first, second, third] = [day("02-10", 30), day("02-11", 40), day("02-12", 2_000)];
    let product = Product::new();
    let ingest =
        |name: &String| product.ingest_as_of(&mailbox, std::slice::from_ref(name), "2026-02-20");
    let stands = || {
        alerts(&product)
            .into_iter()
            .map(|alert| alert.2)
            .collect::<Vec<_>>()
    };
    ingest(&first);
    assert_eq!(
        alerts(&product),
        [is("unknown_sender_failing", "203.0.113.9", "open", "")]
    );
    let id = product.query(&["select id from alerts"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let act = |action: &str| {
        let said = product.run(&["alerts", action, &id]);
        assert_eq!(said.code, 0, "{action}: {}", said.err);
        product.poll_as_of("2026-02-20");
    };
    act("resolve");
    assert_eq!(
        stands(),
        ["resolved"],
        "a run without new mail publishes it"
    );
    ingest(&second);
    assert_eq!(stands(), ["open"]);
    let row = &product.query(&["select messages, occurrences, first_day from alerts"])[0];
    assert_eq!(
        (row["messages"].as_i64(), row["occurrences"].as_i64()),
        (Some(40), Some(2)),
        "{row}"
    );
    act("ack");
    assert_eq!(stands(), ["acknowledged"]);
    ingest(&third);
    assert_eq!(stands(), ["open"], "it is critical now");
    product.assert_verified("graver");
    // The actions in the order in which they were made, and nothing else.
    let actions = product.query(&["select action, severity from alert_actions order by seq"]);
    let words: Vec<&str> = actions
        .iter()
        .map(|row| row["action"].as_str().unwrap())
        .collect();
    assert_eq!(words, ["resolve", "ack"]);
}

#[test]
fn an_action_on_the_page_is_durable_visible_and_kept_through_a_rebuild() {
    let mailbox = Mailbox::invented(600, 45);
    let product = Product::new();
    product.ingest(&mailbox, &mailbox.names);
    let open =
        product.query(&["select id from alerts where status = 'open' order by severity, id"]);
    let id = open[0]["id"].as_str().unwrap();
    let served = Served::start(&product);
    let form = "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\n";
    let answer = served.ask(
        "POST",
        &format!("/api/alerts/{id}/ack"),
        form,
        "note=%3Cb%3Easked%3C%2Fb%3E+them",
    );
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location").unwrap(), format!("/alerts/{id}"));
    let page = served.get(&format!("/alerts/{id}")).text();
    assert!(page.contains("&lt;b&gt;asked&lt;/b&gt; them"), "{page}");
    assert!(
        page.contains("Acknowledged, until it gets graver"),
        "{page}"
    );
    let list = served.get("/api/alerts").json();
    let listed = list["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["id"] == id);
    assert_eq!(listed.unwrap()["status"], "acknowledged");
    // Twice is once.
    let json = "Content-Type: application/json\r\n";
    let again = served.ask("POST", &format!("/api/alerts/{id}/ack"), json, "{}");
    assert_eq!(
        (
            again.status,
            again.json()["actions"].as_array().unwrap().len()
        ),
        (200, 1)
    );
    for (path, headers, body, status) in [
        (
            format!("/api/alerts/{id}/ack"),
            "Sec-Fetch-Site: cross-site\r\n",
            "{}",
            403,
        ),
        (
            format!("/api/alerts/{id}/ack"),
            "Origin: https://evil.example\r\n",
            "{}",
            403,
        ),
        (format!("/api/alerts/{id}/shred"), json, "{}", 405),
        (
            format!("/api/alerts/{}/ack", "0".repeat(32)),
            json,
            "{}",
            404,
        ),
        (format!("/api/alerts/{id}/ack"), json, "{\"nota\":1}", 400),
        (
            format!("/api/alerts/{id}/ack"),
            "Content-Type: text/csv\r\n",
            "a",
            415,
        ),
    ] {
        let refused = served.ask("POST", &path, headers, body);
        assert_eq!(
            refused.status,
            status,
            "{path} {headers} {}",
            refused.text()
        );
    }
    let resolved = served.ask(
        "POST",
        &format!("/api/alerts/{id}/resolve"),
        json,
        "{\"note\":\"done\"}",
    );
    assert_eq!(resolved.json()["status"], "resolved", "{}", resolved.text());
    let conflict = served.ask("POST", &format!("/api/alerts/{id}/ack"), json, "{}");
    assert_eq!(
        (conflict.status, conflict.json()["code"].as_str()),
        (409, Some("conflict"))
    );
    drop(served);
    for step in ["rebuild", "render"] {
        assert_eq!(product.run(&[step, "--as-of", AS_OF]).code, 0, "{step}");
        let row = &product.query(&[&format!(
            "select status, reason from alerts where id = '{id}'"
        )])[0];
        assert_eq!(
            (row["status"].as_str(), row["reason"].as_str()),
            (Some("resolved"), Some("person")),
            "{step}"
        );
    }
    product.assert_verified("acted on");
    let served = Served::start(&product);
    assert!(
        served
            .get(&format!("/alerts/{id}"))
            .text()
            .contains("<q>done</q>")
    );
}

#[test]
fn a_rule_of_the_users_own_is_a_rule_like_any_other() {
    let mailbox = Mailbox::invented(200, 40);
    let product = Product::new();
    product.ingest(&mailbox, &mailbox.names);
    let before = alerts(&product);
    product.add_query(
        "alerts/busy_day.sql",
        "-- busy_day: days with many messages. One row per (domain, subject, day).\n\
         -- params: $min_messages BIGINT\n\
         -- rule: title=\"{subject} got {messages} messages on a day\" severity=info\n\
         -- default: min_messages=100\n\
         -- advice: Lean back.\n\
         select domain, domain as subject, day, messages, passed from daily where messages >= $min_messages\n\
         order by domain, subject, day\n",
    );
    assert_eq!(product.poll().code, 0);
    let mine: Vec<_> = alerts(&product)
        .into_iter()
        .filter(|alert| alert.0 == "busy_day")
        .collect();
    assert!(!mine.is_empty());
    assert_eq!(alerts(&product).len(), before.len() + mine.len());
    let row = &product.query(&[
        "select id, title, advice[1] as advice from alerts where rule = 'busy_day' order by id",
    ])[0];
    assert_eq!(row["advice"], "Lean back.");
    let served = Served::start(&product);
    let page = served
        .get(&format!("/alerts/{}", row["id"].as_str().unwrap()))
        .text();
    assert!(
        page.contains("Days with many messages.")
            && page.contains("where messages &gt;= $min_messages"),
        "{page}"
    );
    drop(served);
    product
        .configure("alerts: {rules: {busy_day: {min_messages: 1000000}, policy_changed: false}}");
    product.poll();
    assert!(
        alerts(&product)
            .iter()
            .all(|alert| alert.0 != "busy_day" && alert.0 != "policy_changed")
    );
    product.configure("alerts: {rules: {busy_day: {min_message: 1}}}");
    let checked = product.run(&["check"]);
    assert!(checked.code != 0 && (checked.out + &checked.err).contains("busy_day.min_message"));
    let refused = product.poll();
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("alerts.rules.busy_day.min_message")
            && refused.err.contains("min_messages"),
        "{}",
        refused.err
    );
}

/// A thousand alerts: as many addresses with failing mail on one day.
#[cfg(feature = "long-tests")]
fn thousand() -> Mailbox {
    let mut mailbox = Mailbox::empty();
    for reporter in 0..10 {
        let ips: Vec<String> = (0..100)
            .map(|ip| format!("203.0.{reporter}.{ip}"))
            .collect();
        let mut rows: Vec<Row<'_>> = ips.iter().map(|ip| (ip.as_str(), 30, false)).collect();
        rows.push(("192.0.2.10", 900_000, true));
        let name = format!("r{reporter}.example");
        mailbox.add(&format!("{reporter}.xml"), &report(&name, "02-10", &rows));
    }
    mailbox
}

#[cfg(feature = "long-tests")]
#[test]
fn long_a_thousand_alerts_acknowledged_by_fifty_clients_beside_runs_and_a_rebuild_are_all_kept() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    let mailbox = thousand();
    let product = Product::new();
    product.ingest_as_of(&mailbox, &mailbox.names, "2026-02-11");
    let rows =
        product.query(&["select id from alerts where rule = 'unknown_sender_failing' order by id"]);
    let ids: Vec<String> = rows
        .iter()
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 1_000);
    let served = Served::start(&product);
    let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        // Runs with something new, and a rebuild, as long as people click.
        scope.spawn(|| {
            for round in 0.. {
                if is_over.load(Ordering::Relaxed) && round > 2 {
                    break;
                }
                let mut more = Mailbox::empty();
                let name = format!("late{round}.example");
                more.add(
                    "late.xml",
                    &report(&name, "02-09", &[("192.0.2.10", 5, true)]),
                );
                product.ingest_as_of(&more, &more.names, "2026-02-11");
                if round == 1 {
                    assert_eq!(product.run(&["rebuild", "--as-of", "2026-02-11"]).code, 0);
                }
            }
        });
        let clients: Vec<_> = (0..50)
            .map(|client| {
                let (served, next, ids) = (&served, &next, &ids);
                scope.spawn(move || {
                    while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let body = format!("{{\"note\":\"by {client}\"}}");
                        // Everybody clicks twice.
                        for body in [body.as_str(), "{}"] {
                            let json = "Content-Type: application/json\r\n";
                            let answer =
                                served.ask("POST", &format!("/api/alerts/{id}/ack"), json, body);
                            assert_eq!(answer.status, 200, "{}", answer.text());
                        }
                        let alert = served.get(&format!("/api/alerts/{id}")).json();
                        assert_eq!(alert["status"], "acknowledged", "visible at once");
                        assert!(
                            served
                                .get(&format!("/alerts/{id}"))
                                .text()
                                .contains("Acknowledged, until")
                        );
                    }
                })
            })
            .collect();
        clients
            .into_iter()
            .for_each(|client| client.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
    });
    drop(served);
    product.poll_as_of("2026-02-11");
    let counts = &product
        .query(&["select count(*) as actions, count(distinct alert) as alerts from alert_actions"])
        [0];
    assert_eq!(
        (counts["actions"].as_u64(), counts["alerts"].as_u64()),
        (Some(1_000), Some(1_000))
    );
    let open = &product.query(&["select count(*) as open from alerts where status <> 'acknowledged' and rule = 'unknown_sender_failing'"])[0];
    assert_eq!(open["open"].as_u64(), Some(0));
    product.assert_verified("a thousand actions");
}

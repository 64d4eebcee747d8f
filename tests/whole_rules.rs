//! Rules of the user's own that fail, stray or give rows of no use: the others are judged, and everybody is told.

use serde_json::Value as Json;

use crate::product::{Mailbox, Product};
use crate::whole_alerts::report;
use crate::whole_serving::Served;

/// A rule that finds every address on every day, with more columns and another body.
fn rule(name: &str, columns: &str, tail: &str) -> String {
    format!(
        "-- {name}: days of addresses. One row per (domain, subject, day).\n\
         -- params: $domains VARCHAR[], $since DATE, $until DATE\n\
         -- rule: title=\"{name} found {{subject}}\" severity=warning look_back=0\n\
         select\n    \
             domain,\n    \
             source_ip as subject,\n    \
             day,\n    \
             {columns}\n\
         from records{tail}\n\
         where domain in (select unnest($domains::varchar[])) and day >= $since and day < $until\n\
         order by domain, subject, day\n"
    )
}

/// Reports of three days; that of the second has what the rules cannot bear.
fn mailbox() -> Mailbox {
    let mut mailbox = Mailbox::empty();
    for (day, count) in [("02-10", 30), ("02-11", 950), ("02-12", 31)] {
        let rows = [("203.0.113.9", count, false), ("192.0.2.10", 9_000, true)];
        mailbox.add(&format!("{day}.xml"), &report("r.example", day, &rows));
    }
    mailbox
}

fn ingest(product: &Product, mailbox: &Mailbox, at: usize, as_of: &str) -> i32 {
    let names = std::slice::from_ref(&mailbox.names[at]);
    product.ingest_as_of(mailbox, names, as_of).code
}

/// The cells of each row, those that are null left out.
fn words(product: &Product, columns: &str, from: &str) -> Vec<String> {
    let sql = format!("select concat_ws(' ', {columns}) as line from {from} order by line");
    let rows = product.query(&[&sql]);
    rows.iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

fn faults(product: &Product) -> Vec<String> {
    words(product, "rule, fault, rows", "rule_faults")
}

fn stands(product: &Product) -> Vec<String> {
    let found = "alerts where rule not in ('high_failure_rate', 'reporter_first_seen')";
    words(product, "rule, subject, status, reason", found)
}

/// Rules that work until somebody reports 950 messages of an address.
fn fragile() -> [(&'static str, String); 5] {
    [
        (
            "a_cast",
            rule(
                "a_cast",
                "if(messages = 950, 'many', '1')::integer as number",
                "",
            ),
        ),
        (
            "an_error",
            rule(
                "an_error",
                "if(messages = 950, error('<b>no ' || source_ip), 1) as number",
                "",
            ),
        ),
        (
            "no_number",
            rule(
                "no_number",
                "if(messages = 950, 1e300::double, 1)::bigint as number",
                "",
            ),
        ),
        (
            "too_many",
            rule(
                "too_many",
                "n",
                ", range(if(messages = 950, 1100000, 1)) as numbers(n)",
            ),
        ),
        (
            "too_wide",
            rule(
                "too_wide",
                "repeat('x', if(messages = 950, 900000000, 1)) as text",
                "",
            ),
        ),
    ]
}

#[test]
fn rules_that_fail_on_what_was_reported_stop_neither_the_others_nor_the_publication() {
    let mailbox = mailbox();
    let product = Product::new();
    for (name, text) in fragile() {
        product.add_query(&format!("alerts/{name}.sql"), &text);
    }
    assert_eq!(ingest(&product, &mailbox, 0, "2026-02-20"), 0);
    assert_eq!(faults(&product), Vec::<String>::new());
    let id = &words(
        &product,
        "id",
        "alerts where rule = 'a_cast' and subject = '203.0.113.9'",
    )[0];
    assert_eq!(
        product.run(&["alerts", "ack", id, "--note", "known"]).code,
        0
    );
    // Done, but not all of it.
    let names = std::slice::from_ref(&mailbox.names[1]);
    let said = product.ingest_as_of(&mailbox, names, "2026-02-20");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err
            .contains("an_error.sql: Invalid Input Error: <b>no 203.0.113.9"),
        "{}",
        said.err
    );
    assert_eq!(
        faults(&product),
        [
            "a_cast failed",
            "an_error failed",
            "no_number failed",
            "too_many failed",
            "too_wide failed"
        ]
    );
    let failing = ["a_cast", "an_error", "no_number", "too_many", "too_wide"];
    let mut expect = vec!["a_cast 203.0.113.9 acknowledged rule-failed".to_owned()];
    expect.extend(failing.map(|rule| format!("rule_failed {rule} open")));
    expect.push("unknown_sender_failing 203.0.113.9 open".to_owned());
    expect.sort();
    assert_eq!(stands(&product), expect);
    assert_eq!(words(&product, "count(*)", "reports"), ["2"]);
    product.assert_verified("rules fail");
    told_to_all(&product, id);
    // It is one failure, however long it lasts, and who knows of it is left alone.
    let alert = &words(&product, "id", "alerts where subject = 'an_error'")[0];
    assert_eq!(product.run(&["alerts", "ack", alert]).code, 0);
    assert_eq!(ingest(&product, &mailbox, 2, "2026-02-22"), 1);
    assert_eq!(words(&product, "count(*)", "rule_outages"), ["5"]);
    let cells = "status, first_day, last_day, facts ->> 'problem'";
    let stands = &words(&product, cells, "alerts where subject = 'an_error'")[0];
    assert!(
        stands.starts_with("acknowledged 2026-02-20 2026-02-22"),
        "{stands}"
    );
    assert!(stands.contains("an_error.sql: "), "{stands}");
    product.assert_verified("they fail still");
    assert_eq!(product.run(&["rebuild"]).code, 0);
    product.assert_verified("they fail in a rebuild as well");
    mended(&product, id);
}

/// The page, the programs and `sentinel check` say it, and what strangers wrote is text.
fn told_to_all(product: &Product, id: &str) {
    let served = Served::start(product);
    let page = served.get("/alerts").text();
    assert!(
        page.contains("Rules that do not work as they should"),
        "{page}"
    );
    assert!(
        page.contains("&lt;b&gt;no 203.0.113.9") && !page.contains("<b>no"),
        "{page}"
    );
    let list = served.get("/api/alerts").json();
    let faults = list["rule_faults"].as_array().unwrap();
    assert_eq!(faults.len(), 5, "{list}");
    assert!(
        faults[0]["problem"]
            .as_str()
            .unwrap()
            .contains("a_cast.sql:8: Conversion Error"),
        "{list}"
    );
    let status = served.get("/api/status").json();
    assert_eq!(status["status"], "degraded", "{status}");
    assert_eq!(status["failing_rules"][1]["rule"], "an_error", "{status}");
    assert!(
        status["reasons"]
            .to_string()
            .contains("the rule a_cast cannot be asked"),
        "{status}"
    );
    // Nobody is told that reports took the evidence away.
    let page = served.get(&format!("/alerts/{id}")).text();
    assert!(
        page.contains("Not known: its rule cannot be asked"),
        "{page}"
    );
    assert!(
        page.contains("<q>known</q>") && !page.contains("Withdrawn"),
        "{page}"
    );
    let json = "Content-Type: application/json\r\n";
    let refused = served.ask("POST", &format!("/api/alerts/{id}/resolve"), json, "{}");
    assert_eq!(refused.status, 409, "{}", refused.text());
    drop(served);
    let checked = product.run(&["check"]);
    assert_eq!(checked.code, 2, "{}", checked.out);
    assert!(
        checked
            .err
            .contains("a_cast.sql:8: Conversion Error: Could not convert string 'many'"),
        "{}",
        checked.err
    );
    assert!(
        checked.err.contains("too_many.sql: it gives more than"),
        "{}",
        checked.err
    );
}

/// With rules that work, all is as if they had always worked, but for what is told of the time between.
fn mended(product: &Product, id: &str) {
    for (name, _) in fragile() {
        product.add_query(
            &format!("alerts/{name}.sql"),
            &rule(name, "1 as number", ""),
        );
    }
    assert_eq!(product.poll_as_of("2026-02-22").code, 0);
    assert_eq!(faults(product), Vec::<String>::new());
    let stands = words(
        product,
        "status, evidence_days",
        "alerts where rule = 'a_cast'",
    );
    assert_eq!(stands, ["acknowledged 3", "open 3"]);
    let failed = words(
        product,
        "status, reason, last_day",
        "alerts where rule = 'rule_failed'",
    );
    assert_eq!(failed, vec!["resolved ended 2026-02-21"; 5]);
    product.assert_verified("mended");
    let served = Served::start(product);
    assert!(
        !served
            .get("/alerts")
            .text()
            .contains("Rules that do not work")
    );
    assert_eq!(served.get("/api/status").json()["status"], "ok");
    assert_eq!(
        served.get(&format!("/api/alerts/{id}")).json()["status"],
        "acknowledged"
    );
    drop(served);
    let checked = product.run(&["check"]);
    assert_eq!(checked.code, 0, "{}", checked.err);
}

#[test]
fn a_rule_that_takes_for_ever_is_interrupted() {
    let product = Product::with_config("alerts: {rule_time_limit: 1s}\n");
    let mailbox = mailbox();
    product.add_query(
        "alerts/slow.sql",
        &rule(
            "slow",
            "(select count(*) from range(40000000) a, range(40000000) b where a.range * b.range = messages + 1) as n",
            "",
        ),
    );
    let names = &mailbox.names;
    let said = product.ingest_as_of(&mailbox, names, "2026-02-20");
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.err
            .contains("slow.sql: it had no answer after 1 seconds"),
        "{}",
        said.err
    );
    assert_eq!(faults(&product), ["slow failed"]);
    let found = stands(&product);
    assert!(
        found.contains(&"rule_failed slow open".to_owned()),
        "{found:?}"
    );
    assert!(
        found.contains(&"unknown_sender_failing 203.0.113.9 open".to_owned()),
        "{found:?}"
    );
    product.assert_verified("slow");
}

#[test]
fn a_rule_that_fails_on_one_day_and_would_not_on_another_is_verified_as_it_was_noted() {
    // As a rule that is too slow on a busy machine alone.
    let product = Product::new();
    let moody = "if((select count(*) from rule_outages) = 0, error('not today'), 1) as one";
    product.add_query("alerts/moody.sql", &rule("moody", moody, ""));
    let mailbox = mailbox();
    assert_eq!(ingest(&product, &mailbox, 0, "2026-02-20"), 1);
    assert_eq!(faults(&product), ["moody failed"]);
    product.assert_verified("it would work now");
    assert_eq!(ingest(&product, &mailbox, 1, "2026-02-20"), 0);
    assert_eq!(faults(&product), Vec::<String>::new());
    assert_eq!(
        words(&product, "count(*)", "alert_days where rule = 'moody'"),
        ["4"]
    );
    product.assert_verified("mended");
}

#[test]
fn rows_of_no_use_are_left_out_and_counted_the_same_for_any_split() {
    let columns = "if(day = '2026-02-11', 'CRITICAL', 'critical') as severity,
        if(day = '2026-02-11', 'several', '7') as messages,
        if(day = '2026-02-11', 'soon', '2030-01-01') as ended_day,
        if(day = '2026-02-11', 'nan', '0.5')::double as share,
        ['-infinity'::double, 1.5] as parts,
        'NaN \"Infinity\" \\ is said' as said";
    let odd = [
        ("odd_cells", rule("odd_cells", columns, "")),
        (
            "wide",
            rule(
                "wide",
                "repeat('x', if(messages = 950, 20000, 1)) as text",
                "",
            ),
        ),
        (
            "no_subject",
            rule("no_subject", "1 as one", "")
                .replace("source_ip as", "nullif(source_ip, '203.0.113.9') as"),
        ),
        (
            "no_day",
            rule("no_day", "1 as one", "")
                .replace("    day,", "    if(messages = 950, null, day) as day,"),
        ),
        (
            "long",
            rule("long", "1 as one", "").replace("source_ip as", "repeat(source_ip, 200) as"),
        ),
        (
            "other",
            rule("other", "1 as one", "").replace(
                "    domain,",
                "    if(messages = 31, 'x.' || domain, domain) as domain,",
            ),
        ),
        (
            "nobody",
            rule("nobody", "1 as one", "").replace("    domain,", "    null::varchar as domain,"),
        ),
    ];
    let mailbox = mailbox();
    let [whole, split] = [(), ()].map(|()| Product::new());
    for product in [&whole, &split] {
        for (name, text) in &odd {
            product.add_query(&format!("alerts/{name}.sql"), text);
        }
    }
    assert_eq!(
        whole
            .ingest_as_of(&mailbox, &mailbox.names, "2026-02-20")
            .code,
        0
    );
    for at in [1, 2, 0] {
        assert_eq!(ingest(&split, &mailbox, at, "2026-02-20"), 0);
    }
    let expect = [
        "long long_subject 6",
        "no_day no_day 1",
        "no_subject no_subject 3",
        "nobody other_domain 6",
        "odd_cells odd_ended_day 2",
        "odd_cells odd_messages 2",
        "odd_cells odd_severity 2",
        "other other_domain 1",
        "wide wide_facts 1",
    ];
    let days =
        "select rule, domain, subject, day, severity, messages, ended_day, facts::varchar as facts
        from alert_days order by all";
    for product in [&whole, &split] {
        assert_eq!(faults(product), expect);
        product.assert_verified("odd rows");
    }
    assert_eq!(whole.query(&[days]), split.query(&[days]));
    let facts = words(
        &whole,
        "severity, messages, ended_day, facts",
        "alert_days where rule = 'odd_cells' and subject = '203.0.113.9' and day = '2026-02-11'",
    );
    let (row, facts) = facts[0].split_once(" {").unwrap();
    assert_eq!(row, "warning 0");
    let facts: Json = serde_json::from_str(&format!("{{{facts}")).unwrap();
    assert_eq!(
        facts,
        serde_json::json!({"share": null, "parts": [null, 1.5], "said": "NaN \"Infinity\" \\ is said"})
    );
    let served = Served::start(&whole);
    let page = served.get("/alerts").text();
    assert!(
        page.contains("rows that have no subject were left out (3 rows)"),
        "{page}"
    );
    assert_eq!(served.get("/api/status").json()["status"], "ok");
}

#[test]
fn an_answer_that_is_larger_than_the_usual_memory_is_taken_all_the_same() {
    let product = Product::new();
    product.add_query(
        "alerts/wide.sql",
        "-- wide: more than the usual memory holds, a row that is not committed. One row per (domain, subject, day).\n\
         -- rule: title=\"{subject} is wide\" severity=warning\n\
         select\n    \
             null::varchar as domain,\n    \
             'subject ' || i % 400 as subject,\n    \
             date '2025-05-01' + (i // 400)::integer as day,\n    \
             repeat('x', 600) as text\n\
         from range(120_000) numbers(i)\n\
         where exists (from records)\n\
         order by domain, subject, day\n",
    );
    let mailbox = mailbox();
    assert_eq!(ingest(&product, &mailbox, 0, "2026-03-10"), 0);
    assert_eq!(faults(&product), Vec::<String>::new());
    let counts = words(
        &product,
        "count(*)",
        "alert_days where rule = 'wide' group by all",
    );
    assert_eq!(counts, ["120000"]);
    product.assert_verified("wide");
}

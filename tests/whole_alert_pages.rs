//! Pages of alerts as people meet them: buttons that come too late, rules that are switched off, hostile names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::browser::Browser;
use crate::product::{AS_OF, Mailbox, Product};
use crate::whole_serving::Served;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\n";

fn invented() -> (Product, String) {
    let mailbox = Mailbox::invented(600, 45);
    let product = Product::new();
    product.ingest(&mailbox, &mailbox.names);
    let sql = "select id from alerts where status = 'open' and rule = 'unknown_sender_failing' order by id";
    let id = product.query(&[sql])[0]["id"].as_str().unwrap().to_owned();
    (product, id)
}

#[test]
fn a_button_that_comes_too_late_leads_to_the_page_with_the_reason() {
    let (product, id) = invented();
    let served = Served::start(&product);
    let resolve = format!("/api/alerts/{id}/resolve");
    assert_eq!(served.ask("POST", &resolve, FORM, "note=done").status, 303);
    let ack = format!("/api/alerts/{id}/ack");
    let long = format!("note={}", "x".repeat(1_001));
    for (body, status, why) in [
        ("note=", 409, "this alert is resolved"),
        (long.as_str(), 400, "longer than 1000 characters"),
        ("note=%ff", 400, "UTF-8"),
        ("nota=x", 400, "is not known here"),
    ] {
        let answer = served.ask("POST", &ack, FORM, body);
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(
            answer
                .header("content-type")
                .unwrap()
                .starts_with("text/html")
        );
        let page = answer.text();
        for text in ["Not done.", why, "<q>done</q>", "Reopen</button>"] {
            assert!(page.contains(text), "{text}\n{page}");
        }
        // A program is answered as before.
        let json = "Content-Type: application/x-www-form-urlencoded\r\n";
        let answer = served.ask("POST", &ack, json, body);
        assert_eq!(
            (answer.status, answer.json()["status"].as_u64()),
            (status, Some(u64::from(status)))
        );
    }
    // Who may not press it sees a page, and nothing of the alert.
    let foreign = format!("{FORM}Sec-Fetch-Site: cross-site\r\n");
    let answer = served.ask("POST", &ack, &foreign, "note=");
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<h1") && !answer.text().contains("<q>done"));
    let unknown = format!("/api/alerts/{}/ack", "0".repeat(32));
    let answer = served.ask("POST", &unknown, FORM, "note=");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("<h1"), "{}", answer.text());
}

#[test]
fn an_alert_whose_rule_is_switched_off_says_so_and_one_that_is_not_found_any_more_too() {
    let (product, id) = invented();
    assert_eq!(product.run(&["alerts", "ack", &id]).code, 0);
    for (config, reason, words) in [
        (
            "unknown_sender_failing: false",
            "rule-off",
            "its rule is switched off",
        ),
        (
            "unknown_sender_failing: {min_messages: 100000000}",
            "withdrawn",
            "later reports or the configuration took its evidence away",
        ),
    ] {
        product.configure(&format!("alerts: {{rules: {{{config}}}}}\n"));
        assert_eq!(product.run(&["render", "--as-of", AS_OF]).code, 0);
        let sql = format!("select reason from alerts where id = '{id}'");
        assert_eq!(product.query(&[&sql])[0]["reason"].as_str(), Some(reason));
        let page = product
            .current()
            .folder
            .join(format!("site/alerts/{id}.html"));
        let page = std::fs::read_to_string(page).unwrap();
        assert!(
            page.contains(&format!("There is nothing to do: {words}.")) || page.contains(words),
            "{page}"
        );
        assert!(!page.contains("<form class=\"fields\""), "{page}");
        let refused = product.run(&["alerts", "reopen", &id]);
        assert_eq!(refused.code, 2);
        assert!(refused.err.contains(words), "{}", refused.err);
        product.assert_verified(config);
    }
}

/// What strangers call themselves.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;=HYPERLINK(\"http://evil.example\")`*_[x](http://evil.example)";

#[test]
fn names_that_strangers_chose_are_text_on_every_page_of_an_alert() {
    let product = Product::new();
    product.add_query(
        "alerts/hostile.sql",
        &format!(
            "-- hostile: names that are markup. One row per (domain, subject, day).
-- rule: title=\"{{subject}} wrote\" severity=critical
select domain, '{}' as subject, max(day) as day, max(messages) as messages, '{}' as said
from reports
where domain = 'example.com'
group by domain
order by domain, subject, day
",
            HOSTILE.replace('\'', "''"),
            HOSTILE.replace('\'', "''")
        ),
    );
    let mailbox = Mailbox::invented(60, 10);
    product.ingest(&mailbox, &mailbox.names);
    let row = &product.query(&["select id from alerts where rule = 'hostile'"])[0];
    let id = row["id"].as_str().unwrap();
    let served = Served::start(&product);
    let pages = [
        format!("/alerts/{id}"),
        "/alerts".to_owned(),
        "/alerts?status=open&domain=%3Cscript%3E".to_owned(),
        "/alerts?limit=5".to_owned(),
    ];
    for path in &pages {
        let page = served.get(path).text();
        for harm in ["<script", "<img", "onerror=alert(2)>", "href=\"http://evil"] {
            assert!(!page.contains(harm), "{path} {harm}\n{page}");
        }
    }
    assert!(
        served
            .get(&pages[0])
            .text()
            .contains("&lt;script&gt;alert(1)")
    );
    let note = "note=%3Cscript%3Ealert(3)%3C%2Fscript%3E%0D%0Ax";
    let path = format!("/api/alerts/{id}/resolve");
    assert_eq!(served.ask("POST", &path, FORM, note).status, 303);
    let late = served.ask("POST", &format!("/api/alerts/{id}/ack"), FORM, note);
    assert_eq!(late.status, 409);
    assert!(!late.text().contains("<script"), "{}", late.text());
    assert!(
        late.text().contains("&lt;script&gt;alert(3)"),
        "{}",
        late.text()
    );
}

#[test]
fn an_alert_acknowledged_in_the_browser_stays_so_after_a_restart_and_a_rebuild() {
    let (product, id) = invented();
    let path = format!("/alerts/{id}");
    let page = |served: &Served| Browser::at(&format!("http://{}{path}", served.address));
    let lead = |words: &str| {
        format!(
            "document.readyState == 'complete' && location.pathname == '{path}' && document.body.innerText.includes('{words}')"
        )
    };
    let is_acknowledged = |browser: &mut Browser| {
        browser.wait_for(&lead("Acknowledged, until it gets graver"));
        browser.wait_for(&lead("asked <b>them</b>"));
    };
    let served = Served::start(&product);
    let mut browser = page(&served);
    browser.wait_for(&lead("Open · evidence of"));
    browser.look("document.getElementById('note-ack').value = 'asked <b>them</b>'");
    browser.look("document.querySelector('form[action$=\"/ack\"] button').click()");
    is_acknowledged(&mut browser);
    drop((browser, served));
    let served = Served::start(&product);
    is_acknowledged(&mut page(&served));
    drop(served);
    let rebuilt = product.run(&["rebuild"]);
    assert!([0, 1].contains(&rebuilt.code), "{}", rebuilt.err);
    is_acknowledged(&mut page(&Served::start(&product)));
}

//! Who sent: services with their carriers, approvals by name, the user's own list; a changed configuration classifies
//! everything anew, and any split of the input gives the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use crate::product::{AS_OF, Mailbox, Product};

/// A report of one day of January 2026 with records that real services leave.
fn report(day: u32) -> String {
    let begin = 1_767_225_600 + i64::from(day) * 86_400;
    let record = |ip: &str, count: u32, dkim: &str, spf: &str, results: &str| {
        format!(
            "<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>\
             <disposition>none</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>\
             <identifiers><header_from>example.com</header_from></identifiers>\
             <auth_results>{results}</auth_results></record>"
        )
    };
    let signed = |domain: &str, selector: &str, result: &str| {
        format!(
            "<dkim><domain>{domain}</domain><selector>{selector}</selector><result>{result}</result></dkim>"
        )
    };
    let sent = |domain: &str, result: &str| {
        format!("<spf><domain>{domain}</domain><scope>mfrom</scope><result>{result}</result></spf>")
    };
    let records = [
        record(
            "192.0.2.1",
            10,
            "fail",
            "pass",
            &(signed("example-com.20230601.GAPPSSMTP.com", "20230601", "pass")
                + &sent("example.com", "pass")),
        ),
        record(
            "192.0.2.2",
            20,
            "pass",
            "fail",
            &(signed("example.com", "resend", "pass")
                + &signed("amazonses.com", "abc", "pass")
                + &sent("eu-west-1.amazonses.com", "pass")),
        ),
        record(
            "192.0.2.3",
            30,
            "fail",
            "fail",
            &(signed("sendgrid.net", "smtpapi", "pass") + &sent("u7.wl3.sendgrid.net", "pass")),
        ),
        record(
            "192.0.2.4",
            40,
            "fail",
            "fail",
            &(signed("sendgrid.net.evil.example", "s1", "pass") + &sent("notsendgrid.net", "pass")),
        ),
        record(
            "192.0.2.5",
            50,
            "fail",
            "fail",
            &(signed("sendgrid.net", "s1", "fail") + &sent("sendgrid.net", "softfail")),
        ),
        record(
            "192.0.2.6",
            60,
            "pass",
            "fail",
            &(signed("example.com", "x", "pass") + &sent("lists.googlegroups.com", "pass")),
        ),
    ];
    format!(
        "<feedback><report_metadata><org_name>r.example</org_name><email>a@r.example</email>\
         <report_id>{day}</report_id><date_range><begin>{begin}</begin><end>{}</end></date_range></report_metadata>\
         <policy_published><domain>example.com</domain><p>none</p></policy_published>{}</feedback>",
        begin + 86_399,
        records.concat()
    )
}

fn mailbox() -> Mailbox {
    let mut mailbox = Mailbox::empty();
    for day in 0..4 {
        mailbox.add(&format!("{day}.xml"), report(day).as_bytes());
    }
    mailbox
}

/// Sender, carrier, category and messages of each kind of record, one a line.
fn classes(product: &Product) -> Vec<String> {
    let sql = "select concat_ws(' ', coalesce(sender, '-'), coalesce(carrier, '-'), category, sum(messages)) as line \
        from records group by sender, carrier, category order by sum(messages), line";
    let rows = product.query(&[sql]);
    rows.iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

/// A product that knows of no sender but what is said of it.
fn configured(more: &str) -> Product {
    let product = Product::new();
    configure(&product, more);
    product
}

fn configure(product: &Product, more: &str) {
    fs::write(product.home().join("config.yml"), more).unwrap();
}

const KNOWN: &str = "known_senders:\n  example.com:\n    services: [sendgrid]\n";

#[test]
fn a_changed_configuration_classifies_everything_anew() {
    let mailbox = mailbox();
    let product = configured("");
    product.ingest(&mailbox, &mailbox.names[..3]);
    let strangers = [
        "google-workspace - compliant 30",
        "resend amazon-ses compliant 60",
        "sendgrid - known_unapproved 90",
        "- - unknown 120",
        "- - threat 150",
        "google-groups - forwarded_pass 180",
    ];
    assert_eq!(classes(&product), strangers);
    product.assert_verified("without a configuration");
    configure(&product, KNOWN);
    product.ingest(&mailbox, &mailbox.names[3..]);
    assert_eq!(
        classes(&product)[2],
        "sendgrid - misconfigured 120",
        "approved by name"
    );
    let whole = configured(KNOWN);
    whole.ingest(&mailbox, &mailbox.names);
    // As many runs as the other had: what comes in is the same then.
    product.assert_verified("configured on the way");
    assert_eq!(classes(&product), classes(&whole));
    let roll_up = "from domain_senders order by all";
    assert_eq!(product.query(&[roll_up]), whole.query(&[roll_up]));
    let rebuilt = product.run(&["rebuild", "--as-of", AS_OF]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.err);
    assert_eq!(product.query(&[roll_up]), whole.query(&[roll_up]));
    product.assert_verified("rebuilt");
}

#[test]
fn a_list_of_services_of_the_user_is_used_and_its_mistakes_are_named() {
    let mailbox = mailbox();
    let product = configured("");
    let list = product.home().join("queries/seeds/services.csv");
    fs::create_dir_all(list.parent().unwrap()).unwrap();
    let rows = "service,name,kind,dkim_domains,rides_on\nevil,Evil,host,evil.example,\n";
    fs::write(&list, rows).unwrap();
    product.ingest(&mailbox, &mailbox.names);
    let found = classes(&product);
    assert!(
        found.contains(&"evil - known_unapproved 160".to_owned()),
        "{found:?}"
    );
    assert!(
        !found.iter().any(|line| line.contains("sendgrid")),
        "{found:?}"
    );
    fs::write(&list, rows.replace("host,evil", "hosts,evil")).unwrap();
    let said = product.run(&["check"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("services.csv:2: `kind` is one of"),
        "{}",
        said.err
    );
    fs::write(&list, rows).unwrap();
    fs::write(list.with_file_name("service.csv"), rows).unwrap();
    let said = product.run(&["check"]);
    assert!(
        said.err.contains("only services.csv is read here"),
        "{}",
        said.err
    );
}

#[test]
fn the_page_of_senders_names_each_with_its_addresses() {
    let mailbox = mailbox();
    let product = configured(KNOWN);
    product.ingest_as_of(&mailbox, &mailbox.names, "2026-01-10");
    let page = product.data().join("public/current/site/senders.html");
    let html = fs::read_to_string(page).unwrap();
    for expect in [
        "href=\"/senders#sender-sendgrid\"",
        "id=\"sender-sendgrid\"",
        "Twilio SendGrid",
        "misconfigured 120",
        "both pass none aligned 120",
        "sendgrid.net.evil.example",
    ] {
        assert!(html.contains(expect), "{expect}");
    }
}

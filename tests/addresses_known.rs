//! What is known of addresses from elsewhere, whenever it comes: what is published is what a rebuild gives.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::net::IpAddr;

use sentinel::addresses::Networks;
use sentinel::ledger::{Ledger, hosts_looked_up};
use sentinel::model::address::{HostAnswer, NetworkFacts};
use serde_json::json;

use crate::mmdb_file::mmdb;
use crate::product::{AS_OF, Mailbox, Product};

/// A report of one of the last days, with a failing record of each address.
pub fn report(number: u32, addresses: &[&str]) -> String {
    let begin = 1_772_668_800 + i64::from(number % 4) * 86_400;
    let record = |ip: &&str| {
        format!(
            "<record><row><source_ip>{ip}</source_ip><count>{}</count><policy_evaluated><disposition>none</disposition>\
             <dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from>\
             </identifiers><auth_results/></record>",
            10_000 + number
        )
    };
    format!(
        "<feedback><report_metadata><org_name>r.example</org_name><email>a@r.example</email>\
         <report_id>{number}</report_id><date_range><begin>{begin}</begin><end>{}</end></date_range></report_metadata>\
         <policy_published><domain>example.com</domain><p>none</p></policy_published>{}</feedback>",
        begin + 86_399,
        addresses.iter().map(record).collect::<String>(),
    )
}

/// Each address with its sender, all records of it the same.
pub fn sent_by(product: &Product) -> Vec<String> {
    let sql = "select distinct source_ip || ' ' || coalesce(sender, 'null') as line from records order by line";
    let rows = product.query(&[sql]);
    rows.iter()
        .map(|row| row["line"].as_str().unwrap().to_owned())
        .collect()
}

fn note(product: &Product, answers: &[(&str, Option<&str>)]) {
    let answers: Vec<(IpAddr, HostAnswer)> = answers
        .iter()
        .map(|(address, name)| {
            let answer = name.map_or(HostAnswer::Nameless, |name| {
                HostAnswer::Named(name.to_owned())
            });
            (address.parse().unwrap(), answer)
        })
        .collect();
    let ledger = Ledger::open(&product.data().join("ledger")).unwrap();
    ledger
        .append(1_773_100_000, &hosts_looked_up(&answers))
        .unwrap();
}

#[test]
fn names_that_come_before_between_and_after_the_mails_give_what_a_rebuild_gives() {
    let product = Product::new();
    let mut mailbox = Mailbox::invented(60, 20);
    let invented = mailbox.names.len();
    for number in 1..=4 {
        mailbox.add(
            "own.xml",
            report(number, &["5.45.0.1", "5.45.0.2", "5.45.0.3"]).as_bytes(),
        );
    }
    let (invented, own) = mailbox.names.split_at(invented);
    let ingest = |names: &[String]| {
        let said = match names {
            [] => product.poll(),
            names => product.ingest(&mailbox, names),
        };
        assert!(said.code < 2, "{}", said.err);
    };
    let check = |what: &str, senders: &[&str]| {
        product.assert_verified(what);
        let found = sent_by(&product);
        for sender in senders {
            assert!(found.contains(&(*sender).to_owned()), "{what}: {found:?}");
        }
    };
    // Known before anything else is.
    note(&product, &[("5.45.0.1", Some("o1.ptr.sendgrid.net"))]);
    ingest(&[invented, &own[..1]].concat());
    check("before", &["5.45.0.1 sendgrid", "5.45.0.2 null"]);
    // A name that tells of no sender.
    note(&product, &[("5.45.0.2", Some("mail.sender.example"))]);
    let before = product.current().number;
    ingest(&[]);
    assert_eq!(
        product.current().number,
        before + 1,
        "a name alone is published"
    );
    check("no sender", &["5.45.0.2 null"]);
    // The same again is nothing new.
    note(&product, &[("5.45.0.2", Some("mail.sender.example"))]);
    ingest(&[]);
    assert_eq!(product.current().number, before + 1);
    // One that does, with new mail and without.
    note(&product, &[("5.45.0.3", Some("mail-1.google.com"))]);
    ingest(&own[1..2]);
    check("with mail", &["5.45.0.3 google-workspace"]);
    note(&product, &[("5.45.0.2", Some("o2.ptr.sendgrid.net"))]);
    ingest(&[]);
    check("without", &["5.45.0.2 sendgrid"]);
    // Another, and none any more.
    note(
        &product,
        &[("5.45.0.1", None), ("5.45.0.2", Some("x.mktomail.com"))],
    );
    ingest(&own[2..3]);
    check(
        "gone",
        &[
            "5.45.0.1 null",
            "5.45.0.2 marketo",
            "5.45.0.3 google-workspace",
        ],
    );
    ingest(&own[3..]);
    check(
        "at last",
        &[
            "5.45.0.1 null",
            "5.45.0.2 marketo",
            "5.45.0.3 google-workspace",
        ],
    );
    let page = fs::read_to_string(
        product
            .current()
            .folder
            .join("site/domains/example.com.html"),
    );
    assert!(page.unwrap().contains("x.mktomail.com"));
    // All at once gives the same.
    let other = Product::new();
    fs::create_dir_all(other.data()).unwrap();
    note(
        &other,
        &[
            ("5.45.0.2", Some("x.mktomail.com")),
            ("5.45.0.3", Some("mail-1.google.com")),
        ],
    );
    assert!(other.ingest(&mailbox, &mailbox.names).code < 2);
    product.assert_same(&other, "all at once");
}

/// Names that hosts have in turn; most tell of services, which are evidence of other strength for each record.
const NAMES: [Option<&str>; 7] = [
    Some("o1.ptr.sendgrid.net"),
    None,
    Some("mail-1.google.com"),
    Some("mail.sender.example"),
    Some("a1.smtp-out.amazonses.com"),
    Some("mail.protection.outlook.com"),
    Some("x.mktomail.com"),
];

#[test]
fn names_of_all_hosts_that_change_again_and_again_give_what_a_rebuild_gives() {
    let product = Product::new();
    let mailbox = Mailbox::invented(240, 30);
    let parts: Vec<&[String]> = mailbox
        .names
        .chunks(mailbox.names.len().div_ceil(3))
        .collect();
    for (round, part) in parts.iter().enumerate() {
        assert!(product.ingest(&mailbox, part).code < 2);
        let rows = product.query(&["select distinct source_ip from sources order by source_ip"]);
        assert!(rows.len() > 20, "{}", rows.len());
        let names: Vec<(&str, Option<&str>)> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| {
                (
                    row["source_ip"].as_str().unwrap(),
                    NAMES[(at * 3 + round) % NAMES.len()],
                )
            })
            .collect();
        note(&product, &names);
        let nothing = tempfile::tempdir().unwrap();
        let said = product.run_in(nothing.path(), &["-v", "ingest", "--as-of", AS_OF, "."]);
        assert!(
            said.code == 0 && !said.err.contains("loaded anew"),
            "{}",
            said.err
        );
        product.assert_verified(&format!("round {round}"));
    }
    let by_name = "select count(*) as records from records where list_contains(['sendgrid', 'marketo'], sender)";
    assert!(product.query(&[by_name])[0]["records"].as_i64() > Some(20));
    let other = Product::new();
    let ledger = fs::read_to_string(product.data().join("ledger/events.jsonl")).unwrap();
    assert_eq!(ledger.matches("hosts-looked-up").count(), 3);
    assert!(other.ingest(&mailbox, &mailbox.names).code < 2);
    let last = product.query(&["select source_ip, host_name from addresses order by all"]);
    let last: Vec<(&str, Option<&str>)> = last
        .iter()
        .map(|row| {
            (
                row["source_ip"].as_str().unwrap(),
                row["host_name"].as_str(),
            )
        })
        .collect();
    note(&other, &last);
    assert_eq!(other.poll().code, 0);
    product.assert_same(&other, "all at once");
}

#[test]
fn a_name_of_which_many_records_tell_has_all_records_loaded_anew() {
    let product = Product::new();
    let mut mailbox = Mailbox::empty();
    // More than are classified anew by themselves.
    let addresses = vec!["5.45.0.1"; 50_001];
    mailbox.add("own.xml", report(1, &addresses).as_bytes());
    mailbox.add("own.xml", report(2, &["5.45.0.1", "5.45.0.2"]).as_bytes());
    assert_eq!(product.ingest(&mailbox, &mailbox.names).code, 0);
    note(&product, &[("5.45.0.1", Some("o1.ptr.sendgrid.net"))]);
    let nothing = tempfile::tempdir().unwrap();
    let said = product.run_in(nothing.path(), &["-v", "ingest", "--as-of", AS_OF, "."]);
    assert!(
        said.code == 0 && said.err.contains("loaded anew"),
        "{}",
        said.err
    );
    assert_eq!(sent_by(&product), ["5.45.0.1 sendgrid", "5.45.0.2 null"]);
    product.assert_verified("many");
}

#[test]
fn a_run_that_died_after_it_learnt_a_name_is_finished_by_the_next() {
    let product = Product::new();
    let mut mailbox = Mailbox::invented(40, 10);
    mailbox.add("own.xml", report(1, &["5.45.0.1"]).as_bytes());
    assert!(product.ingest(&mailbox, &mailbox.names).code < 2);
    let base = product.current();
    note(&product, &[("5.45.0.1", Some("mail.sender.example"))]);
    assert_eq!(product.poll().code, 0);
    // As if it had died before the new generation was in its place.
    let learnt = product.current();
    assert_ne!(base.manifest.files, learnt.manifest.files);
    let current = product.data().join("public/current");
    fs::remove_file(&current).unwrap();
    std::os::unix::fs::symlink(format!("releases/{}", base.number), &current).unwrap();
    assert_eq!(product.poll().code, 0);
    assert_eq!(product.current().manifest.files, learnt.manifest.files);
    product.assert_verified("finished");
}

fn facts(country: &str, asn: u32, network: &str) -> NetworkFacts {
    NetworkFacts {
        country: (!country.is_empty()).then(|| country.to_owned()),
        asn: (asn > 0).then_some(asn),
        network: (!network.is_empty()).then(|| network.to_owned()),
    }
}

#[test]
fn networks_are_read_in_every_form_that_free_databases_have() {
    let folder = tempfile::tempdir().unwrap();
    let open = |files: &[Vec<u8>]| {
        let mut paths = Vec::new();
        for (number, bytes) in files.iter().enumerate() {
            let path = folder.path().join(format!("{number}.mmdb"));
            fs::write(&path, bytes).unwrap();
            paths.push(path);
        }
        Networks::open(&paths).unwrap()
    };
    let long = "x".repeat(200);
    for (said, expect) in [
        (
            json!({"country": {"iso_code": "DE", "names": {"en": "Germany"}}}),
            facts("DE", 0, ""),
        ),
        (
            json!({"registered_country": {"iso_code": "FR"}}),
            facts("FR", 0, ""),
        ),
        (
            json!({"autonomous_system_number": 64_496, "autonomous_system_organization": "Example Net"}),
            facts("", 64_496, "Example Net"),
        ),
        (
            json!({"country": "Germany", "country_code": "DE", "asn": "AS64496", "as_name": "Example Net"}),
            facts("DE", 64_496, "Example Net"),
        ),
        (
            json!({"country": "de", "asn": "AS64496", "name": "Example Net", "domain": "example.net"}),
            facts("DE", 64_496, "Example Net"),
        ),
        // What has no place here, or the wrong form.
        (
            json!({"city": {"names": {"en": "Berlin"}}, "name": "Berlin"}),
            facts("", 0, ""),
        ),
        (
            json!({"country": {"iso_code": "<b>"}, "asn": "AS0", "as_name": 7}),
            facts("", 0, ""),
        ),
        (
            json!({"country_code": ["DE"], "asn": {"x": 1}}),
            facts("", 0, ""),
        ),
        (json!("DE"), facts("", 0, "")),
        (
            json!({"as_name": format!("a\u{202e}\n{long}"), "asn": 1}),
            facts("", 1, &format!("a[U+202E] {}\u{2026}", &long[..70])),
        ),
    ] {
        let networks = open(&[mmdb("Test", &[("5.45.0.0/16", said.clone())])]);
        assert_eq!(
            networks.facts("5.45.1.2".parse().unwrap()),
            expect,
            "{said}"
        );
        assert!(networks.facts("5.46.1.2".parse().unwrap()).is_empty());
        assert!(networks.facts("2a00:45::1".parse().unwrap()).is_empty());
    }
    let both = open(&[
        mmdb(
            "Country",
            &[("2a00:45::/32", json!({"country": {"iso_code": "DE"}}))],
        ),
        mmdb(
            "Both",
            &[(
                "2a00:45::/32",
                json!({"country_code": "FR", "asn": "AS7", "as_name": "Net"}),
            )],
        ),
    ]);
    assert_eq!(
        both.facts("2a00:45::1".parse().unwrap()),
        facts("DE", 7, "Net")
    );
    assert_eq!(both.files()[1].kind, "Both");
}

#[test]
fn a_damaged_file_of_networks_costs_facts_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("networks.mmdb");
    let networks = [(
        "5.45.0.0/16",
        json!({"country_code": "DE", "asn": "AS7", "as_name": "Net"}),
    )];
    let whole = mmdb("Test", &networks);
    for at in 0..whole.len() {
        for byte in [0x00, 0xff, whole[at] ^ 0x20] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            fs::write(&path, damaged).unwrap();
            if let Ok(networks) = Networks::open(std::slice::from_ref(&path)) {
                networks.facts("5.45.1.2".parse().unwrap());
                networks.facts("2a00:45::1".parse().unwrap());
            }
        }
        fs::write(&path, &whole[..at]).unwrap();
        assert!(Networks::open(std::slice::from_ref(&path)).is_err());
    }
}

#[test]
fn networks_are_shown_and_another_file_is_taken_up_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("networks.mmdb");
    let write = |asn: &str, name: &str| {
        let said = json!({"country_code": "DE", "asn": asn, "as_name": name});
        fs::write(&path, mmdb("Lite", &[("5.45.0.0/24", said)])).unwrap();
    };
    write("AS64496", "Example <b>Net</b>");
    let product = Product::with_config(&format!("addresses:\n  mmdb: [{}]\n", path.display()));
    let mut mailbox = Mailbox::invented(40, 10);
    mailbox.add("own.xml", report(1, &["5.45.0.1", "5.46.0.1"]).as_bytes());
    mailbox.add("own.xml", report(2, &["5.45.0.2"]).as_bytes());
    let (last, others) = mailbox.names.split_last().unwrap();
    assert!(product.ingest(&mailbox, others).code < 2);
    let sql = "select source_ip, country, asn, network from addresses order by all";
    let row = |ip: &str, asn: u32, name: &str| json!({"source_ip": ip, "country": "DE", "asn": asn, "network": name});
    let expect = json!([row("5.45.0.1", 64_496, "Example <b>Net</b>")]);
    assert_eq!(json!(product.query(&[sql])), expect);
    product.assert_verified("networks");
    let page = || {
        fs::read_to_string(
            product
                .current()
                .folder
                .join("site/domains/example.com.html"),
        )
        .unwrap()
    };
    assert!(page().contains("Example &lt;b&gt;Net&lt;/b&gt;"));
    let said = product.run(&["check"]);
    assert!(
        said.out.contains("networks: Lite of 2026-01-01 in "),
        "{}",
        said.out
    );
    // Names and networks stand beside each other.
    note(&product, &[("5.45.0.1", Some("mail.sender.example"))]);
    assert!(product.ingest(&mailbox, std::slice::from_ref(last)).code < 2);
    product.assert_verified("with names");
    write("AS64500", "Other Net");
    assert_eq!(product.poll().code, 0);
    let expect = json!([
        row("5.45.0.1", 64_500, "Other Net"),
        row("5.45.0.2", 64_500, "Other Net")
    ]);
    assert_eq!(json!(product.query(&[sql])), expect);
    assert!(page().contains("Other Net") && page().contains("mail.sender.example"));
    product.assert_verified("another file");
    fs::remove_file(&path).unwrap();
    let said = product.run(&["verify"]);
    assert_eq!(said.code, 2, "{}", said.err);
    let expect = format!("addresses.mmdb[0]: {} cannot be read", path.display());
    assert!(
        said.err.contains("config.yml:") && said.err.contains(&expect),
        "{}",
        said.err
    );
    product.configure("");
    assert_eq!(product.poll().code, 0);
    let expect = json!([{"source_ip": "5.45.0.1", "country": null, "asn": null, "network": null}]);
    assert_eq!(json!(product.query(&[sql])), expect, "its name is left");
    product.assert_verified("without files");
}

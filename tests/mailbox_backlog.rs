//! Old mail: chosen, tried out, interrupted, fetched again.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::process::Command;

use crate::mail_server::MailServer;
use crate::mailbox_fetch::{other_mail, product_of, report_mail};
use crate::product::{AS_OF, Product, Said};

fn backlog(product: &Product, more: &[&str]) -> Said {
    let words = ["backlog", "--inbox", "dmarc", "--as-of", AS_OF];
    product.run(&[&words, more].concat())
}

/// A mailbox whose messages arrived in January 2024, one a day.
fn dated(count: u32) -> MailServer {
    let server = MailServer::start();
    server.make_folder("reports", "DMARC");
    for number in 1..=count {
        let path = server.deliver("reports", "DMARC", &report_mail(number));
        let date = format!("2024-01-{number:02}T12:00:00Z");
        let touched = Command::new("touch").args(["-d", &date]).arg(path).status();
        assert!(touched.unwrap().success());
    }
    server
}

fn counted(said: &Said) -> &str {
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let end = said.last_line().find(", conflict").unwrap();
    &said.last_line()[..end]
}

#[test]
fn old_mail_is_chosen_by_day_and_number_and_never_fetched_twice() {
    let server = dated(9);
    let product = product_of(&server, "");
    let said = backlog(
        &product,
        &["--since", "2024-01-03", "--before", "2024-01-06"],
    );
    assert_eq!(counted(&said), "accepted 3, duplicate 0");
    let said = backlog(&product, &["--limit", "2"]);
    assert_eq!(counted(&said), "accepted 2, duplicate 0");
    let uids = || -> Vec<u64> {
        let rows = product.query(&["select uid from items order by uid"]);
        rows.iter()
            .map(|row| row["uid"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(uids(), [1, 2, 3, 4, 5]);
    let said = backlog(&product, &["--since", "2024-01-08"]);
    assert_eq!(counted(&said), "accepted 2, duplicate 0");
    assert_eq!(uids(), [1, 2, 3, 4, 5, 8, 9]);
    assert_eq!(counted(&backlog(&product, &[])), "accepted 2, duplicate 0");
    assert_eq!(uids(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(counted(&backlog(&product, &[])), "accepted 0, duplicate 0");
    product.assert_verified("after five backlogs");
}

#[test]
fn a_pass_takes_what_it_would_have_taken_without_the_backlog_before_it() {
    let server = dated(9);
    let product = product_of(&server, "    after: mark_seen\n");
    let seen = || {
        let names = server.messages("reports", "DMARC");
        names.iter().filter(|name| name.ends_with(":2,S")).count()
    };
    let chosen = ["--since", "2024-01-04", "--before", "2024-01-06"];
    assert_eq!(
        counted(&backlog(&product, &chosen)),
        "accepted 2, duplicate 0"
    );
    let last = ["--since", "2024-01-09"];
    assert_eq!(
        counted(&backlog(&product, &last)),
        "accepted 1, duplicate 0"
    );
    assert_eq!(seen(), 3);
    let said = product.run(&["check"]);
    assert!(
        said.out
            .contains("3 messages of DMARC are archived, up to UID 9"),
        "{}",
        said.out
    );
    assert!(said.out.contains("; 6 new; "), "{}", said.out);
    let pass = || product.run(&["run", "--as-of", AS_OF]);
    assert_eq!(counted(&pass()), "accepted 6, duplicate 0");
    assert_eq!(seen(), 9);
    let generation = product.current().number;
    assert_eq!(counted(&pass()), "accepted 0, duplicate 0");
    assert_eq!(product.current().number, generation, "nothing new");
    server.deliver("reports", "DMARC", &report_mail(10));
    assert_eq!(counted(&pass()), "accepted 1, duplicate 0");
    let rows = product.query(&["select count(*) as n, count(distinct uid) as uids from items"]);
    assert_eq!(
        (rows[0]["n"].as_u64(), rows[0]["uids"].as_u64()),
        (Some(10), Some(10))
    );
    product.assert_verified("passes after backlogs");
}

#[test]
fn another_folder_and_the_flag_of_read_messages_are_up_to_the_command() {
    let server = dated(2);
    server.make_folder("reports", "Old.2023");
    server.deliver("reports", "Old.2023", &report_mail(11));
    let product = product_of(&server, "");
    let said = backlog(&product, &["--folder", "Old/2023", "--mark-seen"]);
    assert_eq!(counted(&said), "accepted 1, duplicate 0");
    let seen = |folder: &str| {
        let names = server.messages("reports", folder);
        names.iter().filter(|name| name.ends_with(":2,S")).count()
    };
    assert_eq!((seen("Old.2023"), seen("DMARC")), (1, 0));
    let said = backlog(&product, &["--folder", "Odl/2023"]);
    assert_eq!(said.code, 3);
    assert!(
        said.err.contains("there is no folder \"Odl/2023\""),
        "{}",
        said.err
    );
    let said = product.run(&["backlog", "--inbox", "dmrac"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("did you mean \"dmarc\"?"), "{}", said.err);
}

#[test]
fn only_chosen_messages_are_marked_those_that_were_archived_before_among_them() {
    let server = dated(4);
    let product = product_of(&server, "");
    let said = product.run(&["run", "--as-of", AS_OF]);
    assert_eq!(counted(&said), "accepted 4, duplicate 0");
    let seen = || {
        let names = server.messages("reports", "DMARC");
        names.iter().filter(|name| name.ends_with(":2,S")).count()
    };
    for (choice, expect) in [
        (["--limit", "1"].as_slice(), 0),
        (&["--since", "2024-01-02", "--before", "2024-01-03"], 1),
        (&["--since", "2024-01-03"], 3),
        (&[], 4),
    ] {
        let said = backlog(&product, &[&["--mark-seen"], choice].concat());
        assert_eq!(counted(&said), "accepted 0, duplicate 0");
        assert_eq!(seen(), expect, "{choice:?}");
    }
}

#[test]
fn a_dry_run_says_what_each_message_would_become_and_stores_nothing() {
    let server = dated(2);
    let product = product_of(&server, "    after: delete\n");
    assert_eq!(
        counted(&backlog(&product, &["--limit", "1"])),
        "accepted 1, duplicate 0"
    );
    server.deliver("reports", "DMARC", &report_mail(1));
    server.deliver("reports", "DMARC", &other_mail(1));
    let tree = || {
        let mut names: Vec<String> = Vec::new();
        for folder in ["archive", "ledger", "work", "public/releases"] {
            names.extend(crate::product::names_in(&product.data().join(folder)));
        }
        let ledger = fs::read(product.data().join("ledger/events.jsonl")).unwrap();
        (names, ledger, server.messages("reports", "DMARC").len())
    };
    let before = tree();
    for words in [["backlog", "--inbox", "dmarc"].as_slice(), &["run"]] {
        let said = product.run(&[words, &["--dry-run"]].concat());
        assert_eq!(counted(&said), "accepted 1, duplicate 1");
        let lines: Vec<&str> = said.out.lines().collect();
        assert_eq!(lines.len(), 4, "{}", said.out);
        assert!(
            lines[0].starts_with("DMARC 2 accepted: reporter.example about example.com, 2026-"),
            "{}",
            said.out
        );
        assert!(lines[1].starts_with("DMARC 3 duplicate: "), "{}", said.out);
        assert!(lines[2].starts_with("DMARC 4 not-a-report"), "{}", said.out);
        assert!(lines[2].ends_with("(Lunch 1)"), "{}", said.out);
        assert_eq!(tree(), before);
    }
    assert_eq!(counted(&backlog(&product, &[])), "accepted 1, duplicate 1");
}

#[test]
fn a_dry_run_that_was_killed_leaves_nothing_for_long_and_none_begins_on_a_full_disk() {
    let server = dated(1);
    let product = product_of(&server, "");
    let leftover = product.data().join("work/dry-run");
    let leave = || {
        fs::create_dir_all(leftover.join("work")).unwrap();
        fs::write(leftover.join("work/sentinel.duckdb"), "half a copy").unwrap();
    };
    leave();
    assert_eq!(
        counted(&product.run(&["run", "--as-of", AS_OF])),
        "accepted 1, duplicate 0"
    );
    assert!(!leftover.exists());
    leave();
    assert_eq!(product.run(&["rebuild"]).code, 0);
    assert!(!leftover.exists());
    let config = product.home().join("config.yml");
    let text = fs::read_to_string(&config).unwrap();
    let full = text.replace("\napp:\n", "\napp:\n  min_free_disk: 1000000 GiB\n");
    fs::write(&config, full).unwrap();
    for words in [["run"].as_slice(), &["backlog", "--inbox", "dmarc"]] {
        let said = product.run(&[words, &["--dry-run"]].concat());
        assert_eq!(said.code, 3, "{}", said.out);
        assert!(
            said.err.contains("MiB are left on the disk"),
            "{}",
            said.err
        );
    }
}

#[test]
fn what_was_refused_is_tried_again_when_it_is_asked_for_and_not_archived_twice() {
    let server = dated(2);
    let mut large = report_mail(3);
    large.extend(b" \r\n".repeat(40_000));
    server.deliver("reports", "DMARC", &large);
    server.deliver("reports", "DMARC", &other_mail(1));
    let limits = "limits: {item_bytes: 64 KiB}\n";
    let product = product_of(&server, limits);
    let said = product.run(&["run", "--as-of", AS_OF]);
    assert!(said.last_line().ends_with("refused 1"), "{}", said.out);
    let items = || product.query(&["select count(*) as n from items"])[0]["n"].as_u64();
    let said = backlog(&product, &["--reprocess"]);
    assert_eq!(
        (counted(&said), items()),
        ("accepted 0, duplicate 0", Some(4))
    );
    product.configure(&server.inbox());
    let said = backlog(&product, &["--reprocess"]);
    assert_eq!(
        (counted(&said), items()),
        ("accepted 1, duplicate 0", Some(5))
    );
    let said = backlog(&product, &["--reprocess"]);
    assert_eq!(
        (counted(&said), items()),
        ("accepted 0, duplicate 0", Some(5))
    );
    assert_eq!(product.outcomes()["accepted"], 3);
    product.assert_verified("after a second look");
}

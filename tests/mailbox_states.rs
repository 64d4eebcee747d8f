//! What a mailbox comes to in the course of time: some of its mails leave and others stay, or it is put back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use crate::mail_server::Setup;
use crate::mailbox_daemon::Fetching;
use crate::mailbox_fetch::{
    accepted, other_mail, pass, product_of, report_mail, three, with_reports,
};
use crate::product::{AS_OF, names_in, until};

#[test]
fn what_is_marked_where_others_leave_is_marked_once() {
    for (more, left) in [
        ("    after: move\n    without_report: mark_seen\n", 1),
        ("    after: mark_seen\n    without_report: move\n", 2),
    ] {
        let server = with_reports(Setup::default(), "DMARC", 2);
        server.deliver("reports", "DMARC", &other_mail(1));
        let more = format!("{more}    poll_interval: 1s\n    idle: false\n");
        let product = product_of(&server, &more);
        let said = accepted(&product, 2);
        assert!(said.err.contains("3 treated"), "{}", said.err);
        let names = server.messages("reports", "DMARC");
        let seen = names.iter().filter(|name| name.ends_with(":2,S")).count();
        assert_eq!((names.len(), seen), (left, left), "{names:?}");
        let said = accepted(&product, 0);
        assert!(!said.err.contains("treated"), "{}", said.err);
        // What the server that runs has marked is not taken for what could not be marked.
        server.deliver("reports", "DMARC", &report_mail(3));
        server.deliver("reports", "DMARC", &other_mail(2));
        let fetching = Fetching::start(&product);
        fetching.wait_for(5);
        let logins = || server.log().matches("Login:").count();
        let before = logins();
        assert!(until(|| logins() > before + 3), "{}", fetching.log());
        let log = fetching.log();
        assert!(!log.contains("are as they were"), "{log}");
    }
}

#[test]
fn a_folder_that_was_put_back_to_an_earlier_state_is_not_taken_for_one_without_news() {
    let mut server = three();
    let product = product_of(&server, "");
    accepted(&product, 3);
    let maildir = server.maildir("reports", "DMARC");
    let list = maildir.join("dovecot-uidlist");
    let backup = fs::read_to_string(&list).unwrap();
    let lost = server.deliver("reports", "DMARC", &report_mail(4));
    accepted(&product, 1);
    server.kill();
    fs::remove_file(&lost).unwrap();
    fs::write(&list, backup).unwrap();
    for name in names_in(&maildir) {
        if name.starts_with("dovecot.index") {
            fs::remove_file(maildir.join(name)).unwrap();
        }
    }
    server.restart();
    for words in [["run"].as_slice(), &["backlog", "--inbox", "dmarc"]] {
        let said = product.run(&[words, &["--as-of", AS_OF]].concat());
        assert_eq!(said.code, 3, "{}", said.out);
        assert!(
            said.err.contains("was put back to an earlier state"),
            "{}",
            said.err
        );
    }
    // It gets the number of the one that is gone.
    server.deliver("reports", "DMARC", &report_mail(5));
    product.configure(&server.inbox().replace("name: dmarc", "name: again"));
    let said = pass(&product);
    assert!(
        said.last_line().starts_with("accepted 1, duplicate 3, "),
        "{} {}",
        said.out,
        said.err
    );
}

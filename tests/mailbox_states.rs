//! What a mailbox comes to in the course of time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::mail_server::Setup;
use crate::mailbox_daemon::Fetching;
use crate::mailbox_fetch::{accepted, other_mail, product_of, report_mail, with_reports};
use crate::product::until;

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

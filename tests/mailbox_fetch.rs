//! Reports come out of real mailboxes: each once, whatever the server does meanwhile.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::mail_server::{MailServer, Setup};
use crate::product::{AS_OF, Product, Said};

/// A mail with a report, all different.
pub fn report_mail(number: u32) -> Vec<u8> {
    let begin = 1_772_000_000 + u64::from(number % 10) * 86_400;
    format!(
        "From: reports@reporter.example\r\nTo: dmarc@example.com\r\nSubject: Report {number}\r\n\
         Message-ID: <{number}@reporter.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/xml\r\n\r\n\
         <feedback><report_metadata><org_name>reporter.example</org_name><email>a@reporter.example</email>\r\n\
         <report_id>{number}</report_id><date_range><begin>{begin}</begin><end>{end}</end></date_range>\r\n\
         </report_metadata><policy_published><domain>example.com</domain><p>none</p></policy_published>\r\n\
         <record><row><source_ip>192.0.2.{ip}</source_ip><count>{count}</count><policy_evaluated>\r\n\
         <disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>\r\n\
         <identifiers><header_from>example.com</header_from></identifiers><auth_results/></record></feedback>\r\n",
        end = begin + 86_399,
        ip = number % 200 + 1,
        count = number % 7 + 1,
    )
    .into_bytes()
}

/// A mail without one.
pub fn other_mail(number: u32) -> Vec<u8> {
    format!(
        "From: someone@example.org\r\nTo: dmarc@example.com\r\nSubject: Lunch {number}\r\n\r\nAt noon?\r\n"
    )
    .into_bytes()
}

/// A product that reads the server's mailbox; `more` lines of YAML belong to the inbox.
pub fn product_of(server: &MailServer, more: &str) -> Product {
    Product::with_config(&(server.inbox() + more))
}

/// One pass over the mailboxes.
pub fn pass(product: &Product) -> Said {
    product.run(&["run", "--as-of", AS_OF])
}

/// A pass that ends well, with so many reports accepted.
#[track_caller]
pub fn accepted(product: &Product, count: u64) -> Said {
    let said = pass(product);
    assert_eq!(said.code, 0, "{}", said.err);
    let expect = format!("accepted {count}, ");
    assert!(said.last_line().starts_with(&expect), "{}", said.out);
    said
}

pub fn with_reports(setup: Setup, folder: &str, count: u32) -> MailServer {
    let server = MailServer::with(setup);
    server.make_folder("reports", folder);
    for number in 1..=count {
        server.deliver("reports", folder, &report_mail(number));
    }
    server
}

pub fn three() -> MailServer {
    with_reports(Setup::default(), "DMARC", 3)
}

#[test]
fn new_messages_are_fetched_once_and_nothing_is_changed_on_the_server() {
    let server = three();
    let product = product_of(&server, "");
    accepted(&product, 3);
    let generation = product.current().number;
    accepted(&product, 0);
    assert_eq!(
        product.current().number,
        generation,
        "nothing new, nothing published"
    );
    server.deliver("reports", "DMARC", &report_mail(4));
    accepted(&product, 1);
    let rows = product.query(&["select inbox, folder, uid, subject from items order by item_no"]);
    let places: Vec<String> = rows
        .iter()
        .map(|row| format!("{} {} {}", row["inbox"], row["folder"], row["uid"]))
        .collect();
    assert_eq!(
        places,
        ["1", "2", "3", "4"].map(|uid| format!("\"dmarc\" \"DMARC\" {uid}"))
    );
    assert_eq!(rows[3]["subject"], "Report 4");
    assert_eq!(server.messages("reports", "DMARC").len(), 4);
    let flagged = |name: &String| name.contains(",S");
    assert!(!server.messages("reports", "DMARC").iter().any(flagged));
    product.assert_verified("after three passes");
}

#[test]
fn starttls_is_as_good_and_no_connection_goes_on_without_protection() {
    let server = three();
    let ports = |tls: &str, port: u16| {
        let yaml = server.inbox().replace(
            &format!("port: {}\n", server.imaps_port),
            &format!("port: {port}\n    tls: {tls}\n"),
        );
        Product::with_config(&yaml)
    };
    accepted(&ports("starttls", server.imap_port), 3);
    accepted(&ports("none", server.imap_port), 3);
    let said = pass(&ports("implicit", server.imap_port));
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("no protected connection"), "{}", said.err);
    let said = pass(&ports("starttls", server.imaps_port));
    assert_eq!(said.code, 3, "{}", said.err);
}

#[test]
fn a_certificate_of_another_authority_or_for_another_name_is_refused() {
    let (server, other) = (three(), MailServer::start());
    let yaml = server.inbox();
    let of_other = yaml.replace(
        &server.ca_file().display().to_string(),
        &other.ca_file().display().to_string(),
    );
    let other_name = yaml.replace("host: localhost", "host: ip6-localhost");
    for (yaml, what) in [
        (of_other, "invalid peer certificate"),
        (other_name, "ip6-localhost"),
    ] {
        let said = pass(&Product::with_config(&yaml));
        assert_eq!(said.code, 3, "{}", said.err);
        assert!(said.err.contains(what), "{}", said.err);
        assert!(!server.log().contains("Login:"), "no password was sent");
    }
}

#[test]
fn a_wrong_password_a_missing_one_and_a_missing_folder_are_named() {
    let server = three();
    let yaml = server.inbox();
    let run = |yaml: &str, password: Option<&str>| {
        let product = Product::with_config(yaml);
        let mut command = product.command(&product.home(), &["run"]);
        match password {
            Some(password) => command.env("IMAP_PASSWORD", password),
            None => command.env_remove("IMAP_PASSWORD"),
        };
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8(output.stderr).unwrap()
    };
    let said = run(&yaml, Some("wrong"));
    assert!(said.contains("refuses the login of reports"), "{said}");
    assert!(!said.contains("wrong"), "{said}");
    let said = run(&yaml, None);
    assert!(said.contains("IMAP_PASSWORD is not set"), "{said}");
    let missing = yaml + "    folders: [DMRAC]\n";
    let said = run(&missing, Some(crate::mail_server::PASSWORD));
    assert!(
        said.contains("there is no folder \"DMRAC\"") && said.contains("\"DMARC\""),
        "{said}"
    );
}

#[test]
fn folders_are_found_under_any_separator_prefix_and_script() {
    for (setup, on_disk, configured, stored) in [
        (Setup::default(), "DMARC", "DMARC", "DMARC"),
        (
            Setup {
                separator: '.',
                prefix: "INBOX.",
                ..Setup::default()
            },
            "Lists.DMARC",
            "Lists/DMARC",
            "INBOX.Lists.DMARC",
        ),
        (
            Setup {
                separator: '.',
                ..Setup::default()
            },
            "Berichte.Gepr&APw-ft",
            "Berichte/Geprüft",
            "Berichte.Geprüft",
        ),
        (Setup::default(), "&U,BTFw-", "台北", "台北"),
        (
            Setup {
                more: "namespace inbox {\n  mailbox Spam {\n    special_use = \\Junk\n    auto = create\n  }\n}\n",
                ..Setup::default()
            },
            "Spam",
            "'\\Junk'",
            "Spam",
        ),
    ] {
        let server = with_reports(setup, on_disk, 2);
        let product = product_of(&server, &format!("    folders: [{configured}]\n"));
        accepted(&product, 2);
        let rows = product.query(&["select distinct folder from items"]);
        assert_eq!(rows[0]["folder"], stored);
        accepted(&product, 0);
    }
}

#[test]
fn messages_go_where_the_configuration_wants_them() {
    for (more, in_dmarc, in_processed, in_failed, seen) in [
        ("    after: mark_seen\n", 3, 0, 0, 2),
        (
            "    after: mark_seen\n    without_report: mark_seen\n",
            3,
            0,
            0,
            3,
        ),
        ("    after: move\n", 1, 2, 0, 0),
        ("    after: move\n    without_report: move\n", 0, 2, 1, 0),
        ("    after: delete\n", 1, 0, 0, 0),
        (
            "    without_report: move\n    failed_folder: DMARC/Other/Odd\n",
            2,
            0,
            1,
            0,
        ),
    ] {
        for setup in [
            Setup::default(),
            Setup {
                more: "protocol imap {\n  imap_capability = IMAP4rev1 UIDPLUS NAMESPACE LITERAL+ AUTH=PLAIN\n}\n",
                ..Setup::default()
            },
            Setup {
                more: "protocol imap {\n  imap_capability = IMAP4rev1\n}\n",
                ..Setup::default()
            },
        ] {
            let server = with_reports(setup, "DMARC", 2);
            server.deliver("reports", "DMARC", &other_mail(1));
            let product = product_of(&server, more);
            accepted(&product, 2);
            let failed = if more.contains("Odd") {
                "DMARC.Other.Odd"
            } else {
                "DMARC.Failed"
            };
            let count = |folder: &str| server.messages("reports", folder).len();
            assert_eq!(count("DMARC"), in_dmarc, "{more}");
            assert_eq!(count("DMARC.Processed"), in_processed, "{more}");
            assert_eq!(count(failed), in_failed, "{more}");
            let flagged =
                |name: &String| name.rsplit_once(",").is_some_and(|(_, f)| f.contains('S'));
            let names = server.messages("reports", "DMARC");
            assert_eq!(
                names.iter().filter(|name| flagged(name)).count(),
                seen,
                "{more} {names:?}"
            );
            accepted(&product, 0);
        }
    }
}

#[test]
fn what_lies_where_it_is_moved_to_is_left_there_and_a_folder_that_is_named_twice_is_read_once() {
    let server = three();
    server.make_folder("reports", "DMARC.Processed");
    server.deliver("reports", "DMARC.Processed", &report_mail(4));
    let folders = "    after: move\n    folders: [DMARC, DMARC/Processed, DMARC]\n";
    let product = product_of(&server, folders);
    accepted(&product, 4);
    let known = || product.query(&["select count(*) as n from items"])[0]["n"].as_u64();
    // What came from the other folder is new there, once.
    for _ in 0..3 {
        accepted(&product, 0);
        assert_eq!(known(), Some(7));
    }
    assert_eq!(server.messages("reports", "DMARC.Processed").len(), 4);
}

#[test]
fn what_a_run_that_died_left_undone_is_done_by_the_next() {
    let server = three();
    accepted(&product_of(&server, ""), 3);
    let product = product_of(&server, "");
    accepted(&product, 3);
    product.configure(&(server.inbox() + "    after: move\n"));
    accepted(&product, 0);
    assert_eq!(server.messages("reports", "DMARC").len(), 0);
    assert_eq!(server.messages("reports", "DMARC.Processed").len(), 3);
}

/// Gives the folder another UIDVALIDITY.
fn renumber(server: &mut MailServer) {
    server.kill();
    let list = server.maildir("reports", "DMARC").join("dovecot-uidlist");
    let text = fs::read_to_string(&list).unwrap();
    let (head, rest) = text.split_once('\n').unwrap();
    let changed = head.split(' ').map(|word| match word.strip_prefix('V') {
        Some(number) => format!("V{}", number.parse::<u64>().unwrap() + 7),
        None => word.to_owned(),
    });
    let head = changed.collect::<Vec<_>>().join(" ");
    fs::write(&list, format!("{head}\n{rest}")).unwrap();
    for name in crate::product::names_in(&server.maildir("reports", "DMARC")) {
        if name.starts_with("dovecot.index") {
            fs::remove_file(server.maildir("reports", "DMARC").join(name)).unwrap();
        }
    }
    server.restart();
}

#[test]
fn new_numbers_of_all_messages_mean_a_look_at_all_and_no_second_report() {
    let mut server = three();
    let product = product_of(&server, "");
    accepted(&product, 3);
    renumber(&mut server);
    server.deliver("reports", "DMARC", &report_mail(4));
    let said = pass(&product);
    assert!(
        said.last_line().starts_with("accepted 1, duplicate 3, "),
        "{} {}",
        said.out,
        said.err
    );
    let rows =
        product.query(&["select count(distinct uidvalidity) as n, count(*) as items from items"]);
    assert_eq!(
        (rows[0]["n"].as_u64(), rows[0]["items"].as_u64()),
        (Some(2), Some(7))
    );
    accepted(&product, 0);
    product.assert_verified("after a rescan");
}

#[test]
fn mail_whose_bytes_are_not_kept_is_told_of_once_whatever_its_numbers() {
    let mut server = three();
    let mut large = report_mail(4);
    large.extend(b" \r\n".repeat(40_000));
    server.deliver("reports", "DMARC", &large);
    server.deliver("reports", "DMARC", &other_mail(1));
    // Two messages of the same bytes are two.
    server.deliver("reports", "DMARC", &other_mail(1));
    let product = product_of(&server, "limits: {item_bytes: 64 KiB}\n");
    let count = || {
        let outcomes = product.outcomes();
        ["accepted", "duplicate", "not-a-report", "refused"]
            .map(|outcome| outcomes.get(outcome).copied().unwrap_or(0))
    };
    assert_eq!(pass(&product).code, 1);
    assert_eq!(count(), [3, 0, 2, 1]);
    for duplicates in [6, 12] {
        renumber(&mut server);
        let said = pass(&product);
        assert_eq!(said.code, 0, "{} {}", said.out, said.err);
        assert_eq!(count(), [3, duplicates, 2, 1]);
    }
    server.deliver("reports", "DMARC", &other_mail(1));
    server.deliver("reports", "DMARC", &other_mail(2));
    assert_eq!(pass(&product).code, 0);
    assert_eq!(count(), [3, 13, 3, 1]);
    product.assert_verified("after rescans");
    // What was refused may still be had.
    let raised = server.inbox() + "    after: move\n    without_report: nothing\n";
    product.configure(&raised);
    let said = product.run(&[
        "backlog",
        "--inbox",
        "dmarc",
        "--reprocess",
        "--as-of",
        AS_OF,
    ]);
    assert_eq!(said.code, 0, "{} {}", said.out, said.err);
    assert_eq!(count(), [4, 13, 3, 1]);
    assert_eq!(
        server.messages("reports", "DMARC").len(),
        4,
        "mail without a report stays"
    );
}

#[test]
fn a_message_that_cannot_be_had_is_refused_and_those_behind_it_are_not_held_up() {
    let server = MailServer::start();
    server.make_folder("reports", "DMARC");
    let deliver = |number| server.deliver("reports", "DMARC", &report_mail(number));
    deliver(1);
    // The server may not read it, and says no.
    fs::set_permissions(deliver(2), fs::Permissions::from_mode(0o0)).unwrap();
    deliver(3);
    // Its size is not what its name says: the server ends the connection in the middle of it.
    let path = deliver(4);
    let lying = format!("{},S=99999", path.display());
    fs::rename(&path, lying).unwrap();
    deliver(5);
    let product = product_of(&server, "");
    let said = pass(&product);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.last_line().starts_with("accepted 3, ") && said.last_line().ends_with("refused 2"),
        "{} {}",
        said.out,
        said.err
    );
    let rows = product.query(&[
        "select uid, code from items join documents using (item_no) where outcome = 'refused' order by uid",
    ]);
    let odd: Vec<String> = rows
        .iter()
        .map(|r| format!("{} {}", r["uid"], r["code"]))
        .collect();
    assert_eq!(odd, ["2 \"fetch-failed\"", "4 \"fetch-failed\""]);
    accepted(&product, 0);
}

#[test]
fn a_server_on_which_nothing_can_be_read_makes_no_message_refused() {
    let server = MailServer::start();
    server.make_folder("reports", "DMARC");
    for number in 1..=3 {
        let path = server.deliver("reports", "DMARC", &report_mail(number));
        fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
    }
    let product = product_of(&server, "");
    let said = pass(&product);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("no message can be read"), "{}", said.err);
    for name in server.messages("reports", "DMARC") {
        let maildir = server.maildir("reports", "DMARC");
        for folder in ["cur", "new"] {
            let path = maildir.join(folder).join(&name);
            if path.exists() {
                fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
            }
        }
    }
    accepted(&product, 3);
}

#[test]
fn large_and_empty_messages_end_like_any_other() {
    let server = MailServer::start();
    server.make_folder("reports", "DMARC");
    let padded = |bytes: usize| {
        // Behind the last part of a mail stands what nobody reads.
        let mail = String::from_utf8(report_mail(1)).unwrap();
        let (head, body) = mail.split_once("Content-Type").unwrap();
        let parts = format!(
            "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type{body}--b--\r\n"
        );
        let mut mail = parts.into_bytes();
        let line = " ".repeat(70) + "\r\n";
        mail.extend(line.repeat(bytes / line.len()).bytes());
        mail
    };
    server.deliver("reports", "DMARC", b"");
    server.deliver("reports", "DMARC", &padded(24 << 20));
    server.deliver("reports", "DMARC", &padded(26 << 20));
    server.deliver("reports", "DMARC", &report_mail(2));
    let product = product_of(&server, "    after: delete\n");
    let said = pass(&product);
    assert!(
        said.last_line()
            .contains("not-a-report 1, foreign 0, refused 1"),
        "{} {}",
        said.out,
        said.err
    );
    let rows = product.query(&[
        "select uid, content, bytes, outcome, code, message_id from items join documents using (item_no) order by uid",
    ]);
    let endings: Vec<String> = rows
        .iter()
        .map(|r| {
            format!(
                "{} {} {} {}",
                r["content"], r["outcome"], r["code"], r["message_id"]
            )
        })
        .collect();
    assert_eq!(
        endings[0],
        "\"dropped\" \"not-a-report\" \"not-a-report\" null"
    );
    assert_eq!(
        endings[2],
        "\"dropped\" \"refused\" \"limit-item-bytes\" \"1@reporter.example\""
    );
    assert!(
        endings[3].starts_with("\"kept\" \"accepted\""),
        "{endings:?}"
    );
    // What the archive does not keep stays where it is.
    assert_eq!(server.messages("reports", "DMARC").len(), 2, "{}", said.err);
}

#[test]
fn two_runs_at_once_fetch_every_message_once() {
    let server = with_reports(Setup::default(), "DMARC", 300);
    let product = product_of(&server, "    after: move\n");
    let words = ["run", "--as-of", AS_OF];
    let mut children = [0; 2].map(|_| {
        let mut command = product.command(&product.home(), &words);
        command.spawn().unwrap()
    });
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let rows = product.query(&["select count(*) as items, count(distinct uid) as uids from items"]);
    assert_eq!(
        (rows[0]["items"].as_u64(), rows[0]["uids"].as_u64()),
        (Some(300), Some(300))
    );
    assert_eq!(product.outcomes()["accepted"], 300);
    assert_eq!(server.messages("reports", "DMARC.Processed").len(), 300);
}

#[test]
fn only_wanted_messages_are_fetched() {
    let server = MailServer::start();
    server.make_folder("reports", "INBOX");
    let to = |number, address: &str| {
        let mail = String::from_utf8(report_mail(number)).unwrap();
        let mail = mail.replace("To: dmarc@example.com", &format!("To: {address}"));
        server.deliver("reports", "INBOX", mail.as_bytes())
    };
    to(1, "dmarc@example.com");
    to(2, "me@example.com");
    let seen = to(3, "dmarc@example.com");
    let name = seen.file_name().unwrap().to_str().unwrap().to_owned() + ":2,S";
    fs::rename(
        &seen,
        server.maildir("reports", "INBOX").join("cur").join(name),
    )
    .unwrap();
    let product = product_of(
        &server,
        "    folders: [INBOX]\n    recipient: dmarc@example.com\n    only_unseen: true\n",
    );
    accepted(&product, 1);
    accepted(&product, 0);
    let said = product.run(&["run", "--as-of", AS_OF, "--all"]);
    assert!(
        said.last_line().starts_with("accepted 1, "),
        "{} {}",
        said.out,
        said.err
    );
    let rows = product.query(&["select subject from items order by item_no"]);
    let subjects: Vec<&str> = rows
        .iter()
        .map(|row| row["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["Report 1", "Report 3"]);
}

#[test]
fn a_pass_looks_after_the_archive_and_comes_to_its_end_where_that_fails() {
    let server = with_reports(Setup::default(), "DMARC", 1);
    let product = product_of(&server, "");
    accepted(&product, 1);
    // A folder in the place of an unfinished segment cannot be cleared away.
    fs::create_dir(product.data().join("archive/items-obstacle.tmp")).unwrap();
    let said = accepted(&product, 0);
    let complaint = "looking after the archive: joining segments of the archive: ";
    assert!(said.err.contains(complaint), "{}", said.err);
}

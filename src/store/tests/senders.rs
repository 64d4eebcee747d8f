//! Who sent a record, by what passes in it: services, senders of the user, carriers.

use super::*;
use crate::model::sender;
use crate::model::service::{EMBEDDED, read};
use crate::store::settings::{approved, by_name};

/// What the configuration says: `domain` and what it knows of its senders.
fn known(domain: &str, name: &str) -> sender::KnownSender {
    sender::KnownSender {
        domain: domain.into(),
        name: name.into(),
        ..sender::KnownSender::default()
    }
}

fn open(folder: &Path, known: &[sender::KnownSender]) -> Store {
    let services = read(EMBEDDED).unwrap();
    let config = StoreConfig {
        known_senders: by_name(known),
        services: approved(&services, known),
        ..config(folder)
    };
    Store::open(config).unwrap()
}

/// `dkim DOMAIN SELECTOR RESULT`, `spf DOMAIN RESULT`, `own` (From is aligned with what passes); one piece a word group.
fn read_record(told: &str) -> Record {
    let mut made = record("192.0.2.1", 1, false, false);
    for piece in told.split(", ").filter(|piece| !piece.is_empty()) {
        let words: Vec<&str> = piece.split(' ').collect();
        let result = |word: &str| {
            let all = ["pass", "fail", "neutral", "softfail", "none", "temperror"];
            all.into_iter().find(|one| *one == word)
        };
        let is_own = |domain: &str| domain == "example.com" || domain.ends_with(".example.com");
        match words[..] {
            ["dkim", domain, selector, word] => {
                made.dkim.push(DkimResult {
                    selector: Some(selector.into()),
                    result: result(word),
                    ..dkim(domain, "none", is_own(domain))
                });
                made.dkim_aligned |= is_own(domain) && word == "pass";
            }
            ["spf", domain, word] => {
                made.spf.push(SpfResult {
                    result: result(word),
                    ..spf(domain, "none", is_own(domain))
                });
                made.spf_aligned |= is_own(domain) && word == "pass";
            }
            ["from", address] => made.source_ip = address.parse().ok(),
            ["reason", kind] => made.reasons.push(reason(
                if kind == "forwarded" {
                    "forwarded"
                } else {
                    "other"
                },
                "",
            )),
            _ => panic!("{piece}"),
        }
    }
    made
}

const CLASSES: &str =
    "select sender, carrier, category, fail_cause from records order by record_no";

fn check(known: &[sender::KnownSender], cases: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), known);
    let records: Vec<Record> = cases.iter().map(|(told, _)| read_record(told)).collect();
    commit(
        &mut store,
        vec![aggregate(1, head("r1", &records), records)],
    );
    let found = lines(store.connection(), CLASSES);
    for ((told, expect), found) in cases.iter().zip(found) {
        assert_eq!(found, *expect, "{told}");
    }
}

#[test]
fn services_are_known_by_what_passes_and_by_nothing_else() {
    check(
        &[],
        &[
            // a signature of its own, on the boundary of a label
            (
                "dkim sendgrid.net s1 pass",
                "sendgrid - known_unapproved dkim_pass_unaligned",
            ),
            (
                "dkim u1.wl2.sendgrid.net s1 pass",
                "sendgrid - known_unapproved dkim_pass_unaligned",
            ),
            (
                "dkim SendGrid.NET s1 pass",
                "sendgrid - known_unapproved dkim_pass_unaligned",
            ),
            (
                "dkim notsendgrid.net s1 pass",
                "- - unknown dkim_pass_unaligned",
            ),
            (
                "dkim sendgrid.net.evil.example s1 pass",
                "- - unknown dkim_pass_unaligned",
            ),
            ("dkim sendgrid.net s1 fail", "- - threat no_authentication"),
            (
                "dkim sendgrid.net s1 temperror",
                "- - threat no_authentication",
            ),
            // a return path
            (
                "spf bounce.mcsv.net pass",
                "mailchimp - known_unapproved spf_pass_unaligned",
            ),
            (
                "spf bounce.mcsv.net softfail",
                "- - threat no_authentication",
            ),
            ("spf notmcsv.net pass", "- - unknown spf_pass_unaligned"),
            // a selector of one vendor, in the signature of the domain itself alone
            (
                "dkim example.com ctct1 pass",
                "constant-contact - compliant -",
            ),
            (
                "dkim mail.example.com CTCT1 pass",
                "constant-contact - compliant -",
            ),
            ("dkim example.com k1 pass", "- - forwarded_pass -"),
            (
                "dkim evil.example ctct1 pass",
                "- - unknown dkim_pass_unaligned",
            ),
            (
                "dkim example.com ctct1 fail",
                "- - threat own_signature_broken",
            ),
            ("dkim example.com a.ctct1 pass", "- - forwarded_pass -"),
            // patterns: a digit each, anything, and nothing less
            ("dkim example.com hs1-4711 pass", "hubspot - compliant -"),
            ("dkim example.com xhs1-4711 pass", "- - forwarded_pass -"),
            (
                "dkim example.com 20240310081500pm pass",
                "postmark - compliant -",
            ),
            (
                "dkim example.com 1999031008150pm pass",
                "- - forwarded_pass -",
            ),
            (
                "spf b.mkt1234.com pass",
                "acoustic - known_unapproved spf_pass_unaligned",
            ),
            ("spf b.mktabcd.com pass", "- - unknown spf_pass_unaligned"),
            ("spf b.mkt12345.com pass", "- - unknown spf_pass_unaligned"),
            // digits in a name are themselves
            (
                "spf a.163.com pass",
                "netease - known_unapproved spf_pass_unaligned",
            ),
            ("spf a.164.com pass", "- - unknown spf_pass_unaligned"),
        ],
    );
}

#[test]
fn stronger_evidence_comes_first_and_the_other_service_carries() {
    check(
        &[],
        &[
            // a signature before a return path before a selector
            (
                "spf a.mcsv.net pass, dkim sendgrid.net s1 pass",
                "sendgrid mailchimp known_unapproved both_pass_none_aligned",
            ),
            (
                "dkim example.com zendesk1 pass, spf b.amazonses.com pass",
                "amazon-ses zendesk compliant -",
            ),
            // the longer name; of equal length, the first id
            (
                "dkim sendgrid.net s pass, dkim mailchimpapp.net k1 pass",
                "mailchimp sendgrid known_unapproved dkim_pass_unaligned",
            ),
            (
                "dkim qq.com s pass, dkim me.com s pass",
                "apple-icloud tencent-qq known_unapproved dkim_pass_unaligned",
            ),
            // what a service rides on gives way to it, and is named beside it
            (
                "dkim example.com resend pass, dkim amazonses.com x pass, spf send.example.com pass",
                "resend amazon-ses compliant -",
            ),
            (
                "dkim klaviyomail.com kl pass, dkim sendgrid.net s1 pass, spf mandrillapp.com pass",
                "klaviyo sendgrid known_unapproved both_pass_none_aligned",
            ),
            (
                "dkim example-com.20230601.gappssmtp.com 20230601 pass, spf example.com pass",
                "google-workspace - compliant -",
            ),
            (
                "dkim example.com tok pass, dkim amazonses.com t pass, spf eu-west-1.amazonses.com pass",
                "amazon-ses - compliant -",
            ),
        ],
    );
}

#[test]
fn kinds_tell_forwarding_from_mail_that_is_signed_alone() {
    check(
        &[],
        &[
            // services that send for others sign, and SPF is theirs
            (
                "dkim example.com k2 pass, spf a.mcsv.net pass",
                "mailchimp - compliant -",
            ),
            // mailboxes and gateways do not
            (
                "dkim example.com x pass, spf a.gmx.net pass",
                "gmx - forwarded_pass -",
            ),
            (
                "dkim example.com x pass, spf mx.pphosted.com pass",
                "proofpoint - forwarded_pass -",
            ),
            (
                "spf mx.pphosted.com pass, spf example.com pass",
                "proofpoint - compliant -",
            ),
            // forwarders forward, whatever passes
            (
                "spf googlegroups.com pass",
                "google-groups - forwarded_fail spf_pass_unaligned",
            ),
            (
                "dkim forwardemail.net x pass, spf example.com pass",
                "forward-email - forwarded_pass -",
            ),
            (
                "dkim sendgrid.net s pass, reason forwarded",
                "sendgrid - forwarded_fail dkim_pass_unaligned",
            ),
        ],
    );
}

#[test]
fn what_the_user_says_comes_before_services() {
    let office = sender::KnownSender {
        cidrs: vec!["198.51.100.0/24".parse().unwrap()],
        ..known("example.com", "Office")
    };
    let news = sender::KnownSender {
        dkim_domains: vec!["sendgrid.net".into()],
        spf_domains: vec!["bounce.example".into()],
        ..known("example.com", "News")
    };
    let own = sender::KnownSender {
        aligned_dkim: true,
        ..known("example.com", "Own")
    };
    let cases = [
        (
            "from 198.51.100.7, dkim sendgrid.net s pass",
            "Office sendgrid misconfigured dkim_pass_unaligned",
        ),
        (
            "dkim a.sendgrid.net s pass, spf mcsv.net pass",
            "News sendgrid misconfigured both_pass_none_aligned",
        ),
        (
            "spf bounce.example pass, dkim mailchimpapp.net k1 pass",
            "News mailchimp misconfigured both_pass_none_aligned",
        ),
        ("dkim example.com zendesk1 pass", "Own zendesk compliant -"),
        (
            "spf mcsv.net pass",
            "mailchimp - known_unapproved spf_pass_unaligned",
        ),
        (
            "dkim example.com x fail, spf mcsv.net none",
            "- - threat own_signature_broken",
        ),
    ];
    check(&[office, news, own], &cases);
}

#[test]
fn services_are_approved_by_name_for_a_domain_and_those_below() {
    let approving = |domain: &str| sender::KnownSender {
        services: vec!["sendgrid".into()],
        ..known(domain, domain)
    };
    let case = "dkim sendgrid.net s pass";
    let unapproved = "sendgrid - known_unapproved dkim_pass_unaligned";
    let approved = "sendgrid - misconfigured dkim_pass_unaligned";
    check(&[approving("example.com")], &[(case, approved)]);
    check(&[approving("example.org")], &[(case, unapproved)]);
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), &[approving("example.com")]);
    for (hash, domain) in [(1, "a.example.com"), (2, "notexample.com"), (3, "com")] {
        let records = vec![read_record(case)];
        let head = AggregateHead {
            domain: domain.into(),
            ..head(domain, &records)
        };
        commit(&mut store, vec![aggregate(hash, head, records)]);
    }
    assert_eq!(
        lines(
            store.connection(),
            "select domain, category from records order by domain"
        ),
        [
            "a.example.com misconfigured",
            "com known_unapproved",
            "notexample.com known_unapproved"
        ]
    );
    let row = "select name, kind, approved_for, spf_include, aligns_spf from senders where sender = 'sendgrid'";
    assert_eq!(
        lines(store.connection(), row),
        ["Twilio SendGrid transactional [example.com] [sendgrid.net] yes"]
    );
}

#[test]
fn of_two_domains_with_the_same_service_each_has_its_own_sender() {
    let with_key = |domain: &str| sender::KnownSender {
        dkim_domains: vec!["relay.example".into()],
        ..known(domain, domain)
    };
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(
        folder.path(),
        &[with_key("example.com"), with_key("example.org")],
    );
    for (hash, domain) in [(1, "example.com"), (2, "example.org")] {
        let records = vec![read_record("dkim relay.example s pass")];
        let head = AggregateHead {
            domain: domain.into(),
            ..head(domain, &records)
        };
        commit(&mut store, vec![aggregate(hash, head, records)]);
    }
    assert_eq!(
        lines(
            store.connection(),
            "select domain, sender, category from records order by domain"
        ),
        [
            "example.com example.com misconfigured",
            "example.org example.org misconfigured"
        ]
    );
}

#[test]
fn whoever_signs_for_a_domain_is_its_own_before_those_above() {
    let signing = |domain: &str, name: &str| sender::KnownSender {
        aligned_dkim: true,
        ..known(domain, name)
    };
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(
        folder.path(),
        &[signing("example.com", "A"), signing("a.example.com", "B")],
    );
    for (hash, domain) in [
        (1, "example.com"),
        (2, "b.a.example.com"),
        (3, "example.org"),
    ] {
        let records = vec![read_record("dkim example.com x pass")];
        let head = AggregateHead {
            domain: domain.into(),
            ..head(domain, &records)
        };
        commit(&mut store, vec![aggregate(hash, head, records)]);
    }
    assert_eq!(
        lines(
            store.connection(),
            "select domain, sender, category from records order by domain"
        ),
        [
            "b.a.example.com B compliant",
            "example.com A compliant",
            "example.org - forwarded_pass"
        ]
    );
}

#[test]
fn a_sender_that_is_called_like_a_service_is_that_service() {
    let named = sender::KnownSender {
        cidrs: vec!["198.51.100.0/24".parse().unwrap()],
        ..known("example.com", "sendgrid")
    };
    check(
        &[named],
        &[
            (
                "from 198.51.100.7",
                "sendgrid - misconfigured no_authentication",
            ),
            (
                "dkim sendgrid.net s pass",
                "sendgrid - misconfigured dkim_pass_unaligned",
            ),
        ],
    );
}

#[test]
fn the_name_of_a_host_is_the_weakest_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), &[]);
    let names = "insert into addresses values ('192.0.2.1', 'O1.ptr.SENDGRID.net.', null, null, null),
        ('192.0.2.2', 'sendgrid.net.evil.example', null, null, null), ('192.0.2.3', null, 'DE', 64496, 'Net'),
        ('192.0.2.4', 'mail.mkt1234.com', null, null, null)";
    store.connection().execute_batch(names).unwrap();
    let cases = [
        (
            "from 192.0.2.1",
            "sendgrid - known_unapproved no_authentication",
        ),
        (
            "from 192.0.2.1, dkim example.com resend pass",
            "resend sendgrid compliant -",
        ),
        (
            "from 192.0.2.1, dkim klaviyomail.com x pass",
            "klaviyo sendgrid known_unapproved dkim_pass_unaligned",
        ),
        ("from 192.0.2.2", "- - threat no_authentication"),
        ("from 192.0.2.3", "- - threat no_authentication"),
        (
            "from 192.0.2.4",
            "acoustic - known_unapproved no_authentication",
        ),
        ("from nowhere", "- - threat no_authentication"),
    ];
    let records: Vec<Record> = cases.iter().map(|(told, _)| read_record(told)).collect();
    commit(
        &mut store,
        vec![aggregate(1, head("r1", &records), records)],
    );
    let expect: Vec<&str> = cases.iter().map(|(_, expect)| *expect).collect();
    assert_eq!(lines(store.connection(), CLASSES), expect);
}

#[test]
fn senders_of_a_domain_add_up_over_batches() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), &[]);
    let day = |day: i64, records: &[Record]| AggregateHead {
        begin_utc_secs: MIDNIGHT + day * DAY_SECS,
        end_utc_secs: MIDNIGHT + (day + 1) * DAY_SECS - 1,
        ..head(&format!("r{day}"), records)
    };
    let told = |told: &[&str]| -> Vec<Record> { told.iter().map(|t| read_record(t)).collect() };
    let one = told(&[
        "spf mcsv.net pass",
        "dkim example.com k2 pass",
        "from 192.0.2.9",
    ]);
    commit(&mut store, vec![aggregate(1, day(2, &one), one)]);
    let two = told(&["dkim sendgrid.net s pass", "spf mcsv.net pass"]);
    commit(&mut store, vec![aggregate(2, day(1, &two), two)]);
    assert_eq!(
        lines(
            store.connection(),
            "select sender, first_day, last_day, messages, passed, dkim_aligned, compliant, known_unapproved, threat
            from domain_senders order by sender"
        ),
        [
            "mailchimp 2023-11-15 2023-11-16 3 1 1 1 2 0",
            "sendgrid 2023-11-15 2023-11-15 1 0 0 0 1 0"
        ]
    );
    assert_eq!(
        lines(
            store.connection(),
            "select day, sender, category, messages from source_days order by day, sender, category"
        ),
        [
            "2023-11-15 mailchimp known_unapproved 1",
            "2023-11-15 sendgrid known_unapproved 1",
            "2023-11-16 mailchimp compliant 1",
            "2023-11-16 mailchimp known_unapproved 1",
            "2023-11-16 - threat 1"
        ]
    );
}

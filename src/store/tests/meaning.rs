//! What a record means: category, cause, override, and the days and sources it adds to.

use super::*;

#[test]
fn records_get_their_category_and_cause() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.known_senders = vec![
        KnownSender {
            sender: "relay".into(),
            name: "Relay".into(),
            approved_for: vec!["example.com".into()],
            networks: vec![
                "198.51.100.0/24".parse().unwrap(),
                "2001:db8:1::/48".parse().unwrap(),
            ],
            ..KnownSender::default()
        },
        KnownSender {
            sender: "news".into(),
            name: "News".into(),
            approved_for: vec!["example.org".into()],
            networks: vec!["198.51.100.128/25".parse().unwrap()],
            dkim_domains: vec!["news.example".into()],
            spf_domains: vec!["bounce.example".into()],
            ..KnownSender::default()
        },
        KnownSender {
            sender: "own".into(),
            name: "Own".into(),
            approved_for: vec!["example.com".into()],
            aligned_dkim: true,
            ..KnownSender::default()
        },
    ];
    let cases: Vec<(Record, &str)> = vec![
        (record("192.0.2.1", 1, false, true), "- compliant -"),
        // signed by the domain: its own by configuration
        (record("192.0.2.2", 1, true, false), "own compliant -"),
        (
            Record {
                reasons: vec![reason("forwarded", "")],
                ..record("192.0.2.3", 1, false, true)
            },
            "- forwarded_pass -",
        ),
        (
            Record {
                reasons: vec![reason("local_policy", "ARC = Pass")],
                ..record("192.0.2.4", 1, false, false)
            },
            "- forwarded_fail no_authentication",
        ),
        (
            Record {
                reasons: vec![reason("local_policy", "whim")],
                ..record("192.0.2.5", 1, false, false)
            },
            "- threat no_authentication",
        ),
        (
            record("198.51.100.7", 1, false, false),
            "relay misconfigured no_authentication",
        ),
        (
            record("2001:db8:1::7", 1, false, false),
            "relay misconfigured no_authentication",
        ),
        // the narrower network
        (
            record("198.51.100.200", 1, false, false),
            "news known_unapproved no_authentication",
        ),
        (
            Record {
                dkim: vec![dkim("k1.news.example", "pass", false)],
                ..record("192.0.2.6", 1, false, false)
            },
            "news known_unapproved dkim_pass_unaligned",
        ),
        (
            Record {
                dkim: vec![dkim("notnews.example", "pass", false)],
                ..record("192.0.2.7", 1, false, false)
            },
            "- unknown dkim_pass_unaligned",
        ),
        (
            Record {
                spf: vec![spf("bounce.example", "pass", false)],
                ..record("192.0.2.8", 1, false, false)
            },
            "news known_unapproved spf_pass_unaligned",
        ),
        (
            Record {
                spf: vec![spf("bounce.example", "fail", false)],
                ..record("192.0.2.9", 1, false, false)
            },
            "- threat no_authentication",
        ),
        (
            Record {
                dkim: vec![dkim("a.example", "pass", false)],
                spf: vec![spf("a.example", "pass", false)],
                ..record("192.0.2.10", 1, false, false)
            },
            "- unknown both_pass_none_aligned",
        ),
        (
            Record {
                dkim: vec![dkim("example.com", "fail", true)],
                ..record("192.0.2.11", 1, false, false)
            },
            "- threat own_signature_broken",
        ),
        (
            Record {
                source_ip: None,
                ..record("192.0.2.12", 1, false, false)
            },
            "- threat no_authentication",
        ),
    ];
    let mut store = Store::open(config).unwrap();
    let (records, expect): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    commit(
        &mut store,
        vec![aggregate(1, head("r1", &records), records)],
    );
    let found = lines(
        store.connection(),
        "select sender, category, fail_cause from records order by record_no",
    );
    assert_eq!(found, expect);
    let senders = lines(
        store.connection(),
        "select sender, approved_for, networks, aligned_dkim from senders order by sender",
    );
    assert_eq!(
        senders[2],
        "relay [example.com] [198.51.100.0/24, '2001:db8:1::/48'] false"
    );
}

#[test]
fn without_known_senders_a_surviving_signature_is_forwarding() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let records = vec![
        record("192.0.2.1", 1, true, false),
        record("192.0.2.1", 1, true, true),
    ];
    commit(
        &mut store,
        vec![aggregate(1, head("r1", &records), records)],
    );
    let found = lines(
        store.connection(),
        "select category from records order by record_no",
    );
    assert_eq!(found, ["forwarded_pass", "compliant"]);
}

#[test]
fn overrides_are_failures_treated_otherwise_than_asked() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let failing = || record("192.0.2.1", 1, false, false);
    let treated = |disposition| {
        vec![Record {
            disposition: Some(disposition),
            ..failing()
        }]
    };
    let below = vec![Record {
        header_from: Some("a.example.com".into()),
        ..failing()
    }];
    let sampled = vec![Record {
        reasons: vec![reason("sampled_out", "")],
        ..failing()
    }];
    let policy = |id: &str, records: &[Record]| head(id, records);
    let documents = vec![
        aggregate(
            1,
            policy("overridden", &treated(Disposition::None)),
            treated(Disposition::None),
        ),
        aggregate(
            2,
            policy("as asked", &treated(Disposition::Reject)),
            treated(Disposition::Reject),
        ),
        aggregate(
            3,
            AggregateHead {
                pct: Some(50),
                ..policy("pct", &[failing()])
            },
            vec![failing()],
        ),
        aggregate(4, policy("sampled", &sampled), sampled.clone()),
        aggregate(
            5,
            AggregateHead {
                sp: Some("none".into()),
                ..policy("sp", &below)
            },
            below.clone(),
        ),
        aggregate(
            6,
            AggregateHead {
                testing: Some(true),
                ..policy("testing", &treated(Disposition::Quarantine))
            },
            treated(Disposition::Quarantine),
        ),
        aggregate(
            7,
            AggregateHead {
                p: None,
                ..policy("no policy", &[failing()])
            },
            vec![failing()],
        ),
    ];
    commit(&mut store, documents);
    assert_eq!(
        lines(
            store.connection(),
            "select messages, overridden, rejected, quarantined, delivered from daily"
        ),
        ["7 1 1 1 5"]
    );
}

#[test]
fn roll_ups_add_up_over_batches() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let next = |id: &str, records: &[Record]| AggregateHead {
        begin_utc_secs: MIDNIGHT + DAY_SECS,
        end_utc_secs: MIDNIGHT + 2 * DAY_SECS,
        ..head(id, records)
    };
    let one = || {
        vec![
            record("192.0.2.1", 3, true, true),
            record("192.0.2.2", 5, false, false),
        ]
    };
    let two = || vec![record("192.0.2.1", 10, false, true)];
    commit(&mut store, vec![aggregate(1, next("r1", &one()), one())]);
    commit(&mut store, vec![aggregate(2, head("r2", &two()), two())]);
    let sources =
        "select source_ip, first_day, last_day, messages, passed, dkim_aligned, spf_aligned, threat
        from sources order by source_ip";
    assert_eq!(
        lines(store.connection(), sources),
        [
            "192.0.2.1 2023-11-14 2023-11-15 13 13 3 13 0",
            "192.0.2.2 2023-11-15 2023-11-15 5 0 0 0 5"
        ]
    );
    let daily = "select day, domain, messages, passed, both_aligned, threat, no_authentication from daily order by day";
    assert_eq!(
        lines(store.connection(), daily),
        [
            "2023-11-14 example.com 10 10 0 0 0",
            "2023-11-15 example.com 8 3 3 5 5"
        ]
    );
}

#[test]
fn a_long_period_is_split_by_overlap_without_loss() {
    let hour = 3600;
    for (begin, end, messages, expect) in [
        // 26 hours are one day; what is longer is split
        (0, 26 * hour, 100, vec!["2023-11-14 100"]),
        (0, 26 * hour + 1, 100, vec!["2023-11-14 92", "2023-11-15 8"]),
        (0, 2 * DAY_SECS, 101, vec!["2023-11-14 50", "2023-11-15 51"]),
        (
            12 * hour,
            3 * DAY_SECS - 1,
            7,
            vec!["2023-11-14 1", "2023-11-15 3", "2023-11-16 3"],
        ),
        (0, 7 * DAY_SECS, 0, vec![]),
        (
            0,
            2 * DAY_SECS,
            999_999_999_999,
            vec!["2023-11-14 499999999999", "2023-11-15 500000000000"],
        ),
        // no period of a report: the day of its middle
        (0, 100 * DAY_SECS, 10, vec!["2024-01-03 10"]),
        (0, -5 * DAY_SECS, 10, vec!["2023-11-11 10"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(config(folder.path())).unwrap();
        let records = vec![record("192.0.2.1", messages, true, true)];
        let period = AggregateHead {
            begin_utc_secs: MIDNIGHT + begin,
            end_utc_secs: MIDNIGHT + end,
            ..head("r", &records)
        };
        commit(&mut store, vec![aggregate(1, period, records)]);
        let found = lines(
            store.connection(),
            "select day, messages from daily where messages > 0 order by day",
        );
        assert_eq!(found, expect, "{begin} {end} {messages}");
    }
}

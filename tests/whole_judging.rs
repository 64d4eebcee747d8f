//! What rules find in reports that come late, of the real program: the same as if all had come at once.

use chrono::{Days, NaiveDate};

use sentinel::store::Connection;

use crate::product::{Mailbox, Product};

/// A report about example.com.
#[derive(Clone, Copy)]
struct Told {
    reporter: &'static str,
    /// First day, of 2026.
    from: (u32, u32),
    /// Days of its period.
    days: u64,
    source_ip: &'static str,
    messages: u32,
    passes: bool,
    p: &'static str,
}

/// A day with a hundred messages of the domain's own server, which pass.
const USUAL: Told = Told {
    reporter: "daily.example",
    from: (2, 1),
    days: 1,
    source_ip: "192.0.2.10",
    messages: 100,
    passes: true,
    p: "none",
};

impl Told {
    fn on(self, month: u32, day: u32) -> Self {
        Self {
            from: (month, day),
            ..self
        }
    }

    fn xml(&self) -> Vec<u8> {
        let Self {
            reporter,
            source_ip,
            messages,
            p,
            ..
        } = self;
        let day = NaiveDate::from_ymd_opt(2026, self.from.0, self.from.1).unwrap();
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
        let (begin, end) = (midnight(day), midnight(day + Days::new(self.days)) - 1);
        let word = if self.passes { "pass" } else { "fail" };
        format!(
            "<feedback><report_metadata><org_name>{reporter}</org_name><email>dmarc@{reporter}</email>\
             <report_id>{reporter}-{day}-{source_ip}-{word}</report_id><date_range><begin>{begin}</begin><end>{end}</end>\
             </date_range></report_metadata><policy_published><domain>example.com</domain><p>{p}</p></policy_published>\
             <record><row><source_ip>{source_ip}</source_ip><count>{messages}</count><policy_evaluated>\
             <disposition>none</disposition><dkim>{word}</dkim><spf>{word}</spf></policy_evaluated></row>\
             <identifiers><header_from>example.com</header_from></identifiers><auth_results>\
             <spf><domain>example.com</domain><result>{word}</result></spf></auth_results></record></feedback>"
        )
        .into_bytes()
    }
}

/// What came first and what came late.
struct Story {
    rule: &'static str,
    first: Vec<Told>,
    late: Vec<Told>,
}

fn month() -> impl Iterator<Item = Told> {
    (1..=28).map(|day| USUAL.on(2, day))
}

fn stories() -> Vec<Story> {
    let own_failing = Told {
        messages: 60,
        passes: false,
        reporter: "other.example",
        ..USUAL
    };
    let stranger = Told {
        source_ip: "203.0.113.9",
        messages: 90,
        ..USUAL
    };
    let strict = Told {
        p: "reject",
        ..USUAL
    };
    let small = Told {
        reporter: "small.example",
        messages: 1,
        ..USUAL
    };
    vec![
        Story {
            rule: "high_failure_rate",
            first: (vec![
                USUAL,
                Told {
                    source_ip: "203.0.113.9",
                    ..own_failing
                },
            ]),
            late: vec![Told {
                messages: 900,
                reporter: "late.example",
                ..USUAL
            }],
        },
        Story {
            rule: "known_sender_failing",
            first: vec![USUAL, own_failing],
            late: vec![Told {
                messages: 9_000,
                reporter: "late.example",
                ..USUAL
            }],
        },
        Story {
            rule: "new_source",
            first: month().chain([stranger.on(2, 20)]).collect(),
            late: vec![
                Told {
                    reporter: "late.example",
                    ..stranger
                }
                .on(2, 3),
            ],
        },
        Story {
            rule: "policy_changed",
            first: month()
                .chain([Told {
                    reporter: "strict.example",
                    ..strict
                }
                .on(2, 28)])
                .collect(),
            // One in six saw it.
            late: ["a.example", "b.example", "c.example", "d.example"]
                .map(|reporter| Told { reporter, ..USUAL }.on(2, 28))
                .to_vec(),
        },
        Story {
            rule: "reporter_first_seen",
            first: month().chain([small.on(2, 20)]).collect(),
            late: vec![small.on(2, 4)],
        },
    ]
}

#[test]
fn late_reports_take_the_evidence_of_a_rule_away_as_if_they_had_come_in_time() {
    for Story { rule, first, late } in stories() {
        let mut mailbox = Mailbox::empty();
        for (at, told) in first.iter().chain(&late).enumerate() {
            mailbox.add(&format!("{at}.xml"), &told.xml());
        }
        let product = Product::new();
        let found = |product: &Product| {
            let sql = format!("select domain, subject, day from alert_days where rule = '{rule}'");
            product.query(&[&sql])
        };
        product.ingest(&mailbox, &mailbox.names[..first.len()]);
        assert_eq!(found(&product).len(), 1, "{rule}: {:?}", found(&product));
        product.ingest(&mailbox, &mailbox.names[first.len()..]);
        let left = found(&product);
        assert!(left.is_empty(), "{rule}: {left:?}");
        product.assert_verified(rule);
    }
}

#[test]
fn a_late_report_of_a_month_is_judged_on_each_of_its_days() {
    let mut mailbox = Mailbox::empty();
    for told in month() {
        mailbox.add("good.xml", &told.xml());
    }
    let product = Product::new();
    product.ingest(&mailbox, &mailbox.names);
    let days = "select day from alert_days where rule = 'high_failure_rate' order by day";
    assert!(product.query(&[days]).is_empty());
    let monthly = Told {
        reporter: "monthly.example",
        days: 28,
        messages: 6_000,
        passes: false,
        ..USUAL
    };
    mailbox.add("month.xml", &monthly.xml());
    product.ingest(&mailbox, &mailbox.names[28..]);
    assert_eq!(product.query(&[days]).len(), 28);
    product.assert_verified("a report of a month came last");
}

#[test]
fn what_expires_makes_a_source_neither_known_nor_new() {
    let of = |source_ip: &'static str, messages, month, day| {
        Told {
            source_ip,
            messages,
            reporter: "other.example",
            ..USUAL
        }
        .on(month, day)
    };
    let (tried, old, small) = ("203.0.113.9", "198.51.100.7", "198.51.100.8");
    let mut told: Vec<Told> = (1..=28)
        .map(|day| USUAL.on(1, day))
        .chain(month())
        .collect();
    // One had a test mail in the month that expires, one five messages before its end and five behind it, one twenty.
    told.extend([
        of(tried, 1, 1, 21),
        of(old, 5, 1, 30),
        of(old, 5, 2, 2),
        of(small, 20, 1, 25),
    ]);
    told.extend([tried, old, small].map(|source_ip| of(source_ip, 500, 2, 26)));
    let mut mailbox = Mailbox::empty();
    for (at, told) in told.iter().enumerate() {
        mailbox.add(&format!("{at}.xml"), &told.xml());
    }
    let found = |product: &Product| {
        let sql =
            "select subject, day, facts ->> 'first_seen_day' as first_seen_day from alert_days
            where rule = 'new_source' and day > '2026-02-03' order by subject";
        product.query(&[sql])
    };
    let new = |subject, first_seen_day| serde_json::json!({"subject": subject, "day": "2026-02-26", "first_seen_day": first_seen_day});
    let asked_for_more = [
        new(old, "2026-01-30"),
        new(small, "2026-01-25"),
        new(tried, "2026-01-21"),
    ];
    for (rules, expect) in [
        ("", &asked_for_more[2..]),
        (
            "alerts: {rules: {new_source: {min_messages: 100}}}\n",
            &asked_for_more[..],
        ),
    ] {
        let product = Product::with_config(&format!("retention: {{months: 1}}\n{rules}"));
        let said = product.ingest_as_of(&mailbox, &mailbox.names, "2026-02-28");
        assert_eq!(said.code, 0, "{}", said.err);
        assert_eq!(found(&product), expect, "{rules}");
        product.poll_as_of("2026-03-02");
        let gone = "select count(*) as reports from reports where day < '2026-02-01'";
        assert_eq!(product.query(&[gone])[0]["reports"], 0);
        assert_eq!(
            found(&product),
            expect,
            "{rules} when the first month expired"
        );
        product.assert_verified("expired");
    }
}

#[test]
fn alerts_that_a_crash_left_half_made_are_made_anew() {
    let mut mailbox = Mailbox::empty();
    let failing = Told {
        source_ip: "203.0.113.9",
        passes: false,
        ..USUAL
    };
    for (at, told) in [USUAL, failing].iter().enumerate() {
        mailbox.add(&format!("{at}.xml"), &told.xml());
    }
    let elsewhere = String::from_utf8(USUAL.on(2, 20).xml()).unwrap();
    mailbox.add(
        "other.xml",
        elsewhere.replace("example.com", "example.net").as_bytes(),
    );
    let product = Product::new();
    product.ingest_as_of(&mailbox, &mailbox.names[..2], "2026-02-21");
    let alerts = "select id, status from alerts order by id";
    let before = product.query(&[alerts]);
    assert!(!before.is_empty());
    // A run about another domain follows. Days were noted, and of the alerts that are made of them nothing.
    let database = Connection::open(product.data().join("work/sentinel.duckdb")).unwrap();
    database
        .execute_batch("delete from alerts; delete from about where key = 'judged_to'; checkpoint")
        .unwrap();
    database.close().unwrap();
    product.ingest_as_of(&mailbox, &mailbox.names[2..], "2026-02-21");
    assert_eq!(product.query(&[alerts]), before);
    product.assert_verified("half made");
}

#[test]
fn domains_whose_names_hold_control_characters_are_judged_like_all() {
    let told = |name: &str, day| {
        let failing = Told {
            source_ip: "203.0.113.9",
            passes: false,
            ..USUAL
        };
        let xml = String::from_utf8(failing.on(2, day).xml()).unwrap();
        xml.replace("<domain>example.com", &format!("<domain>{name}example.com"))
            .into_bytes()
    };
    for name in [
        "tab&#9;x.",
        "line&#10;x.",
        "quote&quot;x.",
        "back\\x.",
        "a, ]x.",
    ] {
        let mut mailbox = Mailbox::empty();
        for (at, day) in [1, 2, 3].into_iter().enumerate() {
            mailbox.add(&format!("{at}.xml"), &told(name, day));
        }
        mailbox.add("other.xml", &USUAL.on(2, 4).xml());
        let product = Product::new();
        for at in 0..4 {
            let said = product.ingest_as_of(&mailbox, &mailbox.names[at..=at], "2026-02-05");
            assert_eq!(said.code, 0, "{name} {at}: {}", said.err);
        }
        let days = "select count(*) as days, count(distinct day) as different from alert_days
            where rule = 'unknown_sender_failing'";
        let found = product.query(&[days]);
        assert_eq!(
            (&found[0]["days"], &found[0]["different"]),
            (&3.into(), &3.into()),
            "{name}"
        );
        product.assert_verified(name);
    }
}

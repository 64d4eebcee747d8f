//! What Prometheus is told.

use super::*;

#[test]
fn labels_of_strangers_stay_within_their_quotes() {
    let mut text = Text(String::new());
    text.sample("x", &[("a", "q\" b\\ n\n} 1"), ("b", "")], 1.5);
    assert_eq!(
        text.0,
        "dmarc_sentinel_x{a=\"q\\\" b\\\\ n\\n} 1\",b=\"\"} 1.5\n"
    );
}

#[test]
fn a_domain_without_messages_has_no_rate() {
    let mut busy = DomainTotals {
        domain: "example.com".into(),
        ..DomainTotals::default()
    };
    (busy.totals.messages, busy.totals.dmarc_pass_rate_percent) = (7, 98.4);
    let idle = DomainTotals {
        domain: "example.org".into(),
        ..DomainTotals::default()
    };
    let homepage = Homepage {
        domains: vec![busy, idle],
        ..Homepage::default()
    };
    let text = text(&Told {
        health: "ok",
        standing: &Standing::default(),
        current: None,
        homepage: Some(&homepage),
        last_check: None,
    });
    assert!(
        text.contains("dmarc_sentinel_domain_pass_rate_percent{domain=\"example.com\"} 98.4\n")
    );
    assert!(!text.contains("pass_rate_percent{domain=\"example.org\"}"));
    assert!(text.contains("dmarc_sentinel_domain_messages{domain=\"example.org\"} 0\n"));
    assert!(
        !text.contains("inbox_failures"),
        "no family without a sample"
    );
}

#[test]
fn broken_channels_and_rules_show() {
    let broken = ChannelStatus {
        name: "chat".into(),
        failures: 2,
        waiting: 5,
        ..ChannelStatus::default()
    };
    let standing = Standing {
        channels: vec![broken],
        failing_rules: vec![("mine".into(), "no such column".into())],
        ..Standing::default()
    };
    let text = text(&Told {
        health: "degraded",
        standing: &standing,
        current: None,
        homepage: Some(&Homepage::default()),
        last_check: None,
    });
    for line in [
        "channel_failures{channel=\"chat\"} 2",
        "channel_waiting_alerts{channel=\"chat\"} 5",
        "rules_failing 1",
        "critical_alerts 0",
    ] {
        let line = format!("dmarc_sentinel_{line}\n");
        assert!(text.contains(&line), "{line}");
    }
    assert!(!text.contains("channel_last_success"), "nothing was sent");
}

//! Channels: what is taken, what is refused, and where the message points.

use std::collections::BTreeMap;

use chrono::Weekday;

use crate::config::{Config, Problem};
use crate::model::alert::Severity;
use crate::model::channel::{Channel, DigestTimes, Format, Way};
use crate::model::inbox::TlsMode;

const EXAMPLE: &str = include_str!("../../../config/config.example.yml");
const MAIL: &str = "{type: mail, host: mail.example.com, from: a@example.com, to: b@example.com";

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Vec<Channel>, Vec<String>> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let environment = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let shown = |problems: Vec<Problem>| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<String>>()
    };
    let config = Config::parse("c.yml", text, &environment).map_err(shown)?;
    Ok(config.notify.channels)
}

fn one(channel: &str) -> Result<Channel, Vec<String>> {
    let text = format!("notify: {{channels: [{channel}]}}\n");
    parse(&text, &[("PASS", "secret-word")]).map(|mut all| all.remove(0))
}

#[test]
fn the_commented_example_is_a_valid_one_and_names_the_defaults() {
    let begin = EXAMPLE.find("# notify:").unwrap();
    let end = EXAMPLE.find("# Your domains.").unwrap();
    let lines = EXAMPLE[begin..end].lines().map(|line| {
        let bare = line.replacen("# ", "", 1);
        // Second choices stay comments; the indentation of the section is its own.
        if bare.trim_start().starts_with("heartbeat") {
            String::new()
        } else {
            bare
        }
    });
    let text: String = lines.map(|line| line + "\n").collect();
    let channels = parse(&text, &[]).unwrap();
    assert_eq!(channels.len(), 3, "{text}");
    let plain = one(&format!("{MAIL}}}")).unwrap();
    let shown = &channels[0];
    assert_eq!(shown.group_for_secs, plain.group_for_secs);
    assert_eq!(shown.most_alerts, plain.most_alerts);
    assert_eq!(shown.min_severity, plain.min_severity);
    assert_eq!(shown.domains, plain.domains);
    let (Way::Mail(shown), Way::Mail(plain)) = (&shown.way, &plain.way) else {
        panic!("mail is mail");
    };
    assert_eq!((shown.port, shown.tls), (plain.port, plain.tls));
    assert_eq!(shown.timeout_secs, plain.timeout_secs);
}

#[test]
fn the_example_names_every_key_of_every_type() {
    let odd = "zzzzzzzzzzzzzzzzzzzzzzzz: 1}";
    for channel in [
        format!("{MAIL}, {odd}"),
        format!("{MAIL}, digest: {{{odd}}}"),
        format!("{{type: telegram, {odd}"),
        format!("{{type: webhook, {odd}"),
    ] {
        let problems = one(&channel).unwrap_err().join("\n");
        let (_, known) = problems.split_once("known here: ").unwrap();
        for key in known.lines().next().unwrap().split(", ") {
            let is_shown = EXAMPLE.lines().any(|line| {
                let line = line.trim_start_matches([' ', '#', '-']);
                line.starts_with(&format!("{key}:"))
            });
            assert!(is_shown, "{key} is not in config.example.yml");
        }
    }
}

#[test]
fn a_channel_is_named_after_its_type_and_names_are_unique() {
    for (channel, name) in [
        (format!("{MAIL}}}"), "mail"),
        ("{type: telegram}".to_owned(), "telegram"),
        (
            "{type: webhook, format: slack, url: 'https://hooks.example/x'}".to_owned(),
            "slack",
        ),
        (
            "{type: telegram, name: night shift}".to_owned(),
            "night shift",
        ),
    ] {
        assert_eq!(one(&channel).unwrap().name, name);
    }
    let problems = one("{type: telegram}, {type: telegram}").unwrap_err();
    assert!(
        problems[0].contains("a second channel \"telegram\""),
        "{problems:?}"
    );
}

#[test]
fn mail_has_its_ports_names_and_each_recipient_once() {
    for (tls, mode, port) in [
        ("implicit", TlsMode::Implicit, 465),
        ("starttls", TlsMode::StartTls, 587),
    ] {
        let channel = one(&format!("{MAIL}, tls: {tls}}}")).unwrap();
        let Way::Mail(mail) = channel.way else {
            panic!("mail is mail")
        };
        assert_eq!((mail.tls, mail.port, mail.login), (mode, port, None));
    }
    let text = "{type: mail, host: localhost, tls: none, port: 2525, from: 'The \"watch\" <w@example.com>', \
                to: [b@example.com, B@EXAMPLE.com, 'C <c@example.com>'], username: u, password_env: PASS}";
    let problem = one(text).unwrap_err().join("\n");
    assert!(problem.contains("notify.channels[0].from"), "{problem}");
    let channel = one(&text.replace("\"watch\"", "watch")).unwrap();
    assert!(!format!("{channel:?}").contains("secret-word"));
    let Way::Mail(mail) = channel.way else {
        panic!("mail is mail")
    };
    assert_eq!(mail.from.name.as_deref(), Some("The watch"));
    let to: Vec<&str> = mail.to.iter().map(|to| to.address.as_str()).collect();
    assert_eq!(to, ["b@example.com", "c@example.com"]);
}

#[test]
fn times_of_all_types_are_read() {
    let channel = one(&format!(
        "{MAIL}, min_severity: critical, domains: [Example.COM.], quiet_hours: '22:00-7:30', quiet_hours_except: \
         critical, group_for: 1h, most_alerts: 5, digest: {{daily: '07:00', weekly: Sunday 18:05, on_quiet_days: \
         false}}}}"
    ))
    .unwrap();
    let quiet = channel.quiet_hours.unwrap();
    assert_eq!(
        (quiet.from, quiet.to, quiet.except_critical),
        (1320, 450, true)
    );
    assert_eq!(channel.min_severity, Severity::Critical);
    assert_eq!((channel.group_for_secs, channel.most_alerts), (3600, 5));
    let digest = DigestTimes {
        daily: Some(420),
        weekly: Some((Weekday::Sun, 1085)),
        on_quiet_days: false,
    };
    assert_eq!(channel.digest, digest);
    for (domain, takes) in [
        (Some("example.com"), true),
        (Some("mail.example.com"), true),
        (Some("badexample.com"), false),
        (None, false),
    ] {
        assert_eq!(channel.takes_domain(domain), takes, "{domain:?}");
    }
}

#[test]
fn secrets_come_from_the_environment_alone_and_are_not_shown() {
    let text = "notify:\n  channels:\n    - type: telegram\n    - {type: webhook, format: discord, url_env: HOOK}\n";
    let variables = [
        ("TELEGRAM_BOT_TOKEN", "123:abcdef"),
        ("TELEGRAM_CHAT_ID", "-100"),
        ("HOOK", "https://discord.example/api/webhooks/1/abcdef"),
    ];
    let channels = parse(text, &variables).unwrap();
    assert!(!format!("{channels:?}").contains("abcdef"));
    let Way::Telegram(telegram) = &channels[0].way else {
        panic!("telegram")
    };
    assert_eq!(telegram.token.get().unwrap().expose(), "123:abcdef");
    assert_eq!(telegram.chat_id.get().unwrap().expose(), "-100");
    let Way::Webhook(webhook) = &channels[1].way else {
        panic!("webhook")
    };
    assert_eq!(webhook.format, Format::Discord);
    let problems = parse(text, &[("HOOK", "http://discord.example/abcdef")]).unwrap_err();
    assert!(
        problems[0].contains("HOOK: is no https address"),
        "{problems:?}"
    );
    assert!(!problems[0].contains("abcdef"));
}

#[test]
fn what_cannot_work_is_refused_with_the_way_out() {
    let webhook = "{type: webhook, url: 'https://hooks.example/x'";
    for (channel, expect) in [
        (
            "{host: mail.example.com}".to_owned(),
            "c.yml:1: notify.channels[0]: `type` is missing",
        ),
        (
            "{type: email}".to_owned(),
            "expected one of mail, telegram, webhook, got \"email\"",
        ),
        ("{type: mail}".to_owned(), "`host` is missing"),
        (
            format!("{MAIL}, tls: none}}"),
            "is for a server on this machine",
        ),
        (
            format!("{MAIL}, username: u}}"),
            "`username` and `password_env` go together",
        ),
        (
            format!("{MAIL}, password: x}}"),
            "name a variable with `password_env`",
        ),
        (
            format!("{MAIL}, quiet_hour: x}}"),
            "did you mean `quiet_hours`?",
        ),
        (format!("{MAIL}, chat_id: 1}}"), "unknown key"),
        (
            format!("{MAIL}, quiet_hours: '22-07'}}"),
            "such as \"22:00-07:00\", got \"22-07\"",
        ),
        (
            format!("{MAIL}, quiet_hours: '07:00-07:00'}}"),
            "a part of the day",
        ),
        (
            format!("{MAIL}, quiet_hours_except: critical}}"),
            "goes with `quiet_hours`",
        ),
        (
            format!("{MAIL}, digest: {{daily: '24:00'}}}}"),
            "a time such as",
        ),
        (
            format!("{MAIL}, digest: {{weekly: moday 07:00}}}}"),
            "such as \"monday 07:00\"",
        ),
        (
            format!("{MAIL}, digest: {{monthly: x}}}}"),
            "notify.channels[0].digest.monthly: unknown key",
        ),
        (
            format!("{MAIL}, domains: ['a b']}}"),
            "is not a domain name",
        ),
        (
            MAIL.replace("b@example.com", "\"b@example.com\\nBcc: c@example.com\"") + "}",
            "expected an address",
        ),
        (MAIL.replace("b@example.com", "[]") + "}", "`to` is empty"),
        (format!("{webhook}}}"), "`format` is missing"),
        (
            "{type: webhook, format: slack}".to_owned(),
            "`url` or `url_env` is missing",
        ),
        (
            format!("{webhook}, format: teams}}"),
            "expected one of generic, slack",
        ),
        (
            format!("{webhook}, format: slack, token_env: T}}"),
            "has no use here",
        ),
        (
            format!("{webhook}, format: gotify}}"),
            "`token_env` is missing",
        ),
        (
            format!("{webhook}, format: slack, topic: t}}"),
            "is for `format: ntfy`",
        ),
        (
            format!("{webhook}, format: ntfy, topic: 'a/b'}}"),
            "expected a topic",
        ),
        (
            "{type: webhook, format: slack, url: 'http://hooks.example/x'}".to_owned(),
            "expected an https address",
        ),
        (
            "{type: webhook, format: slack, url: 'http://localhost:x@hooks.example/x'}".to_owned(),
            "expected an https address",
        ),
        (
            r"{type: webhook, format: slack, url: 'http://hooks.example\@localhost/x'}".to_owned(),
            "expected an https address",
        ),
        (
            "{type: webhook, format: slack, url: 'http://192.0.2.7/x'}".to_owned(),
            "expected an https address",
        ),
        (
            "{type: webhook, format: slack, url: 'http://lan.example/x'}".to_owned(),
            "expected an https address",
        ),
        (
            "{type: telegram, chat_id: 'a b'}".to_owned(),
            "expected the number of a chat",
        ),
        (
            "{type: telegram, token: x}".to_owned(),
            "name a variable with `token_env`",
        ),
        (
            "{type: telegram, api_url: 'http://telegram.example'}".to_owned(),
            "expected an https address",
        ),
    ] {
        let problems = one(&channel).unwrap_err().join("\n");
        assert!(problems.contains(expect), "{channel}: {problems}");
    }
}

#[test]
fn http_is_for_nobody_else_however_it_is_written() {
    for host in [
        "hooks.example",
        "lan.example",
        "192.0.2.7",
        "gotify@hooks.example",
        "gotify:x@hooks.example",
        "0x08080808",
        "0X08080808",
        "134744072",
        "8.8",
        "010.8.8.8",
        "8%2e8%2e8%2e8",
        "hooks%2eexample",
        "hooks%2Eexample.",
        "[::1]hooks.example",
        "[2001:db8::1]",
        "[::ffff:8.8.8.8]",
        "10.0.0.1:99999",
        "foo:80:90",
        "fd00::1",
    ] {
        let channel = format!("{{type: webhook, format: ntfy, topic: t, url: 'http://{host}/x'}}");
        let problems = one(&channel).unwrap_err().join("\n");
        assert!(
            problems.contains("expected an https address"),
            "{host}: {problems}"
        );
    }
}

#[test]
fn http_is_for_ones_own_network() {
    for host in [
        "localhost:8080",
        "127.0.0.1",
        "[::1]:80",
        "10.1.2.3",
        "172.16.0.1:90",
        "192.168.0.7",
        "[fd00::7]",
        "gotify:80",
        "NTFY.lan",
        "ntfy.home.arpa",
        "push.internal",
        "printer.local",
    ] {
        let channel = format!("{{type: webhook, format: ntfy, topic: t, url: 'http://{host}/x'}}");
        assert!(one(&channel).is_ok(), "{host}: {:?}", one(&channel));
    }
}

//! What is taken, what is refused, and where the message points.

use std::collections::BTreeMap;

use super::*;
use crate::model::inbox::{After, Login, Schedule, TlsMode};

const EXAMPLE: &str = include_str!("../../config/config.example.yml");

fn parse_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    let environment = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let shown = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
    Config::parse("c.yml", text, &environment).map_err(shown)
}

fn parse(text: &str) -> Result<Config, Vec<String>> {
    parse_with(text, &[])
}

#[test]
fn empty_file_gives_the_defaults() {
    let defaults = Config {
        services: services::embedded().unwrap(),
        ..Config::default()
    };
    for text in ["", "# nothing\n", "app:\n", "{}"] {
        assert!(parse(text).as_ref() == Ok(&defaults), "{text:?}");
    }
}

#[test]
fn example_file_is_accepted_and_states_the_defaults() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.server, Server::default());
    assert_eq!(config.security, Security::default());
    assert_eq!(config.site, Site::default());
    let app = App {
        base_url: Some("https://dmarc.example.com".to_owned()),
        ..App::default()
    };
    assert_eq!(config.app, app);
    assert_eq!(config.domains, ["example.com", "example.org"]);
    let names: Vec<&str> = config
        .known_senders
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Newsletter service",
            "Own mail servers",
            "example.com",
            "example.org"
        ]
    );
    let services = &config.known_senders[2].services;
    assert_eq!(*services, ["google-workspace", "mailchimp"]);
    assert!(config.known_senders[3].aligned_dkim);
}

#[test]
fn example_file_names_every_key() {
    // An unknown key in each section makes the reader list what it knows.
    for section in [
        "",
        "addresses",
        "app",
        "security",
        "server",
        "server.limits",
        "site",
        "retention",
        "limits",
        "alerts",
        "inboxes",
        "inboxes.oauth2",
        "notify",
    ] {
        let mut text = String::new();
        for (depth, key) in section.split('.').filter(|k| !k.is_empty()).enumerate() {
            text.push_str(&format!("{}{key}:\n", "  ".repeat(depth)));
        }
        let depth = section.split('.').filter(|k| !k.is_empty()).count();
        text.push_str(&format!(
            "{}zzzzzzzzzzzzzzzzzzzzzzzz: 1\n",
            "  ".repeat(depth)
        ));
        let problems = parse(&text).unwrap_err();
        let mut listing = problems.iter().filter_map(|p| p.split_once("known here: "));
        let (_, known) = listing.next().unwrap();
        for key in known.split(", ") {
            let shown = EXAMPLE.lines().any(|line| {
                let line = line.trim_start_matches([' ', '#', '-']);
                line.starts_with(&format!("{key}:"))
            });
            assert!(shown, "{section}.{key} is not in config.example.yml");
        }
    }
}

#[test]
fn all_problems_are_reported_together_with_path_and_line() {
    let text = "
app:
  base_url: dmarc.example.com
  log_levle: info
domains: [example.com, 'not a domain']
known_senders:
  example.com:
    - name: Office
      cidrs: [192.0.2.0/24, 10.0.0.0/40]
    - aligned_dkim: sometimes
limits:
  item_bytes: lots
";
    assert_eq!(
        parse(text).unwrap_err(),
        [
            "c.yml:3: app.base_url: expected an address such as https://dmarc.example.com, got \"dmarc.example.com\"",
            "c.yml:4: app.log_levle: unknown key, did you mean `log_level`?",
            "c.yml:5: domains[1]: \"not a domain\" is not a domain name",
            "c.yml:9: known_senders.example.com[0].cidrs[1]: expected an address or a network such as 192.0.2.0/24, \
             got \"10.0.0.0/40\"",
            "c.yml:10: known_senders.example.com[1].aligned_dkim: expected true or false, got text",
            "c.yml:12: limits.item_bytes: expected a size such as \"25 MiB\", got \"lots\"",
        ]
    );
}

#[test]
fn what_cannot_hold_is_refused_with_the_way_out() {
    for (text, expect) in [
        (
            "llm:\n  model: x\n",
            "c.yml:1: llm: is not part of this version yet: remove it",
        ),
        (
            "retention: {months: 0}\n",
            "c.yml:1: retention.months: expected a whole number from 1 on, got 0",
        ),
        (
            "retention: {moths: 12}\n",
            "c.yml:1: retention.moths: unknown key, did you mean `months`?",
        ),
        (
            "domain: [a.example]\n",
            "c.yml:1: domain: unknown key, did you mean `domains`?",
        ),
        (
            "security: {password: hunter2}\n",
            "c.yml:1: security.password: secrets stay out of this file: name a variable with `password_env`",
        ),
        (
            "security: {password_env: 'p w'}\n",
            "c.yml:1: security.password_env: expected the name of an environment variable, such as DASHBOARD_PASSWORD",
        ),
        (
            "server: {trusted_proxies: 192.0.2.7/24}\n",
            "c.yml:1: server.trusted_proxies: expected a network such as 192.0.2.0/24, got \"192.0.2.7/24\"",
        ),
        (
            "server: {base_path: ../x}\n",
            "c.yml:1: server.base_path: expected a path such as /dmarc, got \"../x\"",
        ),
        (
            "site: [1]\n",
            "c.yml:1: site: is a list, expected keys and values",
        ),
        (
            "site: {report_pages: -1}\n",
            "c.yml:1: site.report_pages: expected a whole number from 0 on, got -1",
        ),
        (
            "known_senders: {a.example: {name: Office}}\n",
            "c.yml:1: known_senders.a.example: matches nothing: give `services`, `cidrs`, `dkim_domains`, \
             `spf_domains` or `aligned_dkim: true`",
        ),
        (
            "known_senders: {a.example: {services: [mailchimp, sengrid]}}\n",
            "c.yml:1: known_senders.a.example.services[1]: there is no service \"sengrid\", did you mean `sendgrid`?",
        ),
        (
            "known_senders: {a.example: {services: Microsoft 365}}\n",
            "c.yml:1: known_senders.a.example.services: there is no service \"Microsoft 365\", did you mean \
             `microsoft-365`?",
        ),
        (
            "known_senders: {a.example: {services: [qqqqqqqqqq]}}\n",
            "c.yml:1: known_senders.a.example.services[0]: there is no service \"qqqqqqqqqq\"; \
             queries/seeds/services.csv lists them, and table `senders`",
        ),
        (
            "known_senders:\n  a.example:\n  - aligned_dkim: true\n  - aligned_dkim: true\n",
            "c.yml:4: known_senders.a.example[1]: a second sender \"a.example\" of a.example: give each a `name`",
        ),
        (
            "domains: [a.example]\nknown_senders:\n  b.example: {aligned_dkim: true}\n",
            "c.yml:3: known_senders.b.example: is not one of `domains`",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err(), [expect], "{text}");
    }
}

#[test]
fn broken_yaml_is_one_problem_with_its_line() {
    for text in [
        "app: [\n",
        "app: {}\napp: {}\n",
        "a: 1\n---\nb: 2\n",
        "\tapp: 1\n",
        "app: \"\n",
    ] {
        let problems = parse(text).unwrap_err();
        assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
        assert!(problems[0].starts_with("c.yml:"), "{text:?}: {problems:?}");
    }
}

#[test]
fn values_have_units() {
    let text = "limits: {item_bytes: 3 kB, text_bytes: 512, ratio_from_bytes: 1GiB}\napp: {poll_interval: 2 hours}\n";
    let config = parse(text).unwrap();
    assert_eq!(config.limits.item_bytes, 3_000);
    assert_eq!(config.limits.text_bytes, 512);
    assert_eq!(config.limits.ratio_from_bytes, 1 << 30);
    assert_eq!(config.app.poll_interval_secs, 7_200);
    assert!(parse("limits: {item_bytes: 99999999999999999 GiB}\n").is_err());
}

#[test]
fn senders_of_a_domain_are_one_mapping_or_a_list_and_are_normalised() {
    let config = parse(
        "known_senders: {EXAMPLE.com.: {cidrs: 192.0.2.7, dkim_domains: [B.example, a.example]}}\n",
    );
    let expect = KnownSender {
        domain: "example.com".to_owned(),
        name: "example.com".to_owned(),
        cidrs: vec!["192.0.2.7/32".parse().unwrap()],
        dkim_domains: vec!["a.example".to_owned(), "b.example".to_owned()],
        ..KnownSender::default()
    };
    assert_eq!(config.unwrap().known_senders, [expect]);
}

#[test]
fn secrets_come_from_variables_or_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "t0ken\n").unwrap();
    let variables = [
        ("DASHBOARD_USERNAME", "admin"),
        ("MY_PASSWORD", "p4ss"),
        ("HOMEPAGE_API_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let config = parse_with("security: {password_env: MY_PASSWORD}\n", &variables).unwrap();
    assert_eq!(config.security.username.as_deref(), Some("admin"));
    assert_eq!(config.security.password, Some(Secret::new("p4ss")));
    assert_eq!(config.security.homepage_token, Some(Secret::new("t0ken")));
    assert!(!format!("{config:?}").contains("p4ss"));
    let both = [
        ("DASHBOARD_PASSWORD", "a"),
        ("DASHBOARD_PASSWORD_FILE", "/nowhere"),
    ];
    assert_eq!(
        parse_with("", &both).unwrap_err(),
        ["DASHBOARD_PASSWORD: is set, and so is DASHBOARD_PASSWORD_FILE: keep one"]
    );
    let missing = parse_with("", &[("DASHBOARD_PASSWORD_FILE", "/nowhere/at/all")]).unwrap_err();
    assert!(
        missing[0].starts_with("DASHBOARD_PASSWORD_FILE: /nowhere/at/all: "),
        "{missing:?}"
    );
}

#[test]
fn named_file_must_exist() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.yml");
    assert!(Config::load(Some(&missing), &|_| None).is_err());
}

#[test]
fn hash_follows_what_shapes_a_generation_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let hash = |text: &str| {
        let config = Config {
            queries_folder: folder.path().join("queries"),
            ..parse(text).unwrap()
        };
        config.hash().unwrap()
    };
    let plain = hash("");
    assert_eq!(
        plain,
        hash("app: {log_level: debug}\nserver: {listen: '127.0.0.1:9'}\n")
    );
    for text in [
        "domains: a.example",
        "site: {title: T}",
        "limits: {depth: 9}",
        "server: {base_path: /d}",
    ] {
        assert_ne!(plain, hash(text), "{text}");
    }
    assert_eq!(
        hash("domains: [a.example, b.example]"),
        hash("domains: [b.example, a.example]")
    );
    std::fs::create_dir_all(folder.path().join("queries/panels")).unwrap();
    std::fs::write(folder.path().join("queries/panels/mine.sql"), "select 1").unwrap();
    assert_ne!(plain, hash(""));
}

const ACCOUNT: &str = "host: mail.example.com, username: me, password_env: PW";

fn inbox(more: &str) -> Result<Inbox, Vec<String>> {
    let text = format!("inboxes: [{{{ACCOUNT}{more}}}]\n");
    parse_with(&text, &[("PW", "secret")]).map(|mut config| config.inboxes.remove(0))
}

#[test]
fn an_inbox_needs_host_user_and_password_and_has_sensible_defaults() {
    let plain = inbox("").unwrap();
    assert_eq!((plain.name.as_str(), plain.port), ("me", 993));
    assert_eq!(
        (plain.tls, plain.after),
        (TlsMode::Implicit, After::Nothing)
    );
    assert_eq!(plain.folders, ["DMARC"]);
    assert_eq!(plain.schedule, Schedule::Every(900));
    assert!(
        matches!(&plain.login, Login::Password(password) if password.get().unwrap().expose() == "secret")
    );
    assert_eq!(inbox(", tls: starttls").unwrap().port, 143);
    let cron = inbox(", cron: '0 6 * * mon-fri'").unwrap().schedule;
    assert_eq!(cron, Schedule::Cron("0 6 * * mon-fri".to_owned()));
    // Who only asks the database needs no password.
    let config = parse(&format!("inboxes: {{{ACCOUNT}}}\n")).unwrap();
    assert!(
        matches!(&config.inboxes[0].login, Login::Password(password) if password.get().is_err())
    );
}

#[test]
fn an_inbox_that_cannot_work_is_refused_with_the_way_out() {
    for (more, expect) in [
        (", tls: none", "is for a server on this machine"),
        (
            ", tls: ssl",
            "expected one of implicit, starttls, none, got \"ssl\"",
        ),
        (", port: 70000", "expected a port up to 65535"),
        (", cron: '61 * * * *'", "expected a cron expression"),
        (
            ", cron: '* * * * *', poll_interval: 5m",
            "`poll_interval` and `cron` are both set",
        ),
        (", password: hunter2", "secrets stay out of this file"),
        (", folder: X", "did you mean `folders`?"),
        (", folders: []", "`folders` is empty"),
        (", recipient: example.com", "expected an address"),
        (
            ", without_report: delete",
            "expected one of nothing, mark_seen, move",
        ),
        (", oauth2: {client_id: a}", "`token_url` is missing"),
        (
            ", oauth2: {token_url: 'http://other.example/t', client_id: a, refresh_token_env: R}",
            "https address",
        ),
    ] {
        let problems = inbox(more).unwrap_err().join("\n");
        assert!(problems.contains(expect), "{more}: {problems}");
        assert!(
            !problems.contains("hunter2") && !problems.contains("other.example"),
            "{problems}"
        );
    }
    let twice = format!("inboxes: [{{{ACCOUNT}}}, {{{ACCOUNT}}}]\n");
    assert!(parse(&twice).unwrap_err()[0].contains("give each a `name`"));
    let nothing = parse("inboxes: [{}]\n").unwrap_err();
    assert_eq!(nothing.len(), 3, "{nothing:?}");
}

#[test]
fn variables_define_an_inbox_where_the_file_has_none() {
    let variables = [
        ("DMARC_IMAP_HOST", "mail.example.org"),
        ("DMARC_IMAP_PORT", "143"),
        ("DMARC_IMAP_USER", "dmarc"),
        ("DMARC_IMAP_PASS", "secret"),
        ("DMARC_IMAP_FOLDER", "Reports"),
    ];
    let config = parse_with("", &variables).unwrap();
    let inbox = &config.inboxes[0];
    assert_eq!((inbox.tls, inbox.port), (TlsMode::StartTls, 143));
    assert_eq!(inbox.folders, ["Reports"]);
    let own = format!("inboxes: [{{{ACCOUNT}}}]\n");
    let config = parse_with(&own, &variables).unwrap();
    assert_eq!(config.inboxes[0].host, "mail.example.com");
    assert!(parse_with("", &variables[..2]).unwrap_err()[0].contains("DMARC_IMAP_USER"));
}

#[test]
fn a_heartbeat_goes_over_https_and_is_not_shown() {
    let config = parse("notify: {heartbeat_url: 'https://push.example/token'}\n").unwrap();
    assert!(!format!("{config:?}").contains("token'"));
    assert!(config.notify.heartbeat_url.is_some());
    for url in ["http://push.example/token", "ftp://x", "push.example"] {
        let text = format!("notify: {{heartbeat_url: '{url}'}}\n");
        let problem = &parse(&text).unwrap_err()[0];
        assert!(
            problem.contains("https") && !problem.contains("token"),
            "{problem}"
        );
    }
    let variables = [("BEAT", "http://localhost:3001/push")];
    let config = parse_with("notify: {heartbeat_url_env: BEAT}\n", &variables).unwrap();
    assert!(config.notify.heartbeat_url.is_some());
}

#[test]
fn a_list_of_services_of_the_user_takes_the_place_of_the_programs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yml");
    let seeds = folder.path().join("queries/seeds");
    std::fs::create_dir_all(&seeds).unwrap();
    let load = |services: &str| {
        std::fs::write(
            &file,
            "known_senders: {a.example: {services: [postroom]}}\n",
        )
        .unwrap();
        std::fs::write(seeds.join("services.csv"), services).unwrap();
        Config::load(Some(&file), &|_| None)
    };
    let one =
        load("service,name,kind,dkim_domains\npostroom,Post room,relay,post.example\n").unwrap();
    assert_eq!(one.services.len(), 1);
    assert_eq!(one.known_senders[0].services, ["postroom"]);
    let other =
        load("service,name,kind,dkim_domains\npostroom,Post room,relay,mail.example\n").unwrap();
    assert_ne!(one.hash().unwrap(), other.hash().unwrap());
    let problems =
        load("service,name,kind\nmailroom,Mail room,relay\npostroom,Post room,esp\n").unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expect = format!(
        "{}:3: `kind` is one of mailbox,",
        seeds.join("services.csv").display()
    );
    assert!(shown[0].starts_with(&expect), "{shown:?}");
}

#[test]
fn what_is_to_be_known_of_addresses_is_read_and_files_that_are_none_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (
        folder.path().join("good.mmdb"),
        folder.path().join("bad.mmdb"),
    );
    std::fs::write(&good, b"\xab\xcd\xefMaxMind.com").unwrap();
    std::fs::write(&bad, "text").unwrap();
    let text = format!(
        "addresses:\n  host_names: true\n  dns_servers: [192.0.2.53, \"[2001:db8::53]:5353\"]\n  mmdb: {}\n",
        good.display()
    );
    let config = parse(&text).unwrap();
    assert!(config.addresses.host_names);
    let servers: Vec<String> = config
        .addresses
        .dns_servers
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:5353"]);
    assert_eq!(config.addresses.mmdb, [good]);
    let text = format!(
        "addresses:\n  host_name: true\n  dns_servers:\n    - ns.example.com\n  mmdb:\n    - {}\n    - {}/none\n    - {}\n",
        bad.display(),
        folder.path().display(),
        folder.path().display(),
    );
    let problems = parse(&text).unwrap_err();
    for (line, expect) in [
        (
            2,
            "addresses.host_name: unknown key, did you mean `host_names`?",
        ),
        (
            4,
            "addresses.dns_servers[0]: expected the address of a DNS server such as",
        ),
        (6, "is no MMDB file"),
        (7, "cannot be read"),
        (8, "is no file"),
    ] {
        let told = problems
            .iter()
            .any(|p| p.contains(&format!(":{line}: ")) && p.contains(expect));
        assert!(told, "{line} {expect}: {problems:#?}");
    }
    assert_eq!(problems.len(), 5, "{problems:#?}");
}

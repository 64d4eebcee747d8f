//! Telegram and webhooks: what they are asked, what their answers lead to, and what strangers cannot put in.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use sentinel::model::alert::Severity;
use sentinel::model::channel::Channel;
use sentinel::model::notice::Notice;
use sentinel::notify::{Post, Retry, SendError, reach};
use serde_json::{Value as Json, json};

use crate::http_endpoint::{Answer, Endpoint, Request};
use crate::notify_samples::{HOSTILE, about, alert, channel, digest, hostile_alert, many, summary};

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const FORMATS: [&str; 5] = ["generic", "slack", "discord", "ntfy", "gotify"];
/// In each address, so that its absence in messages can be seen.
const SECRET: &str = "T000-secret-path";

fn telegram(url: &str) -> Channel {
    let yaml = format!("type: telegram, api_url: '{url}', chat_id: '-1001234567890'");
    channel(&yaml, &[("TELEGRAM_BOT_TOKEN", TOKEN)])
}

fn webhook(format: &str, url: &str) -> Channel {
    let more = match format {
        "gotify" => ", token_env: TOKEN",
        "ntfy" => ", topic: dmarc, token_env: TOKEN",
        "generic" => ", token_env: TOKEN",
        _ => "",
    };
    let yaml = format!("type: webhook, format: {format}, url_env: HOOK{more}");
    let url = format!("{url}/{SECRET}");
    channel(&yaml, &[("HOOK", &url), ("TOKEN", "the-token")])
}

/// Every kind of channel, to one address.
fn all(url: &str) -> Vec<Channel> {
    let webhooks = FORMATS.iter().map(|format| webhook(format, url));
    webhooks.chain([telegram(url)]).collect()
}

fn send(channel: &Channel, notice: &Notice) -> Result<String, SendError> {
    Post::default()
        .send(channel, notice)
        .map(|delivery| delivery.words)
}

/// The request that a notice becomes.
fn sent(make: impl Fn(&str) -> Channel, notice: &Notice) -> (Request, Json) {
    let endpoint = Endpoint::start(|_, _| (200, r#"{"ok":true}"#.to_owned()));
    let words = send(&make(&endpoint.url), notice).unwrap();
    assert!(words.starts_with("taken by 127.0.0.1:"), "{words}");
    let mut requests = endpoint.requests();
    assert_eq!(requests.len(), 1);
    let request = requests.remove(0);
    assert_eq!(request.method, "POST");
    assert_eq!(request.headers["content-type"], "application/json");
    let json = serde_json::from_str(&request.body).unwrap();
    (request, json)
}

/// The text that people read of it.
fn text<'j>(format: &str, json: &'j Json) -> &'j str {
    let name = match format {
        "discord" => "content",
        "ntfy" | "gotify" => "message",
        _ => "text",
    };
    json[name].as_str().unwrap()
}

#[test]
fn telegram_gets_a_message_in_its_html() {
    let notice = about(vec![alert("00000000000000aa", Severity::Critical)], 0);
    let (request, json) = sent(telegram, &notice);
    assert_eq!(request.path, format!("/bot{TOKEN}/sendMessage"));
    assert_eq!(json["chat_id"], "-1001234567890");
    assert_eq!(json["parse_mode"], "HTML");
    assert_eq!(json["link_preview_options"], json!({"is_disabled": true}));
    assert_eq!(json["disable_notification"], false);
    let text = json["text"].as_str().unwrap();
    for words in [
        "<b>CRITICAL</b>: <code>203.0.113.66 sends as example.com and is not known</code>\n",
        "Messages: <code>1\u{202f}234</code>\n",
        "What to do next:\n\u{2022} If this is yours, list it",
        "<a href=\"https://dmarc.example.com/alerts/00000000000000aa\">Facts, history and actions</a>",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

#[test]
fn each_webhook_gets_the_form_that_it_takes() {
    let notice = about(vec![alert("00000000000000aa", Severity::Critical)], 0);
    let url = "https://dmarc.example.com/alerts/00000000000000aa";
    for format in FORMATS {
        let (request, json) = sent(|url| webhook(format, url), &notice);
        assert_eq!(request.headers["idempotency-key"], notice.key());
        let expect = match format {
            "gotify" => ("x-gotify-key", Some("the-token")),
            "generic" | "ntfy" => ("authorization", Some("Bearer the-token")),
            _ => ("authorization", None),
        };
        assert_eq!(
            request.headers.get(expect.0).map(String::as_str),
            expect.1,
            "{format}"
        );
        let path = match format {
            "gotify" => format!("/{SECRET}/message"),
            _ => format!("/{SECRET}"),
        };
        assert_eq!(request.path, path);
        let text = text(format, &json);
        for words in [
            "203.0.113.66",
            "2024-03-08 to 2024-03-09",
            "1\u{202f}234",
            "What to do next",
            url,
        ] {
            assert!(
                text.contains(words) || format == "discord" && text.contains("https"),
                "{format}: {text}"
            );
        }
        match format {
            "slack" => {
                assert_eq!(
                    (&json["unfurl_links"], &json["unfurl_media"]),
                    (&json!(false), &json!(false))
                );
                assert!(
                    text.contains(&format!("<{url}|Facts, history and actions>")),
                    "{text}"
                );
                assert!(
                    text.contains("selector1._domainkey.example.com"),
                    "names stay as they are: {text}"
                );
            }
            "discord" => {
                assert_eq!(json["allowed_mentions"], json!({"parse": []}));
                assert_eq!(json["flags"], 4);
                assert!(text.starts_with("**CRITICAL**: "), "{text}");
            }
            "ntfy" => {
                assert_eq!(
                    (&json["topic"], &json["priority"]),
                    (&json!("dmarc"), &json!(5))
                );
                assert_eq!(
                    (&json["click"], &json["markdown"]),
                    (&json!(url), &json!(false))
                );
            }
            "gotify" => {
                assert_eq!(json["priority"], 8);
                assert_eq!(
                    json["extras"]["client::display"]["contentType"],
                    "text/plain"
                );
                assert_eq!(json["extras"]["client::notification"]["click"]["url"], url);
            }
            _ => {
                let told = &json["alerts"][0];
                assert_eq!(
                    (&json["schema"], &json["version"]),
                    (&json!("dmarc-sentinel.notice"), &json!(1))
                );
                assert_eq!(
                    (&json["kind"], &json["at"]),
                    (&json!("alerts"), &json!("2024-03-10T08:00:00Z"))
                );
                assert_eq!(json["key"], notice.key());
                assert_eq!(
                    (&told["id"], &told["severity"]),
                    (&json!("00000000000000aa"), &json!("critical"))
                );
                assert_eq!(
                    (&told["messages"], &told["occasion"]),
                    (&json!(1234), &json!("new"))
                );
                assert_eq!(told["facts"]["failing_messages"], 1234);
                assert_eq!(told["url"], url);
            }
        }
    }
}

#[test]
fn priorities_follow_the_severity() {
    for (severity, ntfy, gotify) in [
        (Severity::Critical, 5, 8),
        (Severity::Warning, 4, 5),
        (Severity::Info, 2, 2),
    ] {
        let notice = about(vec![alert("1", severity)], 0);
        for (format, expect) in [("ntfy", ntfy), ("gotify", gotify)] {
            let (_, json) = sent(|url| webhook(format, url), &notice);
            assert_eq!(json["priority"], expect, "{format} {severity}");
        }
        let (_, json) = sent(telegram, &notice);
        assert_eq!(json["disable_notification"], severity == Severity::Info);
    }
}

/// Tags of Telegram's HTML that this program writes; every one is closed.
fn check_telegram(text: &str) {
    let mut open = Vec::new();
    for piece in text.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{text}");
        } else {
            let name = tag.split(' ').next().unwrap();
            assert!(["b", "code", "pre", "a"].contains(&name), "{tag}");
            if name == "a" {
                assert!(
                    tag.starts_with("a href=\"https://dmarc.example.com/"),
                    "{tag}"
                );
            }
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} in {text}");
}

#[test]
fn nothing_that_strangers_write_becomes_a_mark_a_link_or_a_call() {
    let mut hostile_digest = digest();
    hostile_digest.domains[0].domain = HOSTILE.to_owned();
    hostile_digest.open = vec![hostile_alert("00000000000000aa")];
    for notice in [
        about(vec![hostile_alert("00000000000000aa")], 0),
        about(many(8), 3),
        Notice::Digest(hostile_digest),
        summary(HOSTILE),
    ] {
        for format in FORMATS {
            let (_, json) = sent(|url| webhook(format, url), &notice);
            let text = text(format, &json);
            assert!(
                !text.contains("://evil") && !text.contains("www.evil"),
                "{format}: {text}"
            );
            let is_odd = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2028}".contains(c);
            assert!(!text.contains(is_odd), "{format}: {text}");
            match format {
                "slack" => {
                    for piece in text.split('<').skip(1) {
                        assert!(piece.starts_with("https://dmarc.example.com/"), "{text}");
                    }
                    let fences = text.matches("```").count();
                    assert_eq!(fences % 2, 0, "{text}");
                    let ticks = text.replace("```", "").matches('`').count();
                    assert_eq!(ticks % 2, 0, "{text}");
                }
                "discord" => {
                    // What is escaped is out of the way; what is left is a mark.
                    let marks: String = text
                        .split('\\')
                        .enumerate()
                        .map(|(at, piece)| {
                            let mut characters = piece.chars();
                            if at > 0 {
                                characters.next();
                            }
                            characters.as_str().to_owned()
                        })
                        .collect();
                    let mut outside = marks.split("```").step_by(2);
                    for piece in [" *bold*", "](", " <@U123>", "||s||", "@everyone"] {
                        assert!(
                            outside.clone().all(|text| !text.contains(piece)),
                            "{piece} in {text}"
                        );
                    }
                    assert!(
                        outside.all(|text| !text.replace("\\`", "").contains('`')),
                        "{text}"
                    );
                }
                _ => {}
            }
        }
        let (_, json) = sent(telegram, &notice);
        let text = json["text"].as_str().unwrap();
        check_telegram(text);
        assert!(
            !text.contains("://evil") && !text.contains("@everyone</b>"),
            "{text}"
        );
    }
}

#[test]
fn a_message_is_as_long_as_the_chat_takes_and_says_what_it_leaves_out() {
    let long_text = "203.0.113.66  1234 messages, 1200 of them failing; ünïcödé 🚨\n".repeat(500);
    let mut broad = digest();
    broad.domains = (0..2000)
        .map(|at| {
            let mut line = broad.domains[0].clone();
            line.domain = format!("domain{at}.example.com");
            line
        })
        .collect();
    broad.open = many(100);
    for notice in [
        about(many(100), 300),
        summary(&long_text),
        Notice::Digest(broad),
    ] {
        for (format, most_units) in [
            ("slack", 4000),
            ("discord", 2000),
            ("ntfy", 3900),
            ("gotify", 3900),
        ] {
            let (_, json) = sent(|url| webhook(format, url), &notice);
            let text = text(format, &json);
            assert!(
                text.encode_utf16().count() <= most_units,
                "{format}: {}",
                text.len()
            );
            assert!(text.len() > most_units / 4, "{format} says enough: {text}");
            assert!(format != "ntfy" || text.len() <= 4096);
        }
        let (_, json) = sent(telegram, &notice);
        let text = json["text"].as_str().unwrap();
        assert!(text.encode_utf16().count() <= 4096);
        check_telegram(text);
        if let Notice::Alerts(_) = notice {
            assert!(
                text.contains("28 critical, 72 warnings, 300 more alerts"),
                "{text}"
            );
            let (_, more) = text.rsplit_once("And ").unwrap();
            let (more, _) = more.split_once(" more alerts.").unwrap();
            let named = text.matches("<code>").count();
            assert_eq!(more.parse::<usize>().unwrap() + named, 400, "{text}");
        }
    }
}

#[test]
fn answers_tell_whether_another_try_can_help_and_give_nothing_away() {
    for (status, head, body, expect) in [
        (500, "", "", Retry::Soon),
        (503, "Retry-After: 120\r\n", "", Retry::After(120)),
        (429, "Retry-After: 7\r\n", "", Retry::After(7)),
        (429, "Retry-After: soon\r\n", "", Retry::Soon),
        (
            400,
            "",
            r#"{"description":"Bad Request: chat not found"}"#,
            Retry::NeedsPerson,
        ),
        (401, "", "Unauthorized", Retry::NeedsPerson),
        (404, "", "no_service", Retry::NeedsPerson),
    ] {
        let endpoint = Endpoint::with(move |request| {
            let mut answer = Answer::from((status, body.to_owned()));
            head.clone_into(&mut answer.head);
            // Some servers repeat what they were asked.
            let auth = request.headers.get("authorization").cloned();
            answer.body += &format!(" {} {}", request.path, auth.unwrap_or_default());
            Some(answer)
        });
        for channel in all(&endpoint.url) {
            let error = send(&channel, &summary("text")).unwrap_err();
            assert_eq!(error.retry, expect, "{}: {error}", channel.name);
            assert!(error.words.contains(&status.to_string()), "{error}");
            for secret in [SECRET, TOKEN, "the-token"] {
                assert!(!error.words.contains(secret), "{}: {error}", channel.name);
            }
        }
    }
}

#[test]
fn telegram_says_in_its_body_how_long_to_wait() {
    let body = json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 35",
        "parameters": {"retry_after": 35}});
    let endpoint = Endpoint::start(move |_, _| (429, body.to_string()));
    let error = send(&telegram(&endpoint.url), &summary("text")).unwrap_err();
    assert_eq!(error.retry, Retry::After(35), "{error}");
}

#[test]
fn no_answer_leads_anywhere_else() {
    let other = Endpoint::start(|_, _| (200, String::new()));
    for status in [301, 302, 307, 308] {
        let location = format!("Location: {}/there\r\n", other.url);
        let endpoint = Endpoint::with(move |_| {
            let mut answer = Answer::from((status, String::new()));
            answer.head.clone_from(&location);
            Some(answer)
        });
        for channel in all(&endpoint.url) {
            let error = send(&channel, &summary("text")).unwrap_err();
            assert_eq!(error.retry, Retry::NeedsPerson, "{error}");
            assert!(error.words.contains("leads elsewhere"), "{error}");
        }
    }
    assert!(other.asked().is_empty());
}

#[test]
fn an_answer_of_megabytes_is_cut_and_one_that_ends_early_is_a_failure() {
    let endpoint = Endpoint::start(|_, _| (200, "x".repeat(8 << 20)));
    for channel in all(&endpoint.url) {
        send(&channel, &summary("text")).unwrap();
    }
    let endpoint = Endpoint::start(|_, _| (500, "y".repeat(8 << 20)));
    for channel in all(&endpoint.url) {
        let error = send(&channel, &summary("text")).unwrap_err();
        assert!(error.words.len() < 1000, "{}", error.words.len());
    }
}

#[test]
fn a_server_that_hangs_or_is_not_there_is_tried_again() {
    let silent = Endpoint::with(|_| None);
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    std::thread::scope(|scope| {
        for url in [&silent.url, &gone] {
            for channel in all(url) {
                scope.spawn(move || {
                    let error = send(&channel, &summary("text")).unwrap_err();
                    assert_eq!(error.retry, Retry::Soon, "{}: {error}", channel.name);
                    assert!(
                        !error.words.contains(SECRET) && !error.words.contains(TOKEN),
                        "{error}"
                    );
                });
            }
        }
    });
}

#[test]
fn what_is_not_set_is_named() {
    for (yaml, variables, expect) in [
        ("type: telegram", vec![], "TELEGRAM_CHAT_ID is not set"),
        (
            "type: telegram, chat_id: 5",
            vec![],
            "TELEGRAM_BOT_TOKEN is not set",
        ),
        (
            "type: telegram, chat_id: 5",
            vec![("TELEGRAM_BOT_TOKEN", "../x?")],
            "holds no token",
        ),
        (
            "type: webhook, format: slack, url_env: HOOK",
            vec![],
            "HOOK is not set",
        ),
        (
            "type: webhook, format: gotify, url: 'http://127.0.0.1:1', token_env: T",
            vec![],
            "T is not set",
        ),
        (
            "type: webhook, format: ntfy, url: 'http://127.0.0.1:1'",
            vec![],
            "`topic` is missing",
        ),
    ] {
        let error = send(&channel(yaml, &variables), &summary("text")).unwrap_err();
        assert_eq!(error.retry, Retry::NeedsPerson);
        assert!(error.words.contains(expect), "{yaml}: {error}");
    }
}

#[test]
fn a_look_asks_nothing_but_telegram_who_the_bot_is() {
    let endpoint = Endpoint::start(|path, _| match path.ends_with("/getMe") {
        true => (200, r#"{"ok":true,"result":{"id":1}}"#.to_owned()),
        false => (500, String::new()),
    });
    for channel in all(&endpoint.url) {
        reach(&channel).unwrap_or_else(|error| panic!("{}: {error}", channel.name));
    }
    let asked: Vec<String> = endpoint.asked().into_iter().map(|(path, _)| path).collect();
    assert_eq!(asked, [format!("/bot{TOKEN}/getMe")]);
    let refusing = Endpoint::start(|_, _| {
        (
            401,
            r#"{"ok":false,"description":"Unauthorized"}"#.to_owned(),
        )
    });
    let error = reach(&telegram(&refusing.url)).unwrap_err();
    assert!(error.words.contains("is the token right?"), "{error}");
    assert!(!error.words.contains(TOKEN));
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for channel in all(&gone) {
        reach(&channel).unwrap_err();
    }
}

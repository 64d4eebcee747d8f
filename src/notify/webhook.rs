//! A letter in the forms that webhooks take.

use serde_json::{Value, json};

use super::chat::{Marks, bullets, fitting, render, units};
use super::fate::{Delivery, SendError};
use super::generic;
use super::harmless::{cut_to_bytes, unaddressed};
use super::letter::Letter;
use super::plain;
use super::web::{self, Request, needed};
use crate::model::alert::Severity;
use crate::model::channel::{Format, WebhookWay};
use crate::model::notice::Notice;

/// What Slack shows without folding.
const SLACK_UNITS: usize = 4000;
/// What Discord takes.
const DISCORD_UNITS: usize = 2000;
/// Of more, ntfy makes a file.
const NTFY_BYTES: usize = 3900;
const TITLE_BYTES: usize = 200;

/// Sends a letter.
pub fn send(way: &WebhookWay, notice: &Notice) -> Result<Delivery, SendError> {
    request(way, notice)?.deliver()
}

/// Whether the address can be reached; a request would be a message.
pub fn reach(way: &WebhookWay) -> Result<(), SendError> {
    if let Some(token) = &way.token {
        needed(token)?;
    }
    web::reach(needed(&way.url)?)
}

fn request(way: &WebhookWay, notice: &Notice) -> Result<Request, SendError> {
    let url = needed(&way.url)?.to_owned();
    let letter = Letter::of(notice);
    let token = way.token.as_ref().map(needed).transpose()?;
    let mut request = match way.format {
        Format::Generic => Request::new(url, generic::body(notice, &letter)),
        Format::Slack => Request::new(url, slack(&letter)),
        Format::Discord => Request::new(url, discord(&letter)),
        Format::Ntfy => {
            let (url, topic) = ntfy_address(&url, way.topic.as_deref())?;
            let mut request = Request::new(url, ntfy(&letter, &topic));
            // A topic is as good as a password.
            request.secrets.push(topic);
            request
        }
        Format::Gotify => {
            let url = url.trim_end_matches('/');
            let url = url.strip_suffix("/message").unwrap_or(url);
            Request::new(format!("{url}/message"), gotify(&letter))
        }
    };
    if let Some(token) = token {
        request = match way.format {
            Format::Gotify => request.with_secret("x-gotify-key", "", token),
            _ => request.with_secret("authorization", "Bearer ", token),
        };
    }
    let key = notice.key().to_owned();
    request.headers.push(("idempotency-key", key));
    Ok(request)
}

const SLACK: Marks = Marks {
    bold: |text| format!("*{}*", slack_bare(text)),
    // In a code span nothing is a mark, a name or a link.
    strange: |text| format!("`{}`", slack_escaped(&unticked(text))),
    bare: slack_bare,
    fixed: |text| format!("```\n{}\n```", slack_escaped(&unticked(text))),
    // Names of keys and records have to stay as they are, so it is a block without marks, not one with look-alikes.
    advice: |lines| {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("\u{2022} {}", unticked(line)))
            .collect();
        format!("```\n{}\n```", slack_escaped(&lines.join("\n")))
    },
    link: |words, url| format!("<{}|{words}>", slack_escaped(url).replace('|', "%7C")),
};

fn slack_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Marks cannot be escaped there: look-alikes take their place.
fn slack_bare(text: &str) -> String {
    slack_escaped(
        &unticked(text)
            .replace('*', "\u{2217}")
            .replace('~', "\u{223c}"),
    )
}

/// A mark that ends a code span is none any more.
fn unticked(text: &str) -> String {
    text.replace('`', "'")
}

pub(super) fn slack(letter: &Letter) -> Value {
    let text = fitting(
        letter,
        |text| units(text) <= SLACK_UNITS,
        |letter| render(letter, &SLACK),
    );
    json!({"text": text, "mrkdwn": true, "unfurl_links": false, "unfurl_media": false})
}

const DISCORD: Marks = Marks {
    bold: |text| format!("**{}**", discord_escaped(text)),
    strange: |text| discord_escaped(&unaddressed(text)),
    bare: discord_escaped,
    fixed: |text| format!("```\n{}\n```", unticked(text)),
    advice: |lines| bullets(lines, |line| discord_escaped(&unaddressed(line))),
    // In angle brackets an address is a link without a preview.
    link: |words, url| format!("{words}: <{}>", url.replace('>', "%3E")),
};

fn discord_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(
            character,
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '#' | '[' | ']'
        ) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

pub(super) fn discord(letter: &Letter) -> Value {
    const SUPPRESS_EMBEDS: u32 = 1 << 2;
    let text = fitting(
        letter,
        |text| units(text) <= DISCORD_UNITS,
        |letter| render(letter, &DISCORD),
    );
    json!({"content": text, "allowed_mentions": {"parse": []}, "flags": SUPPRESS_EMBEDS})
}

/// The root of the server and the topic, which the address may end in.
fn ntfy_address(url: &str, topic: Option<&str>) -> Result<(String, String), SendError> {
    let url = url.trim_end_matches('/');
    if let Some(topic) = topic {
        return Ok((url.to_owned(), topic.to_owned()));
    }
    let split = url
        .rsplit_once('/')
        .filter(|(root, topic)| !root.ends_with('/') && !topic.is_empty());
    let words = "`topic` is missing, and the address of ntfy does not end in one";
    split
        .map(|(root, topic)| (root.to_owned(), topic.to_owned()))
        .ok_or_else(|| SendError::needs_person(words))
}

fn ntfy(letter: &Letter, topic: &str) -> Value {
    let (priority, tags) = match letter.severity {
        Some(Severity::Critical) => (5, json!(["rotating_light"])),
        Some(Severity::Warning) => (4, json!(["warning"])),
        Some(Severity::Info) => (2, json!([])),
        None => (3, json!([])),
    };
    let mut body = json!({
        "topic": topic,
        "title": cut_to_bytes(&letter.subject, TITLE_BYTES),
        "message": plain_text(letter),
        "priority": priority,
        "tags": tags,
        "markdown": false,
    });
    if let (Some(url), Some(fields)) = (page(letter), body.as_object_mut()) {
        fields.insert("click".to_owned(), json!(url));
    }
    body
}

fn gotify(letter: &Letter) -> Value {
    let priority = match letter.severity {
        Some(Severity::Critical) => 8,
        Some(Severity::Warning) => 5,
        Some(Severity::Info) => 2,
        None => 4,
    };
    let mut extras = json!({"client::display": {"contentType": "text/plain"}});
    if let (Some(url), Some(fields)) = (page(letter), extras.as_object_mut()) {
        let click = json!({"click": {"url": url}});
        fields.insert("client::notification".to_owned(), click);
    }
    json!({
        "title": cut_to_bytes(&letter.subject, TITLE_BYTES),
        "message": plain_text(letter),
        "priority": priority,
        "extras": extras,
    })
}

fn plain_text(letter: &Letter) -> String {
    fitting(letter, |text| text.len() <= NTFY_BYTES, plain::text)
}

/// Where a tap leads to.
fn page(letter: &Letter) -> Option<&String> {
    match letter.entries.as_slice() {
        [only] if letter.more == 0 => only.url.as_ref(),
        _ => letter.url.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_of_ntfy_stands_in_the_address_or_beside_it() {
        let address = |url: &str, topic| ntfy_address(url, topic).ok();
        let pair = |root: &str, topic: &str| Some((root.to_owned(), topic.to_owned()));
        for (url, topic, expect) in [
            (
                "https://ntfy.example",
                Some("t"),
                pair("https://ntfy.example", "t"),
            ),
            (
                "https://ntfy.example/",
                Some("t"),
                pair("https://ntfy.example", "t"),
            ),
            (
                "https://ntfy.example/t",
                None,
                pair("https://ntfy.example", "t"),
            ),
            (
                "https://ntfy.example/sub/t/",
                None,
                pair("https://ntfy.example/sub", "t"),
            ),
            ("https://ntfy.example/", None, None),
        ] {
            assert_eq!(address(url, topic), expect, "{url}");
        }
    }
}

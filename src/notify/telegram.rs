//! A letter as a message of a bot of Telegram.

use serde_json::json;

use super::chat::{Marks, bullets, fitting, render, units};
use super::fate::{Delivery, SendError};
use super::harmless::unaddressed;
use super::letter::Letter;
use super::web::{Request, host, needed, trust};
use crate::http::{self, Reply};
use crate::model::alert::Severity;
use crate::model::channel::TelegramWay;
use crate::model::notice::Notice;
use crate::model::text::escape_into;

/// UTF-16 units of a message.
const MOST_UNITS: usize = 4096;

const MARKS: Marks = Marks {
    bold: |text| format!("<b>{}</b>", escaped(text)),
    // In a code span no name is called, no command is offered, and no address is a link.
    strange: |text| format!("<code>{}</code>", escaped(text)),
    bare: escaped,
    fixed: |text| {
        let lines: Vec<String> = text.lines().map(escaped).collect();
        format!("<pre>{}</pre>", lines.join("\n"))
    },
    advice: |lines| bullets(lines, |line| escaped(&unaddressed(line))),
    link: |words, url| format!("<a href=\"{}\">{}</a>", escaped(url), escaped(words)),
};

/// Sends a letter.
pub fn send(way: &TelegramWay, notice: &Notice) -> Result<Delivery, SendError> {
    let request = request(way, notice)?;
    let reply = request.send()?;
    let patience = reply.retry_after_secs.or_else(|| retry_after_secs(&reply));
    request.check(&reply, patience)?;
    Ok(Delivery {
        words: format!("taken by {}", host(&way.api_url)),
    })
}

/// Asks who the bot is.
pub fn reach(way: &TelegramWay) -> Result<(), SendError> {
    needed(&way.chat_id)?;
    let request = Request::new(address(way, "getMe")?, serde_json::Value::Null);
    let reply = http::get(&trust(&request.url)?, &request.url)
        .map_err(|error| SendError::soon(format!("{}: {error}", host(&way.api_url))))?;
    request.check(&reply, None)
}

fn request(way: &TelegramWay, notice: &Notice) -> Result<Request, SendError> {
    let letter = Letter::of(notice);
    let json = json!({
        "chat_id": needed(&way.chat_id)?,
        "text": text(&letter),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": true},
        "disable_notification": letter.severity == Some(Severity::Info),
    });
    let mut request = Request::new(address(way, "sendMessage")?, json);
    request.secrets.push(needed(&way.token)?.to_owned());
    Ok(request)
}

fn address(way: &TelegramWay, method: &str) -> Result<String, SendError> {
    let token = needed(&way.token)?;
    let is_token = token
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_'));
    if !is_token {
        let words = format!("{} holds no token of a bot", way.token.variable);
        return Err(SendError::needs_person(words));
    }
    Ok(format!("{}/bot{token}/{method}", way.api_url))
}

pub(super) fn text(letter: &Letter) -> String {
    fitting(
        letter,
        |text| units(text) <= MOST_UNITS,
        |letter| render(letter, &MARKS),
    )
}

/// Where the answer says in its body how long to wait.
fn retry_after_secs(reply: &Reply) -> Option<u64> {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).ok()?;
    body.get("parameters")?.get("retry_after")?.as_u64()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    escape_into(&mut out, text);
    out
}

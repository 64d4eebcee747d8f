//! Values of a channel: times of the day, mailboxes, chats, topics.

use chrono::Weekday;

use crate::config::inboxes::is_plain_address;
use crate::config::tree::{Node, Reader, nearest};
use crate::model::channel::{Mailbox, MinuteOfDay, QuietHours};

/// More would be a mailing list.
const MOST_RECIPIENTS: usize = 50;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// `07:00`
fn minute_of(text: &str) -> Option<MinuteOfDay> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |digits: &str, below: u16| {
        let is_number =
            (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let number = digits.parse::<u16>().ok()?;
        (is_number && number < below).then_some(number)
    };
    let minutes = (minute.len() == 2).then(|| number(minute, 60))??;
    Some(number(hour, 24)? * 60 + minutes)
}

pub(super) fn daily(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<MinuteOfDay> {
    let text = reader.text(path, node)?;
    let read = minute_of(&text);
    let got = format!("\"{text}\"");
    read.or_else(|| reader.expected(path, node, "a time such as \"07:00\"", &got))
}

pub(super) fn weekly(
    reader: &mut Reader<'_>,
    path: &str,
    node: &Node,
) -> Option<(Weekday, MinuteOfDay)> {
    let text = reader.text(path, node)?;
    let (day, time) = text.split_once(' ').unwrap_or((text.as_str(), ""));
    let day = day.to_ascii_lowercase();
    let known = WEEKDAYS.iter().find(|(name, _)| *name == day);
    if let (Some((_, weekday)), Some(minute)) = (known, minute_of(time)) {
        return Some((*weekday, minute));
    }
    let near = nearest(&day, WEEKDAYS.iter().map(|(name, _)| *name)).unwrap_or("monday");
    let wanted = format!("a day and a time such as \"{near} 07:00\"");
    reader.expected(path, node, &wanted, &format!("\"{text}\""))
}

pub(super) fn quiet_hours(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<QuietHours> {
    let text = reader.text(path, node)?;
    let times = text.split_once('-');
    let times = times.and_then(|(from, to)| Some((minute_of(from)?, minute_of(to)?)));
    if let Some((from, to)) = times.filter(|(from, to)| from != to) {
        return Some(QuietHours {
            from,
            to,
            except_critical: false,
        });
    }
    let wanted = "a part of the day such as \"22:00-07:00\"";
    reader.expected(path, node, wanted, &format!("\"{text}\""))
}

/// `dmarc@example.com`, or `DMARC Sentinel <dmarc@example.com>`.
pub(super) fn mailbox(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<Mailbox> {
    let text = reader.text(path, node)?;
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address.trim()),
        None => ("", text.as_str()),
    };
    let is_name = !name.chars().any(char::is_control) && !name.contains(['<', '>', '"', '\\']);
    let is_one = is_plain_address(address)
        && address.matches('@').count() == 1
        && !address.contains([',', ';', ':', '(', ')', '[', ']']);
    if is_name && name.len() <= 200 && is_one {
        return Some(Mailbox {
            name: (!name.is_empty()).then(|| name.to_owned()),
            address: address.to_owned(),
        });
    }
    let wanted = "an address such as dmarc@example.com or \"DMARC Sentinel <dmarc@example.com>\"";
    reader.expected(path, node, wanted, &format!("\"{text}\""))
}

pub(super) fn mailboxes(reader: &mut Reader<'_>, path: &str, node: &Node) -> Vec<Mailbox> {
    let mut all: Vec<Mailbox> = Vec::new();
    for one in crate::config::sections::list(reader, path, node, mailbox) {
        let is_known = |other: &Mailbox| other.address.eq_ignore_ascii_case(&one.address);
        if !all.iter().any(is_known) {
            all.push(one);
        }
    }
    if all.len() > MOST_RECIPIENTS {
        let message = format!("more than {MOST_RECIPIENTS} recipients: use a mailing list");
        reader.note(node.line, path, message);
    }
    all
}

/// A number, negative for a group, or `@name` of a channel.
pub(super) fn chat_id(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    let is_name = text.strip_prefix('@').is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    if is_name || text.parse::<i64>().is_ok() {
        return Some(text);
    }
    let wanted = "the number of a chat, or @name of a channel";
    reader.expected(path, node, wanted, &format!("\"{text}\""))
}

pub(super) fn topic(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<String> {
    let text = reader.text(path, node)?;
    let is_topic = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if text.len() <= 64 && text.bytes().all(is_topic) {
        return Some(text);
    }
    // It is as good as a password: not repeated.
    let wanted = "a topic of at most 64 letters, digits, - and _";
    reader.expected(path, node, wanted, "another text")
}

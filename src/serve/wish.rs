//! The body of a POST -> checked parameters of a job. Forms and JSON become the same words.

use std::collections::BTreeMap;

use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::desk::Kind;
use crate::model::day::Day;

/// Characters of a name.
const MAX_TEXT_CHARS: usize = 500;
/// Characters of a stranger's word that a message repeats.
const QUOTED_CHARS: usize = 60;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As browsers send forms.
    Form,
    /// A JSON object, or nothing.
    Json,
}

impl Encoding {
    /// From the content type; a request that names none is taken for JSON, and may be empty. `Err`: another one.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ()> {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return Ok(Self::Json);
        };
        let value = value.to_str().map_err(|_| ())?;
        let essence = value.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/json" => Ok(Self::Json),
            "application/x-www-form-urlencoded" => Ok(Self::Form),
            _ => Err(()),
        }
    }
}

/// Whether who asks wants a page to look at.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

/// Whether who asks wants JSON and no page.
pub(crate) fn wants_json(headers: &HeaderMap) -> bool {
    accepts(headers, "application/json") && !wants_page(headers)
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let lines = headers.get_all(ACCEPT).iter();
    lines
        .filter_map(|value| value.to_str().ok())
        .any(|line| line.to_ascii_lowercase().contains(kind))
}

/// What a value has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Day,
    Count,
    Flag,
}

fn keys(kind: Kind) -> &'static [(&'static str, Shape)] {
    match kind {
        Kind::ProcessNow => &[("inbox", Shape::Text)],
        Kind::Backlog => &[
            ("inbox", Shape::Text),
            ("folder", Shape::Text),
            ("since", Shape::Day),
            ("before", Shape::Day),
            ("limit", Shape::Count),
            ("dry_run", Shape::Flag),
            ("reprocess", Shape::Flag),
            ("mark_seen", Shape::Flag),
        ],
    }
}

/// The parameters in a body: only what is set, each in one spelling. `Err`: what is wrong, naming the key.
pub(crate) fn parameters(
    kind: Kind,
    encoding: Encoding,
    body: &[u8],
) -> Result<BTreeMap<String, String>, String> {
    let given = match encoding {
        Encoding::Form => of_form(body)?,
        Encoding::Json => of_json(body)?,
    };
    let keys = keys(kind);
    let mut parameters = BTreeMap::new();
    for (key, value) in given {
        let Some((key, shape)) = keys.iter().find(|(known, _)| *known == key) else {
            let known: Vec<&str> = keys.iter().map(|(known, _)| *known).collect();
            let key = quoted(&key);
            return Err(format!(
                "{key} is not known here; known: {}",
                known.join(", ")
            ));
        };
        if let Some(value) =
            checked(*shape, value.trim()).map_err(|why| format!("`{key}` {why}"))?
            && parameters.insert((*key).to_owned(), value).is_some()
        {
            return Err(format!("`{key}` is given twice"));
        }
    }
    check_together(kind, &parameters)?;
    Ok(parameters)
}

/// The note in a body that says nothing else; `None` where there is none.
pub(crate) fn note(encoding: Encoding, body: &[u8]) -> Result<Option<String>, String> {
    let given = match encoding {
        Encoding::Form => of_form(body)?,
        Encoding::Json => of_json(body)?,
    };
    let mut note = None;
    for (key, value) in given {
        if key != "note" {
            return Err(format!("{} is not known here; known: note", quoted(&key)));
        }
        if note.replace(value).is_some() {
            return Err("`note` is given twice".to_owned());
        }
    }
    // A line: what breaks it is no part of what somebody means.
    Ok(note.map(|text| text.replace(char::is_control, " ")))
}

fn check_together(kind: Kind, parameters: &BTreeMap<String, String>) -> Result<(), String> {
    if kind == Kind::Backlog && !parameters.contains_key("inbox") {
        return Err("`inbox` is missing".to_owned());
    }
    // Both are days in one spelling, which sorts.
    match (parameters.get("since"), parameters.get("before")) {
        (Some(since), Some(before)) if since >= before => Err(format!(
            "`since` ({since}) is not earlier than `before` ({before}): nothing would be fetched"
        )),
        _ => Ok(()),
    }
}

/// The value in one spelling; `None` where it says nothing.
fn checked(shape: Shape, value: &str) -> Result<Option<String>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    match shape {
        Shape::Text if value.chars().count() > MAX_TEXT_CHARS => {
            Err(format!("is longer than {MAX_TEXT_CHARS} characters"))
        }
        Shape::Text if value.chars().any(char::is_control) => {
            Err("holds a control character".to_owned())
        }
        Shape::Text => Ok(Some(value.to_owned())),
        Shape::Day => match value.parse::<Day>() {
            Ok(day) if value.len() == 10 => Ok(Some(day.to_string())),
            _ => Err(format!("is no day such as 2024-03-31: {}", quoted(value))),
        },
        Shape::Count => match value.parse::<u64>() {
            Ok(0) => Err("is 0: nothing would be fetched".to_owned()),
            Ok(count) => Ok(Some(count.to_string())),
            Err(_) => Err(format!("is no whole number: {}", quoted(value))),
        },
        Shape::Flag => match value {
            "true" | "on" | "yes" | "1" => Ok(Some("true".to_owned())),
            "false" | "off" | "no" | "0" => Ok(None),
            _ => Err(format!("is neither true nor false: {}", quoted(value))),
        },
    }
}

fn of_form(body: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the form is not UTF-8".to_owned())?;
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8();
        decoded
            .map(|text| text.into_owned())
            .map_err(|_| format!("{} is not UTF-8", quoted(part)))
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(key)?, decode(value)?))
        })
        .collect()
}

fn of_json(body: &[u8]) -> Result<Vec<(String, String)>, String> {
    if body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let Value::Object(object) = value else {
        return Err("the body is no JSON object".to_owned());
    };
    let text = |(key, value): (String, Value)| match value {
        Value::Null => Ok((key, String::new())),
        Value::Bool(flag) => Ok((key, flag.to_string())),
        Value::Number(number) => Ok((key, number.to_string())),
        Value::String(text) => Ok((key, text)),
        Value::Array(_) | Value::Object(_) => Err(format!("{} is no single value", quoted(&key))),
    };
    object.into_iter().map(text).collect()
}

/// A stranger's word for a message: short, and without what changes how a line reads.
fn quoted(text: &str) -> String {
    let is_shown = |c: &char| !c.is_control() && !crate::render::is_unseen(*c);
    let mut shown: String = text.chars().filter(is_shown).take(QUOTED_CHARS).collect();
    if text.chars().count() > QUOTED_CHARS {
        shown.push('…');
    }
    format!("`{shown}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, encoding: Encoding, body: &str) -> Result<String, String> {
        let found = parameters(kind, encoding, body.as_bytes())?;
        let words = found.iter().map(|(key, value)| format!("{key}={value}"));
        Ok(words.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn forms_and_json_become_the_same_words() {
        use Encoding::{Form, Json};
        use Kind::{Backlog, ProcessNow};
        let all =
            "before=2024-03-01 dry_run=true folder=Büro/A&B inbox=a b limit=20 since=2024-02-01";
        for (kind, encoding, body, expect) in [
            (ProcessNow, Form, "", ""),
            (ProcessNow, Json, "", ""),
            (ProcessNow, Json, " {} ", ""),
            (ProcessNow, Form, "inbox=", ""),
            (ProcessNow, Form, "inbox=a%20b", "inbox=a b"),
            (ProcessNow, Json, r#"{"inbox":"a b"}"#, "inbox=a b"),
            (ProcessNow, Json, r#"{"inbox":null}"#, ""),
            (
                Backlog,
                Form,
                "inbox=a+b&folder=B%C3%BCro%2FA%26B&since=2024-02-01&before=2024-03-01&limit=020&dry_run=on&reprocess=",
                all,
            ),
            (
                Backlog,
                Json,
                r#"{"inbox":"a b","folder":"Büro/A&B","since":"2024-02-01","before":"2024-03-01","limit":20,"dry_run":true,"reprocess":false}"#,
                all,
            ),
        ] {
            assert_eq!(read(kind, encoding, body).as_deref(), Ok(expect), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_key() {
        use Encoding::{Form, Json};
        use Kind::{Backlog, ProcessNow};
        for (kind, encoding, body, expect) in [
            (
                ProcessNow,
                Form,
                "folder=x",
                "`folder` is not known here; known: inbox",
            ),
            (
                ProcessNow,
                Form,
                "inbox=a&inbox=b",
                "`inbox` is given twice",
            ),
            (ProcessNow, Form, "inbox=%ff", "`%ff` is not UTF-8"),
            (
                ProcessNow,
                Form,
                "inbox=a%00",
                "`inbox` holds a control character",
            ),
            (ProcessNow, Json, "[]", "the body is no JSON object"),
            (
                ProcessNow,
                Json,
                r#"{"inbox":["a"]}"#,
                "`inbox` is no single value",
            ),
            (Backlog, Form, "folder=x", "`inbox` is missing"),
            (
                Backlog,
                Form,
                "inbox=a&since=soon",
                "`since` is no day such as 2024-03-31: `soon`",
            ),
            (
                Backlog,
                Form,
                "inbox=a&since=+2024-1-1",
                "`since` is no day such as 2024-03-31: `2024-1-1`",
            ),
            (
                Backlog,
                Form,
                "inbox=a&limit=0",
                "`limit` is 0: nothing would be fetched",
            ),
            (
                Backlog,
                Json,
                r#"{"inbox":"a","limit":1.5}"#,
                "`limit` is no whole number: `1.5`",
            ),
            (
                Backlog,
                Form,
                "inbox=a&limit=99999999999999999999",
                "`limit` is no whole number: `99999999999999999999`",
            ),
            (
                Backlog,
                Form,
                "inbox=a&dry_run=perhaps",
                "`dry_run` is neither true nor false: `perhaps`",
            ),
            (
                Backlog,
                Form,
                "inbox=a&since=2024-03-01&before=2024-03-01",
                "`since` (2024-03-01) is not earlier than `before` (2024-03-01): nothing would be fetched",
            ),
        ] {
            assert_eq!(read(kind, encoding, body), Err(expect.to_owned()), "{body}");
        }
        let long = read(
            ProcessNow,
            Json,
            &format!(r#"{{"{}":1}}"#, "\u{202e}x".repeat(4_000)),
        );
        assert!(long.is_err_and(|why| why.len() < 150 && !why.contains('\u{202e}')));
        let deep = read(ProcessNow, Json, &"[".repeat(16_000));
        assert!(deep.is_err_and(|why| why.starts_with("the body is not JSON")));
    }
}
